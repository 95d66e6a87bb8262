/**
 * `kill`: a speaker is killed, or its node falls silent, beside BFD at two paces: how soon the routers send nothing there
 * any more, and what a client of 500 requests a second loses through their ECMP, over IPv4 and over IPv6. The kernel of a
 * killed speaker still closes its sessions, so it is the silent node that BFD alone tells of.
 */
import type { LabNode } from '../../lab/index.ts'
import { type RunningLoad, startLoad } from '../../load/load.ts'
import { type Hops, watchNextHops } from '../../load/next-hops.ts'
import { epochMs } from '../../segment/watch.ts'
import { speakerOn, speakersReady, system } from '../layer2/site.ts'
import { calm, wait } from '../layer2/traffic.ts'
import { type Limits, repeat, type Trial } from '../part.ts'
import { startTicker } from '../ticker.ts'
import type { Part } from './part.ts'
import type { Pace } from './routers.ts'
import { bfdUp, carriesAll, countFlows, type Family, flows, onSite, type Site, setPace } from './site.ts'

/** Of each family. */
const times = 5
const perSecond = 500
/** Of three nodes, each has at least that part of the connections. */
const leastShare = 0.2
const afterMs = 1500
const replaceMs = 50

const paces: readonly { readonly pace: Pace; readonly limits: Limits }[] = [
  { pace: { intervalMs: 300, multiplier: 3 }, limits: { median: 1200 } },
  { pace: { intervalMs: 50, multiplier: 3 }, limits: { median: 400 } },
]

export const kill: Part = {
  about: `a speaker is killed, a node falls silent, with BFD 300 ms × 3 and 50 ms × 3, under ${perSecond} requests a second`,
  run: (o) =>
    onSite(o, async (site) => {
      for (const { pace, limits } of paces) {
        await setPace(site, pace)
        const text = `BFD ${pace.intervalMs} ms × ${pace.multiplier}`
        for (const blow of [killed, silenced])
          for (const [family, name] of families)
            await repeat(o, 'kill', `${blow.what}, ${text}, ${name}`, o.times ?? times, (note) =>
              struck(site, { blow, family, limits }, note),
            )
      }
    }),
}

const families = [
  ['ipv4', 'IPv4'],
  ['ipv6', 'IPv6'],
] as const

interface Blow {
  readonly what: string
  /** @returns what deals it, once nothing is left to be looked up */
  ready(site: Site, node: string): Promise<() => unknown>
  heal(site: Site, node: string): Promise<void>
}

const killed: Blow = {
  what: 'SIGKILL of a speaker',
  ready: async ({ lab }, node) => {
    const pod = await speakerOn(lab, node)
    return () => lab.pods.kill(system, pod, 'speaker', 'SIGKILL')
  },
  // A container that fell once is not started again at once.
  heal: async ({ lab }, node) => {
    await lab.kubectl(['delete', 'pod', '-n', system, await speakerOn(lab, node), '--wait=true'])
    await speakersReady(lab)
  },
}

const silenced: Blow = {
  what: 'a node falls silent',
  ready:
    async ({ lab }, node) =>
    () =>
      lab.node(node).cut({ silent: true }),
  heal: ({ lab }, node) => lab.node(node).restore(),
}

let turn = 0

interface Struck {
  readonly blow: Blow
  readonly family: Family
  readonly limits: Limits
}

async function struck(
  site: Site,
  { blow, family, limits }: Struck,
  note: (text: string) => void,
): ReturnType<Trial> {
  const { lab, victims, asked } = site
  const address = asked[family]
  const victim = victims[turn++ % victims.length] ?? ''
  const { [family]: ip } = lab.node(victim)
  const strike = await blow.ready(site, victim)
  note('until all carries traffic')
  await carriesAll(site)
  await bfdUp(lab)
  const ticker = startTicker()
  const watches = lab.routers.map((router) => watchNextHops(router, address))
  const load = requests(site, address)
  try {
    await calm(lab, [load], 500)
    await countFlows(site, address)
    await wait(2000)
    const spread = [...(await flows(site)).values()]
    ticker.take()
    const left = (hops: readonly string[], of: readonly LabNode[]) =>
      of.some((one) => !hops.includes(one[family]))
    const restless = watches.some(({ changes }) => lasting(changes).some(({ hops }) => left(hops, lab.nodes)))
    const at = epochMs()
    await strike()
    note(`${blow.what}: ${victim}`)
    const gone = await Promise.all(
      watches.map(({ changes }) =>
        lab.waitFor(
          `routes without ${victim}`,
          () => changes.find((change) => change.at >= at && !change.hops.includes(ip)),
          { timeoutMs: 20_000, intervalMs: 10 },
        ),
      ),
    )
    const late = ticker.take()
    await wait(afterMs)
    const others = lab.nodes.filter(({ name }) => name !== victim)
    const flaps = watches.flatMap(({ changes }) =>
      lasting(changes).filter(({ hops }) => left(hops, others)),
    ).length
    await blow.heal(site, victim)
    note(`${victim} is back`)
    await carriesAll(site)
    await wait(afterMs)
    const result = await load.stop()
    const share = Math.min(...spread) / spread.reduce((sum, one) => sum + one, 0)
    return {
      // What went by itself before is no matter of the blow.
      ...(restless ? {} : { gapMs: Math.max(...gone.map((change) => change.at - at)) }),
      limits,
      figures: {
        sent: result.sent,
        lost: result.lost.length,
        'max lost at once': Math.max(0, ...result.gaps.map(({ failed }) => failed)),
        'max for ms': Math.max(0, ...result.gaps.map(({ lengthMs }) => lengthMs)),
        'late by 100 ms': result.late.length,
        'flaps of others': flaps,
      },
      complaints: [
        ...(share < leastShare ? [`connections to the nodes: ${spread.join(', ')}`] : []),
        ...(restless || flaps > 0 ? ['a route left a node that nothing had befallen'] : []),
      ],
      lateMs: late,
    }
  } finally {
    ticker.stop()
    await Promise.all(watches.map((watch) => watch.stop()))
    await load.stop()
  }
}

/** zebra, unless it runs with `--v6-rr-semantics`, takes an IPv6 route away before it puts another in its place. */
function lasting(changes: readonly Hops[]): readonly Hops[] {
  return changes.filter(({ at, hops }, i) => {
    const { at: next = Number.POSITIVE_INFINITY } = changes[i + 1] ?? {}
    return hops.length > 0 || next - at > replaceMs
  })
}

/** Each on a connection of its own, so that all paths are taken. */
function requests({ lab }: Site, address: string): RunningLoad {
  return startLoad(lab.client2, { address, host: 'drill', perSecond, timeoutMs: 900, lateMs: 100 })
}
