/** `updates` and `outage`: what is planned loses nothing, and what befalls without an API server is mended. */
import type { Lab } from '../../lab/index.ts'
import { conflicts, relapses } from '../../segment/claims.ts'
import { epochMs, type SegmentWatch } from '../../segment/watch.ts'
import { repeat, type Trial } from '../part.ts'
import { startTicker } from '../ticker.ts'
import { choose, type Loss, linkCut, lose } from './loss.ts'
import { lostOf, lostTexts, openTexts } from './lost.ts'
import { loadsOf } from './owned.ts'
import type { Part } from './part.ts'
import { conflictTexts, relapseMs } from './seen.ts'
import {
  addressesOf,
  backendName,
  firstNodes,
  gather,
  owners,
  reachable,
  type Site,
  speakerOn,
  speakersReady,
  system,
  watched,
} from './site.ts'
import { slowFigures, slowMs, slowTexts } from './slow.ts'
import { calm, patientLoadOn, wait } from './traffic.ts'

const fullTimes = 10
const rebalanceTimes = 3
const rebalanceUrl = 'http://127.0.0.1:17472/layer2/rebalance'
/** A hundred requests a second each. */
const loadCount = 5
const askAgainMs = 5000
const apiAwayMs = 60_000
const outageTimes = 3

interface Planned {
  /** The first few are asked meanwhile. */
  readonly ips: readonly string[]
  readonly work: (site: Site) => Promise<void>
}

export const updates: Part = {
  about: 'rolling update of the speakers, drain of an owner, rebalance: 500 requests a second lose nothing',
  run: (o) => {
    const times = o.times ?? fullTimes
    return watched(o, async (site, watch) => {
      await repeat(o, 'updates', 'rolling update', times, (note) =>
        lossless(site, watch, { ips: addressesOf(site.services), work: rollingUpdate }, note),
      )
      await repeat(o, 'updates', 'drain of an owner', times, (note) => drained(site, watch, 'all', note))
      await repeat(o, 'updates', 'rebalance', Math.min(times, rebalanceTimes), (note) =>
        rebalanced(site, watch, 'even', note),
      )
    })
  },
}

export const outage: Part = {
  about: 'API server away for 60 s, the link of an owner cut in the middle',
  run: (o) =>
    watched(o, (site, watch) => {
      const cut = linkCut('link cut without API server', false, { lastsMs: 5000, afterMs: 3000 })
      return repeat(o, 'outage', cut.what, o.times ?? outageTimes, (note) =>
        withoutApi(site, watch, { cut, awayMs: apiAwayMs, heartbeat: o.heartbeat }, note),
      )
    }),
}

interface ApiOutage {
  readonly cut: Loss
  readonly awayMs: number
  readonly heartbeat: string
}

export async function withoutApi(
  site: Site,
  watch: SegmentWatch,
  { cut, awayMs, heartbeat }: ApiOutage,
  note: (text: string) => void,
): ReturnType<Trial> {
  // Should addresses have to move for it, they do so while they can be told to.
  await choose(site, watch)
  await site.lab.killDaemon('kube-apiserver')
  const since = epochMs()
  try {
    note('without API server')
    await wait(awayMs / 3)
    return await lose(site, watch, cut, heartbeat, note)
  } finally {
    await wait(awayMs - (epochMs() - since))
    await site.lab.startDaemon('kube-apiserver')
    await startKubernetesAnew(site.lab)
    await speakersReady(site.lab)
  }
}

/**
 * Some end by themselves when the API server does. Those that go on are refused their watches while it does not know its
 * roles yet, and rest for up to two minutes: no pod comes back, and no node hears where it is.
 */
async function startKubernetesAnew(lab: Lab): Promise<void> {
  const proxies = lab.nodes.map(({ name }) => `kube-proxy-${name}`)
  for (const daemon of ['kube-controller-manager', 'kube-scheduler', ...proxies]) {
    if (lab.daemons().some(({ name, alive }) => alive && name === daemon)) await lab.killDaemon(daemon)
    await lab.startDaemon(daemon)
  }
}

/** @param evicted `ours`: where pods of others are to stay, those of the drill alone */
export async function drained(
  site: Site,
  watch: SegmentWatch,
  evicted: 'all' | 'ours',
  note: (text: string) => void,
): ReturnType<Trial> {
  const { victim } = await choose(site, watch)
  // What is evicted is away for a moment: a single replica does not stand for the addresses.
  const services = site.services.filter(({ backend }) => backend !== victim)
  const work = (): Promise<void> => drain(site, victim, evicted)
  return await lossless(site, watch, { ips: addressesOf(services), work }, note)
}

/** `begun`: beside Services of others, which count as well, it is not known when it is done. */
type Until = 'even' | 'begun'

export async function rebalanced(
  site: Site,
  watch: SegmentWatch,
  until: Until,
  note: (text: string) => void,
): ReturnType<Trial> {
  const [node = ''] = firstNodes(site.lab, 1)
  await gather(site, watch, node)
  const ips = addressesOf(site.services)
  const nodes = site.lab.nodes.map(({ name }) => name)
  const work = (): Promise<void> => rebalance(site, watch, { ips, nodes, until, timeoutMs: 60_000 })
  return await lossless(site, watch, { ips, work }, note)
}

/** Requests to many addresses while something planned happens. */
export async function lossless(
  site: Site,
  watch: SegmentWatch,
  { ips, work }: Planned,
  note: (text: string) => void,
): ReturnType<Trial> {
  const ticker = startTicker()
  const loads = ips.slice(0, loadCount).map((ip) => patientLoadOn(site.lab, ip))
  await calm(site.lab, loads, 500)
  ticker.take()
  const began = epochMs()
  note('under way')
  await work(site)
  await wait(2000)
  ticker.stop()
  const results = await Promise.all(loads.map((load) => load.stop()))
  const asked = results.map((result, i) => ({ ip: ips[i] ?? '', result }))
  const lost = lostOf(asked, watch.claims, began)
  const meanwhile = watch.claims.filter(({ at }) => at >= began)
  const back = relapses(meanwhile, relapseMs)
  return {
    figures: {
      sent: results.reduce((sum, { sent }) => sum + sent, 0),
      lost: lost.lost.length,
      'open when moved': lost.open.length,
      ...slowFigures(asked, began),
      'changes of owner': turnsOf(meanwhile),
      relapses: back.length,
      'closest owners ms': Math.min(
        ...conflicts(meanwhile, relapseMs).map(({ apartMs }) => apartMs),
        relapseMs,
      ),
    },
    limitMs: slowMs,
    ofTimes: [...slowTexts(asked, began), ...openTexts(lost.open, began)],
    complaints: [...lostTexts(lost, began), ...conflictTexts(back).map((text) => `answered again: ${text}`)],
    lateMs: Math.max(ticker.take(), ...results.map(({ tickerLateMs }) => tickerLateMs)),
  }
}

interface Rebalance {
  readonly ips: readonly string[]
  /** Those that may own them; the first one's speaker is told, which passes the wish on. */
  readonly nodes: readonly string[]
  readonly until: Until
  readonly timeoutMs: number
}

/** One address a second. */
export async function rebalance(
  site: Site,
  watch: SegmentWatch,
  { ips, nodes, until, timeoutMs }: Rebalance,
): Promise<void> {
  const { lab } = site
  let askedAt = Number.NEGATIVE_INFINITY
  const ask = async (): Promise<boolean> => {
    const { status, body } = await lab.node(nodes[0] ?? '').curl(rebalanceUrl, { method: 'POST' })
    if (status !== 200) throw new Error(`rebalance: ${status} ${body}`)
    askedAt = epochMs()
    return true
  }
  await lab.waitFor('the wish to be taken', ask)
  const isDone = async (): Promise<boolean> => {
    // Lost, if another one coordinates by now, or where it came before the word that other nodes may have addresses again.
    if (epochMs() - askedAt > askAgainMs) await ask()
    const loads = loadsOf(await owners(site, watch, ips), nodes)
    return until === 'begun' ? Math.max(...loads) < ips.length : Math.max(...loads) - Math.min(...loads) <= 1
  }
  await lab.waitFor(until === 'begun' ? 'an address to move' : 'an even spread', isDone, { timeoutMs })
}

function turnsOf(claims: SegmentWatch['claims']): number {
  return conflicts(claims, Number.POSITIVE_INFINITY).length
}

export async function rollingUpdate({ lab }: Pick<Site, 'lab'>): Promise<void> {
  await lab.kubectl(['rollout', 'restart', 'daemonset', 'speaker', '-n', system])
  await lab.kubectl(['rollout', 'status', 'daemonset', 'speaker', '-n', system, '--timeout=120s'])
  await speakersReady(lab)
}

/** A drain passes over DaemonSets: the speaker goes after it, with the node. */
async function drain(site: Site, node: string, evicted: 'all' | 'ours'): Promise<void> {
  const { lab } = site
  const ours = evicted === 'ours' ? [`--pod-selector=app=${backendName(node)}`] : []
  await lab.kubectl(['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--force', ...ours])
  await lab.kubectl(['delete', 'pod', await speakerOn(lab, node), '-n', system])
  await lab.kubectl(['uncordon', node])
  await speakersReady(lab)
  await reachable(site)
}
