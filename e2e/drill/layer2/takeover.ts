/** `takeover`: one node owns 1,000 addresses and is lost: how long until the last is announced by another, at what cost. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { files } from '../../lab/control/flags.ts'
import { type Lab, readAudit } from '../../lab/index.ts'
import { labPaths } from '../../lab/state/lab-state.ts'
import { lastBy } from '../../segment/claims.ts'
import { epochMs, type SegmentWatch, watchSegment } from '../../segment/watch.ts'
import { repeat, type Trial } from '../part.ts'
import { startTicker } from '../ticker.ts'
import { macOf } from './loss.ts'
import { manyServices, removeServices } from './many-services.ts'
import { type Part, type PartOptions, takeoverLimits } from './part.ts'
import {
  firstNodes,
  onSite,
  owners,
  type Site,
  setSpeakers,
  speakerOn,
  speakersReady,
  system,
} from './site.ts'
import { wait } from './traffic.ts'
import { isWrite, tallied, type Write, writeTexts } from './writes.ts'

const count = 1000
const askMs = 2000
const limitMiB = 100
/** Statuses and Events follow the announcement by and by; after so long without one all are written. */
const quietMs = 10_000
const lookMs = 2000
/** A restart that changes nothing writes nothing for so long. */
const restartMs = 30_000

export const takeover: Part = {
  about: `a node with ${count} addresses is lost: the last announcement, memory, and writes to the API server`,
  run: (o) => onSite({ ...o, nodes: 3, speakers: 1, perBackend: 0, audit: true }, (site) => among(o, site)),
}

async function among(o: PartOptions, site: Site): Promise<void> {
  const { lab } = site
  if (!existsSync(join(labPaths(lab.id).control, files.auditLog)))
    throw new Error(`lab '${lab.id}' writes no audit log: it was made without --audit`)
  const [first = '', second = '', backend = ''] = firstNodes(lab, 3)
  await o.progress.step('one node has a speaker', () => setSpeakers(lab, [first]))
  const ips = await o.progress.step(`${count} Services`, (note) =>
    manyServices(lab, { count, backend }, note),
  )
  const watch = await watchSegment(lab, { ask: ips, everyMs: askMs })
  try {
    await o.progress.step('it owns all', () => owners(site, watch, ips, 300_000))
    await o.progress.step('another speaker joins', () => setSpeakers(lab, [first, second]))
    await o.progress.step('all is written', (note) => written(lab, note))
    await repeat(o, 'takeover', `${count} addresses`, o.times ?? 1, (note) => {
      return taken({ site, watch, ips, pair: [first, second], heartbeat: o.heartbeat }, note)
    })
  } finally {
    await watch.stop()
    // A lab that is given stays.
    if (o.lab !== undefined) await removeServices(lab, () => {})
  }
}

interface Stage {
  readonly site: Site
  readonly watch: SegmentWatch
  readonly ips: readonly string[]
  /** One of them owns all. */
  readonly pair: readonly [string, string]
  readonly heartbeat: string
}

async function taken(
  { site, watch, ips, pair, heartbeat }: Stage,
  note: (text: string) => void,
): ReturnType<Trial> {
  const { lab } = site
  note('who owns all?')
  const all = new Set((await owners(site, watch, ips, 60_000)).values())
  const [loser = ''] = all
  if (all.size !== 1) throw new Error(`${[...all].join(' and ')} own the addresses, not one of them`)
  const winner = pair.find((node) => node !== loser) ?? ''
  const mac = macOf(site, winner)
  const before = await written(lab, note)
  const [ticker, struck, from] = [startTicker(), epochMs(), watch.claims.length]
  try {
    await lab.node(loser).cut()
    note(`without ${loser}`)
    const first = new Map<string, number>()
    let looked = from
    const look = () => {
      for (; looked < watch.claims.length; looked++) {
        const { ip, at, kind, mac: by } = watch.claims[looked] ?? {}
        if (ip === undefined || at === undefined || first.has(ip)) continue
        if (at >= struck && kind === 'announcement' && by === mac) first.set(ip, at)
      }
      note(`${first.size} of ${count} announced by ${winner}`)
      return ips.every((ip) => first.has(ip)) && Math.max(...first.values())
    }
    const last = await lab.waitFor('the last announcement', look, { timeoutMs: 60_000 })
    const lateMs = ticker.take()
    // The loser's last claim of all: how long the command took that cut its link is no part of the gap.
    const cut = Math.max(struck, lastBy(watch.claims, { mac: macOf(site, loser), before: last }) ?? struck)
    await written(lab, note)
    const acquired = writes(lab).slice(before)
    return {
      gapMs: last - cut,
      limits: takeoverLimits(heartbeat),
      ...judged(acquired, await restarted(lab, winner, note)),
      lateMs,
    }
  } finally {
    ticker.stop()
    note(`${loser} is back`)
    await lab.node(loser).restore()
    await speakersReady(lab)
  }
}

interface Restart {
  readonly rssMiB: number
  readonly peakMiB: number
  readonly writes: number
  readonly running: boolean
}

/** What its memory was, and what it writes when it is started again. */
async function restarted(lab: Lab, node: string, note: (text: string) => void): Promise<Restart> {
  const pod = await speakerOn(lab, node)
  const { rss, peak } = lab.pods.memory(system, pod, 'speaker')
  const before = writes(lab).length
  lab.pods.kill(system, pod, 'speaker', 'SIGKILL')
  for (let waited = 0; waited < restartMs; waited += lookMs) {
    note(`started again, ${writes(lab).length - before} writes in ${waited / 1000} s`)
    await wait(lookMs)
  }
  const running = lab.pods.process(system, pod, 'speaker') !== undefined
  return { rssMiB: rss / 2 ** 20, peakMiB: peak / 2 ** 20, writes: writes(lab).length - before, running }
}

function judged(acquired: readonly Write[], { rssMiB, peakMiB, writes: again, running }: Restart) {
  const tally = tallied(acquired)
  return {
    figures: {
      'max RSS MiB': rssMiB,
      'max peak MiB': peakMiB,
      'max writes an address': tally.ofAddresses / count,
      'max writes of one object': tally.mostOfOne.writes,
      'max for all at once': tally.ofAllAtOnce,
      'max other writes': tally.others,
      'max conflicts': tally.conflicts,
      'writes at a restart': again,
    },
    complaints: [
      ...(running ? [] : ['the speaker that was killed does not run again']),
      ...(rssMiB > limitMiB ? [`${rssMiB.toFixed(1)} MiB resident`] : []),
      ...writeTexts(tally, count),
      ...(again > 0 ? [`${again} writes at a restart that changes nothing`] : []),
    ],
  }
}

/** Waits until nothing is written any more. @returns how often it was so far */
async function written(lab: Lab, note: (text: string) => void): Promise<number> {
  let [known, since] = [writes(lab).length, performance.now()]
  while (performance.now() - since < quietMs) {
    await wait(lookMs)
    const now = writes(lab).length
    if (now > known) [known, since] = [now, performance.now()]
    note(`${known} writes`)
  }
  return known
}

/** What speakers wrote so far, or tried to, as the API server's audit log has it. */
function writes({ id }: Lab): readonly Write[] {
  const user = `system:serviceaccount:${system}:speaker`
  return readAudit(id).filter((request) => request.user === user && isWrite(request))
}
