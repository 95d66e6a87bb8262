/**
 * Of a rolling update from MetalLB: what happened among MetalLB's speakers alone, and in what a speaker of Landfall took
 * part. MetalLB's do as they do without it: one that says goodbye to the others answers on until it ends. Pure.
 */
import type { LoadResult } from '../../load/load.ts'
import type { Claim, Conflict } from '../../segment/claims.ts'

/** By MAC address, since when the speaker there is Landfall's, in milliseconds since the epoch. */
export type Since = ReadonlyMap<string, number>

export function shareOfConflicts(all: readonly Conflict[], since: Since) {
  const isOurs = ({ macs: [before, after], at, apartMs }: Conflict): boolean =>
    at >= startOf(since, after) || at - apartMs >= startOf(since, before)
  const { ours = [], theirs = [] } = Object.groupBy(all, (one) => (isOurs(one) ? 'ours' : 'theirs'))
  return { ours, theirs }
}

/** How long service was away in all: what was over before Landfall answered for the address is MetalLB's own. */
export function shareOfGaps(
  { ip, result }: { readonly ip: string; readonly result: LoadResult },
  claims: readonly Claim[],
  since: Since,
): { readonly oursMs: number; readonly theirsMs: number } {
  const taken = claims.find((claim) => claim.ip === ip && claim.at >= startOf(since, claim.mac))
  let [oursMs, theirsMs] = [0, 0]
  for (const { fromMs, lengthMs } of result.gaps) {
    const end = result.startedAt + fromMs + lengthMs
    if (taken === undefined || end < taken.at) theirsMs += lengthMs
    else oursMs += lengthMs
  }
  return { oursMs, theirsMs }
}

/** A MAC that is not known is one of ours: it is judged. */
function startOf(since: Since, mac: string): number {
  return since.get(mac) ?? 0
}
