/** `takeover`: one node owns 1,000 addresses and is lost: how long until the last is announced by another, at what cost. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { labPaths } from '../../lab/state/lab-state.ts'
import { epochMs, watchSegment } from '../../segment/watch.ts'
import { startTicker } from '../ticker.ts'
import { macOf } from './loss.ts'
import { manyServices } from './many-services.ts'
import { type Part, repeat, type Trial, takeoverLimits } from './part.ts'
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

const count = 1000
const askMs = 2000
const limitMiB = 100
const writesAnAddress = 3
/** Status and events follow the announcement by and by. */
const writesMs = 30_000

export const takeover: Part = {
  about: `a node with ${count} addresses is lost: the last announcement, memory, and writes to the API server`,
  run: (o) =>
    onSite({ ...o, nodes: 3, speakers: 1, perBackend: 0, audit: true }, (site) =>
      repeat(o, 'takeover', `${count} addresses`, 1, (note) => taken(site, o.heartbeat, note)),
    ),
}

async function taken(site: Site, heartbeat: string, note: (text: string) => void): ReturnType<Trial> {
  const { lab } = site
  const [loser = '', winner = ''] = firstNodes(lab, 2)
  const ips = await manyServices(lab, count, note)
  const watch = await watchSegment(lab, { ask: ips, everyMs: askMs })
  try {
    note('one node owns all')
    await owners(site, watch, ips, 180_000)
    await setSpeakers(lab, [loser, winner])
    await wait(writesMs)
    const ticker = startTicker()
    const [written, struck] = [writes(lab.id).length, epochMs()]
    await lab.node(loser).cut()
    note(`without ${loser}`)
    const mac = macOf(site, winner)
    const last = await lab.waitFor(
      'the last announcement',
      () => {
        const first = new Map<string, number>()
        for (const { ip, at, kind, mac: by } of watch.claims)
          if (at >= struck && kind === 'announcement' && by === mac && !first.has(ip)) first.set(ip, at)
        return ips.every((ip) => first.has(ip)) && Math.max(...first.values())
      },
      { timeoutMs: 60_000 },
    )
    const lateMs = ticker.take()
    ticker.stop()
    note('writes')
    await wait(writesMs)
    const acquired = (writes(lab.id).length - written) / count
    const pod = await speakerOn(lab, winner)
    const { rss, peak } = lab.pods.memory(system, pod, 'speaker')
    const before = writes(lab.id).length
    lab.pods.kill(system, pod, 'speaker', 'SIGKILL')
    note('restarted')
    await wait(writesMs)
    const running = lab.pods.process(system, pod, 'speaker') !== undefined
    const restarted = writes(lab.id).length - before
    const [rssMiB, peakMiB] = [rss / 2 ** 20, peak / 2 ** 20]
    return {
      what: `${count} addresses`,
      gapMs: last - struck,
      limits: takeoverLimits(heartbeat),
      figures: {
        'RSS MiB': rssMiB,
        'peak MiB': peakMiB,
        'writes an address': acquired,
        'writes at a restart': restarted,
      },
      complaints: [
        ...(running ? [] : ['the speaker that was killed does not run again']),
        ...(rssMiB > limitMiB ? [`${rssMiB.toFixed(1)} MiB resident`] : []),
        ...(acquired > writesAnAddress ? [`${acquired.toFixed(2)} writes an address`] : []),
        ...(restarted > 0 ? [`${restarted} writes at a restart that changes nothing`] : []),
      ],
      lateMs,
    }
  } finally {
    await watch.stop()
    await lab.node(loser).restore()
    await speakersReady(lab)
  }
}

interface AuditLine {
  readonly stage: string
  readonly verb: string
  readonly user: { readonly username: string }
  readonly objectRef?: { readonly resource?: string }
}

const writing = new Set(['create', 'update', 'patch', 'delete'])

/** Writes by speakers so far, as the API server's audit log has them. */
function writes(labId: string): readonly AuditLine[] {
  return readFileSync(join(labPaths(labId).control, 'audit.log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes(`serviceaccount:${system}:speaker`))
    .map((line): AuditLine => JSON.parse(line))
    .filter(({ stage, verb }) => stage === 'ResponseComplete' && writing.has(verb))
}
