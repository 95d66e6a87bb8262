/** The owner of an address is lost and comes back: what requests, answers and the segment show. */
import { epochMs, type SegmentWatch } from '../../segment/watch.ts'
import { type Trial } from '../part.ts'
import { startTicker } from '../ticker.ts'
import { detectionMs, takeoverLimits } from './part.ts'
import { observed } from './seen.ts'
import { addressesOf, gather, owners, type Site } from './site.ts'
import { calm, loadOn, wait } from './traffic.ts'

/** After a loss all is well again when nothing failed for so long. */
const calmMs = 1000
/** Requests to a Service that lost its only endpoint find no end. */
const hopelessMs = 5000

export interface Loss {
  readonly what: string
  /** A link that was cut made two sides of one LAN; they have a detection time to be one again. */
  readonly parts: boolean
  /** It goes on being heard by whoever asks. */
  readonly fenced?: true
  /** The answers come from the victim too. */
  readonly ownEndpoint?: true
  readonly lastsMs: number
  /** Watched for so long after its end. */
  readonly afterMs: number
  strike(site: Site, node: string): Promise<void>
  heal(site: Site, node: string): Promise<void>
}

type Times = Pick<Loss, 'lastsMs' | 'afterMs'>

export function linkCut(what: string, silent: boolean, times: Times): Loss {
  return {
    what,
    parts: true,
    ...times,
    strike: ({ lab }, node) => lab.node(node).cut({ silent }),
    heal: ({ lab }, node) => lab.node(node).restore(),
  }
}

const heartbeatRules = `
table inet unheard
delete table inet unheard
table inet unheard {
  chain in { type filter hook input priority -300; udp dport 7946 drop; }
  chain out { type filter hook output priority -300; udp dport 7946 drop; }
}`

/** Of no side: under `--layer2-partition=fence` it is silent, though whoever asks hears it. */
export function unheard(what: string, times: Times): Loss {
  return {
    what,
    parts: false,
    fenced: true,
    ...times,
    strike: async ({ lab }, node) =>
      void (await lab.node(node).run(['nft', '-f', '-'], { input: heartbeatRules })),
    heal: async ({ lab }, node) =>
      void (await lab.node(node).run(['nft', 'delete', 'table', 'inet', 'unheard'])),
  }
}

export function freeze(what: string, times: Times): Loss {
  return {
    what,
    parts: false,
    ...times,
    strike: ({ lab }, node) => lab.node(node).freeze(),
    heal: ({ lab }, node) => lab.node(node).thaw(),
  }
}

export interface Target {
  readonly victim: string
  /** An address of each family that the victim owns, where it owns both. */
  readonly ips: readonly string[]
}

interface Wanted {
  readonly ownEndpoint?: boolean
  readonly among?: ReadonlySet<string>
}

/** The owner of some address whose answers come from elsewhere (or, when asked for, from the owner itself). */
export async function choose(site: Site, watch: SegmentWatch, wanted: Wanted = {}): Promise<Target> {
  const look = async () => ownerToLose(site, await owners(site, watch, addressesOf(site.services)), wanted)
  if ((await look()) === undefined) {
    const { backend = '' } = site.services[0] ?? {}
    const others = site.lab.nodes.map(({ name }) => name).filter((name) => name !== backend)
    const [elsewhere = backend] = others.filter((name) => wanted.among?.has(name) !== false)
    await gather(site, watch, wanted.ownEndpoint === true ? backend : elsewhere)
  }
  return await site.lab.waitFor('an owner to lose', look)
}

/** One who owns addresses of both families, if there is such a one. */
export function ownerToLose(
  { services }: Site,
  owner: ReadonlyMap<string, string>,
  { ownEndpoint = false, among }: Wanted,
): Target | undefined {
  const targets = [...new Set(owner.values())]
    .filter((victim) => among?.has(victim) !== false)
    .map((victim) => {
      const fitting = services.filter(({ backend }) => (backend === victim) === ownEndpoint)
      const owned = [fitting.map(({ ipv4 }) => ipv4), fitting.map(({ ipv6 }) => ipv6)].map((ips) =>
        ips.find((ip) => owner.get(ip) === victim),
      )
      return { victim, ips: owned.filter((ip) => ip !== undefined) }
    })
  return targets.toSorted((a, b) => b.ips.length - a.ips.length).find(({ ips }) => ips.length > 0)
}

export async function lose(
  site: Site,
  watch: SegmentWatch,
  loss: Loss,
  heartbeat: string,
  note: (text: string) => void,
): ReturnType<Trial> {
  note('choosing')
  const { victim, ips } = await choose(site, watch, loss)
  const mac = macOf(site, victim)
  const ticker = startTicker()
  const loads = ips.map((ip) => loadOn(site.lab, ip))
  let [struck, healed, restored] = [0, 0, 0]
  try {
    await calm(site.lab, loads, 500)
    ticker.take()
    note(`without ${victim}`)
    struck = epochMs()
    await loss.strike(site, victim)
    try {
      await over(site, loads, loss)
      await wait(loss.lastsMs - (epochMs() - struck))
    } finally {
      healed = epochMs()
      await loss.heal(site, victim)
      restored = epochMs()
    }
    note(`${victim} is back`)
    await wait(loss.afterMs)
  } finally {
    ticker.stop()
  }
  const results = await Promise.all(loads.map((load) => load.stop()))
  const gaps = results.flatMap(({ gaps: all, startedAt }) =>
    all.map((gap) => ({ ...gap, at: startedAt + gap.fromMs })),
  )
  const requestsMs = Math.max(0, ...gaps.filter(({ at }) => at < healed).map(({ lengthMs }) => lengthMs))
  // One that was frozen was never a side of its own: it has no word from its first moment on.
  const settled = loss.parts ? restored + detectionMs(heartbeat) : undefined
  const seen = observed(
    watch.claims.filter(({ at }) => at >= struck),
    { ips, mac, victim, struck, healed, settled, fenced: loss.fenced === true },
  )
  const late = gaps.filter(({ at }) => at >= healed)
  return {
    gapMs: Math.max(requestsMs, seen.answersMs ?? healed - struck),
    ...(loss.ownEndpoint === true ? {} : { limits: takeoverLimits(heartbeat) }),
    figures: {
      'max requests away ms': requestsMs,
      'max answers away ms': seen.answersMs ?? Number.POSITIVE_INFINITY,
      'lost after return': late.reduce((sum, { failed }) => sum + failed, 0),
      'max for ms': Math.max(0, ...late.map(({ lengthMs }) => lengthMs)),
      ...seen.figures,
    },
    complaints: [
      ...late
        .filter(({ lengthMs }) => lengthMs >= detectionMs(heartbeat))
        .map(({ failed, lengthMs }) => `${failed} requests lost in ${lengthMs} ms after ${victim} returned`),
      ...seen.complaints,
    ],
    lateMs: Math.max(ticker.take(), ...results.map(({ tickerLateMs }) => tickerLateMs)),
  }
}

async function over(site: Site, loads: Parameters<typeof calm>[1], { ownEndpoint }: Loss): Promise<void> {
  if (ownEndpoint === true) await wait(hopelessMs)
  else await calm(site.lab, loads, calmMs, 15_000)
}

export function macOf(site: Site, node: string): string {
  return [...site.macs].find(([, name]) => name === node)?.[0] ?? ''
}
