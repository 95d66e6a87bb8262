/**
 * Which BGP advertisements a pool gets. One that does not fit a pool is kept from that pool only: a new pool
 * must not take the routes of the others away.
 */
import type * as api from '@landfall/api'
import { bitsOf, formatRange, rangeToPrefixes } from '@landfall/netip'
import { appliesTo } from './advertisements.ts'
import type { BGPAdvertisement, ForPools } from './config.ts'
import type { BarePool } from './pools.ts'
import { type Problems, problemsOf, type Refusal } from './refusal.ts'

export interface Candidate {
  readonly object: api.BGPAdvertisement
  readonly applied: ForPools<BGPAdvertisement> | undefined
}

/** `candidates`: oldest first; of two that contradict each other the older one stays. */
export function attachBGP(
  pool: BarePool,
  candidates: readonly Candidate[],
): { advertisements: readonly BGPAdvertisement[]; refusals: readonly Refusal[] } {
  const advertisements: BGPAdvertisement[] = []
  const refusals: Refusal[] = []
  for (const { object, applied } of candidates) {
    if (applied === undefined || !appliesTo(applied, pool)) continue
    const problems = problemsOf('BGPAdvertisement', object)
    reportAggregation(problems, applied.advertisement, pool)
    const rival = advertisements.find((older) => contradict(older, applied.advertisement, pool))
    if (rival !== undefined) {
      const text = `for pool ${pool.name} the older advertisement ${rival.name} says ${rival.localPref}`
      problems.report('spec.localPref', 'ConflictingAdvertisement', text)
    }
    if (problems.found.length === 0) advertisements.push(applied.advertisement)
    refusals.push(...problems.found)
  }
  return { advertisements, refusals }
}

/** An aggregate must not reach beyond the addresses of the pool. */
function reportAggregation(problems: Problems, advertisement: BGPAdvertisement, pool: BarePool): void {
  for (const range of pool.ranges) {
    const isV6 = bitsOf(range.first.family) === 128
    const length = isV6 ? advertisement.aggregationLengthV6 : advertisement.aggregationLength
    const shortest = Math.min(...rangeToPrefixes(range).map((prefix) => prefix.length))
    if (length >= shortest) continue
    const text = `${length} is shorter than the prefixes of ${formatRange(range)} in pool ${pool.name}`
    problems.report(isV6 ? 'spec.aggregationLengthV6' : 'spec.aggregationLength', 'AggregationTooShort', text)
  }
}

/** Two preferences for the same route to the same peer; with selectors of Services that shows only per Service. */
export function contradict(
  a: BGPAdvertisement,
  b: BGPAdvertisement,
  pool: Pick<BarePool, 'ranges'>,
): boolean {
  const has = (family: 4 | 6) => pool.ranges.some((range) => range.first.family === family)
  return (
    a.localPref !== b.localPref &&
    a.serviceSelectors.length === 0 &&
    b.serviceSelectors.length === 0 &&
    ((has(4) && a.aggregationLength === b.aggregationLength) ||
      (has(6) && a.aggregationLengthV6 === b.aggregationLengthV6)) &&
    (a.peers.length === 0 || b.peers.length === 0 || a.peers.some((peer) => b.peers.includes(peer))) &&
    [...a.nodes].some((node) => b.nodes.has(node))
  )
}
