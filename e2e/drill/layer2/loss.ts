/** The owner of an address is lost and comes back: what requests, answers and the segment show. */
import { type Claim, type Conflict, conflicts, firstBy } from '../../segment/claims.ts'
import { epochMs, type SegmentWatch } from '../../segment/watch.ts'
import { startTicker } from '../ticker.ts'
import { detectionMs, type Trial, takeoverLimits } from './part.ts'
import { addressesOf, owners, type Site } from './site.ts'
import { calm, loadOn, wait } from './traffic.ts'

/** Two owners this close together answered at the same time. */
export const conflictMs = 50
/** After a loss all is well again when nothing failed for so long. */
const calmMs = 1000
/** Requests to a Service that lost its only endpoint find no end. */
const hopelessMs = 5000

export interface Loss {
  readonly what: string
  /** A link that was cut made two sides of one LAN; they have a detection time to be one again. */
  readonly parts: boolean
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
  return await site.lab.waitFor('an owner to lose', async () =>
    ownerToLose(site, await owners(site, watch, addressesOf(site.services)), wanted),
  )
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
  let [struck, healed] = [0, 0]
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
  const seen = observed(
    watch.claims.filter(({ at }) => at >= struck),
    { ips, mac, victim, struck, healed, settled: healed + (loss.parts ? detectionMs(heartbeat) : 0) },
  )
  const late = gaps.filter(({ at }) => at >= healed)
  return {
    what: loss.what,
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

interface Facts {
  readonly ips: readonly string[]
  readonly mac: string
  readonly victim: string
  readonly struck: number
  readonly healed: number
  /** From then on one owner has the word. */
  readonly settled: number
}

function observed(claims: readonly Claim[], f: Facts) {
  const found = f.ips.map((ip) => firstBy(claims, { ip, since: f.struck, notMac: f.mac }))
  const times = found.flatMap((claim) =>
    claim === undefined || claim.at > f.healed ? [] : claim.at - f.struck,
  )
  const answersMs = times.length < f.ips.length ? undefined : Math.max(...times)
  const taken = new Set(claims.filter(({ mac, at }) => mac !== f.mac && at < f.healed).map(({ ip }) => ip))
  const revenant = claims.filter(({ mac, at, ip }) => mac === f.mac && at >= f.healed && taken.has(ip))
  const settled = claims.filter(({ at }) => at >= f.settled)
  const answering = f.ips.map((ip) => macsFor(settled, ip).size)
  const healing = conflicts(claims, conflictMs).filter(({ at }) => at >= f.healed && at < f.settled)
  const conflicting = conflicts(claims, conflictMs).filter(({ at }) => at < f.healed || at >= f.settled)
  return {
    answersMs,
    figures: {
      'claims by the returned': revenant.length,
      'max until ms': Math.max(0, ...healing.map(({ at }) => at - f.healed)),
      'not one owner after return': answering.filter((count) => count !== 1).length,
      'conflicts while one again': healing.length,
      conflicts: conflicting.length,
    },
    complaints: [
      ...(answersMs === undefined ? [`nobody else answered for ${f.ips.join(' and ')}`] : []),
      ...answering.flatMap((count, i) =>
        count === 1 ? [] : [`${count} nodes answer for ${f.ips[i]} after ${f.victim} returned`],
      ),
      ...conflictTexts(conflicting),
    ],
  }
}

function macsFor(claims: readonly Claim[], ip: string): ReadonlySet<string> {
  return new Set(claims.filter((claim) => claim.ip === ip).map(({ mac }) => mac))
}

export function macOf(site: Site, node: string): string {
  return [...site.macs].find(([, name]) => name === node)?.[0] ?? ''
}

const mostTold = 3

export function conflictTexts(all: readonly Conflict[]): readonly string[] {
  return all
    .slice(0, mostTold)
    .map(({ ip, macs, apartMs }) => `${ip}: ${macs[0]} and ${macs[1]} within ${apartMs.toFixed(1)} ms`)
}
