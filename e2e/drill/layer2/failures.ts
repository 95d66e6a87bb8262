/** `failures`: the owner of an address is lost in every way, 20 times each; the gap of traffic and of answers. */
import { type RunningLoad, startLoad } from '../../load/load.ts'
import { type Claim, conflicts, firstBy } from '../../segment/claims.ts'
import { epochMs, type SegmentWatch, watchSegment } from '../../segment/watch.ts'
import { startTicker } from '../ticker.ts'
import { type Part, type PartOptions, repeat, type Trial, takeoverLimits } from './part.ts'
import {
  type Announced,
  addressesOf,
  onSite,
  owners,
  type Site,
  speakerOn,
  speakersReady,
  system,
} from './site.ts'

const fullTimes = 20
export const conflictMs = 50
const askMs = 25
/** After a loss all is well again when nothing failed for so long. */
const calmMs = 1500
const frozenMs = 10_000
const cutMs = 4000
/** A returned node has had its say by then. */
const afterReturnMs = 3000

interface Failure {
  readonly what: string
  /** The answers come from the victim too. */
  readonly ownEndpoint?: true
  readonly lastsMs: number
  strike(site: Site, node: string): Promise<void>
  heal(site: Site, node: string): Promise<void>
}

const cut = (what: string, silent: boolean): Failure => ({
  what,
  lastsMs: cutMs,
  strike: ({ lab }, node) => lab.node(node).cut({ silent }),
  heal: ({ lab }, node) => lab.node(node).restore(),
})

const frozen = {
  lastsMs: frozenMs,
  strike: ({ lab }: Site, node: string) => lab.node(node).freeze(),
  heal: ({ lab }: Site, node: string) => lab.node(node).thaw(),
}

export const linkCut = cut('link cut', false)
const losses: readonly Failure[] = [
  linkCut,
  cut('link cut, carrier kept', true),
  { what: 'node frozen', ...frozen },
  { ...cut('link cut, endpoint there', false), ownEndpoint: true },
]

export const failures: Part = {
  about: 'link cut, node frozen and thawed, speaker and coordinator killed: gaps, and who answered meanwhile',
  run: (o) =>
    onSite(o, async (site) => {
      const watch = await watchSegment(site.lab, { ask: addressesOf(site.services), everyMs: askMs })
      try {
        const times = o.times ?? fullTimes
        for (const loss of losses)
          await repeat(
            o,
            'failures',
            loss.what,
            loss.ownEndpoint === true ? Math.min(times, 3) : times,
            (note) => lose(site, watch, loss, o, note),
          )
        await repeat(o, 'failures', 'owner killed', times, (note) => kill(site, watch, o, 'owner', note))
        await repeat(o, 'failures', 'coordinator killed', times, (note) =>
          kill(site, watch, o, 'coordinator', note),
        )
      } finally {
        await watch.stop()
      }
    }),
}

interface Target {
  readonly victim: string
  /** An address of each family that the victim owns. */
  readonly ips: readonly string[]
}

/** The owner of some address whose answers come from elsewhere (or, when asked for, from the owner itself). */
export async function choose(
  site: Site,
  watch: SegmentWatch,
  o: { readonly ownEndpoint?: boolean; readonly victim?: string } = {},
): Promise<Target> {
  const fits = (victim: string, { backend }: Announced) => (backend === victim) === (o.ownEndpoint ?? false)
  return await site.lab.waitFor('an owner to lose', async () => {
    const owner = await owners(site, watch, addressesOf(site.services))
    for (const { ipv4, backend, ipv6, name } of site.services) {
      const victim = owner.get(ipv4) ?? ''
      if (o.victim !== undefined && victim !== o.victim) continue
      if (!fits(victim, { ipv4, backend, ipv6, name })) continue
      const six = site.services.find((one) => owner.get(one.ipv6) === victim && fits(victim, one))
      return { victim, ips: six === undefined ? [ipv4] : [ipv4, six.ipv6] }
    }
    return undefined
  })
}

export function loadOn(site: Site, address: string, perSecond = 100): RunningLoad {
  return startLoad(site.lab.client, { address, host: 'drill', perSecond, timeoutMs: 100, lateMs: 100 })
}

export async function calm(site: Site, loads: readonly RunningLoad[], forMs: number, timeoutMs = 30_000) {
  const since = performance.now()
  for (const load of loads) {
    const steady = () =>
      load.tally().answered >= 50 && Math.min(load.tally().quietMs, performance.now() - since) >= forMs
    await site.lab.waitFor(`steady answers to ${load.from}`, steady, { timeoutMs, intervalMs: 50 })
  }
}

export async function lose(
  site: Site,
  watch: SegmentWatch,
  failure: Failure,
  o: Pick<PartOptions, 'heartbeat'>,
  note: (text: string) => void,
): ReturnType<Trial> {
  note('choosing')
  const { victim, ips } = await choose(site, watch, { ownEndpoint: failure.ownEndpoint ?? false })
  const ticker = startTicker()
  const loads = ips.map((ip) => loadOn(site, ip))
  const mac = [...site.macs].find(([, node]) => node === victim)?.[0] ?? ''
  let [struck, healed] = [0, 0]
  try {
    await calm(site, loads, 500)
    ticker.take()
    note(`without ${victim}`)
    struck = epochMs()
    const began = performance.now()
    await failure.strike(site, victim)
    try {
      await calm(site, loads, calmMs, failure.ownEndpoint === true ? 5000 : 15_000).catch(
        (error: unknown) => {
          if (failure.ownEndpoint !== true) throw error // its requests end with the node's endpoints
        },
      )
      await wait(failure.lastsMs - (performance.now() - began))
    } finally {
      healed = epochMs()
      await failure.heal(site, victim)
    }
    note(`${victim} is back`)
    await wait(afterReturnMs)
  } finally {
    ticker.stop()
    if (healed === 0) await failure.heal(site, victim)
  }
  const results = await Promise.all(loads.map((load) => load.stop()))
  const meanwhile = watch.claims.filter(({ at }) => at >= struck)
  const gaps = results.map(({ gaps, startedAt }) => {
    const here = gaps.filter(({ fromMs }) => startedAt + fromMs < healed)
    return Math.max(0, ...here.map(({ lengthMs }) => lengthMs))
  })
  const late = results.flatMap(({ gaps, startedAt }) =>
    gaps.filter(({ fromMs }) => startedAt + fromMs >= healed),
  )
  const answersMs = takeoverMs(meanwhile, ips, mac, struck, healed)
  const requestsMs = Math.max(...gaps)
  const revenant = revenants(meanwhile, mac, healed)
  const conflicting = conflicts(meanwhile, conflictMs)
  return {
    what: failure.what,
    gapMs: Math.max(requestsMs, answersMs ?? healed - struck),
    ...(failure.ownEndpoint === true ? {} : { limits: takeoverLimits(o.heartbeat) }),
    figures: {
      'max requests away ms': requestsMs,
      'max answers away ms': answersMs ?? Number.POSITIVE_INFINITY,
      'lost after its return': late.reduce((sum, { failed }) => sum + failed, 0),
      'claims by it after its return': revenant.length,
      conflicts: conflicting.length,
    },
    complaints: [
      ...(answersMs === undefined ? [`nobody else answered for ${ips.join(' and ')}`] : []),
      ...late.map(
        ({ failed, lengthMs }) => `${failed} requests lost in ${lengthMs} ms after ${victim} returned`,
      ),
      ...told(revenant, `claims by ${victim} after its return`),
      ...conflicting.slice(0, 3).map(conflictText),
    ],
    lateMs: Math.max(ticker.take(), ...results.map(({ tickerLateMs }) => tickerLateMs)),
  }
}

/** Until somebody else answered for every one of them; undefined when that never was. */
function takeoverMs(
  claims: readonly Claim[],
  ips: readonly string[],
  notMac: string,
  since: number,
  until: number,
): number | undefined {
  const found = ips.map((ip) => firstBy(claims, { ip, since, notMac }))
  const times = found.flatMap((claim) => (claim === undefined || claim.at > until ? [] : claim.at - since))
  return times.length < ips.length ? undefined : Math.max(...times)
}

/** What the one that was away says of addresses that somebody else has answered for meanwhile. */
function revenants(claims: readonly Claim[], mac: string, healed: number): readonly Claim[] {
  const taken = new Set(claims.filter((claim) => claim.mac !== mac && claim.at < healed).map(({ ip }) => ip))
  return claims.filter((claim) => claim.mac === mac && claim.at >= healed && taken.has(claim.ip))
}

export async function kill(
  site: Site,
  watch: SegmentWatch,
  o: Pick<PartOptions, 'heartbeat'>,
  whom: 'owner' | 'coordinator',
  note: (text: string) => void,
): ReturnType<Trial> {
  const { lab } = site
  note('choosing')
  const { victim, ips } = await freshTarget(site, () =>
    whom === 'owner' ? choose(site, watch) : ofCoordinator(site, watch),
  )
  const mac = [...site.macs].find(([, node]) => node === victim)?.[0] ?? ''
  const owned = (await owners(site, watch, ips)).get(ips[0] ?? '') === victim
  const ticker = startTicker()
  const loads = ips.map((ip) => loadOn(site, ip))
  let struck = 0
  let gapMs: number | undefined
  try {
    await calm(site, loads, 500)
    ticker.take()
    const pod = await speakerOn(lab, victim)
    struck = epochMs()
    lab.pods.kill(system, pod, 'speaker', 'SIGKILL')
    note(`without the speaker of ${victim}`)
    if (owned) {
      const others = ips.map((ip) => () => firstBy(watch.claims, { ip, since: struck, notMac: mac }))
      const found = await Promise.all(
        others.map((look) =>
          lab.waitFor('another node to answer', look, { timeoutMs: 20_000, intervalMs: 20 }),
        ),
      )
      gapMs = Math.max(...found.map(({ at }) => at - struck))
    }
    await wait(1000)
  } finally {
    ticker.stop()
  }
  const late = ticker.take()
  await speakersReady(lab)
  await wait(afterReturnMs)
  const results = await Promise.all(loads.map((load) => load.stop()))
  const meanwhile = watch.claims.filter(({ at }) => at >= struck)
  const conflicting = conflicts(meanwhile, conflictMs)
  const lost = results.reduce((sum, result) => sum + result.lost.length, 0)
  return {
    what: `${whom} killed`,
    ...(gapMs === undefined ? {} : { gapMs, limits: takeoverLimits(o.heartbeat) }),
    figures: { lost, conflicts: conflicting.length },
    complaints: [
      ...(lost > 0
        ? [`${lost} requests lost: ${results.flatMap((r) => r.lost.map(({ why }) => why))[0]}`]
        : []),
      ...conflicting.slice(0, 3).map(conflictText),
    ],
    lateMs: late,
  }
}

/** The lowest name coordinates; addresses that it owns, else any. */
async function ofCoordinator(site: Site, watch: SegmentWatch): Promise<Target> {
  const victim = site.lab.nodes.map(({ name }) => name).toSorted()[0] ?? ''
  const owner = await owners(site, watch, addressesOf(site.services))
  const own = addressesOf(site.services).filter((ip) => owner.get(ip) === victim)
  return { victim, ips: own.length > 0 ? own.slice(0, 2) : addressesOf(site.services).slice(0, 2) }
}

/** A container that fell once is not started again at once: such a pod is replaced, and the choice made again. */
async function freshTarget(site: Site, pick: () => Promise<Target>): Promise<Target> {
  const count = 'jsonpath={.status.containerStatuses[0].restartCount}'
  for (let tries = 0; tries <= site.lab.nodes.length; tries++) {
    const target = await pick()
    const pod = await speakerOn(site.lab, target.victim)
    if ((await site.lab.kubectl(['get', 'pod', pod, '-n', system, '-o', count])) === '0') return target
    await site.lab.kubectl(['delete', 'pod', pod, '-n', system])
    await speakersReady(site.lab)
  }
  throw new Error('no speaker that never fell owns an address')
}

export function conflictText({ ip, macs, apartMs }: ReturnType<typeof conflicts>[number]): string {
  return `${ip}: ${macs[0]} and ${macs[1]} within ${apartMs.toFixed(1)} ms`
}

function told(list: readonly unknown[], what: string): readonly string[] {
  return list.length === 0 ? [] : [`${list.length} ${what}`]
}

export async function wait(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}
