/**
 * Of a rolling update from MetalLB: what happened among MetalLB's speakers alone, and in what a speaker of Landfall took
 * part. MetalLB's do as they do without it: one that says goodbye to the others answers on until it ends. Pure.
 */
import type { Gap } from '../../load/gaps.ts'
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
  { ip, gaps, startedAt }: { readonly ip: string; readonly gaps: readonly Gap[]; readonly startedAt: number },
  claims: readonly Claim[],
  since: Since,
): { readonly oursMs: number; readonly theirsMs: number } {
  const taken = takenAt(ip, claims, since)
  let [oursMs, theirsMs] = [0, 0]
  for (const { fromMs, lengthMs } of gaps) {
    const end = startedAt + fromMs + lengthMs
    if (end < taken) theirsMs += lengthMs
    else oursMs += lengthMs
  }
  return { oursMs, theirsMs }
}

/** When one of Landfall's claimed the address first. */
export function takenAt(ip: string, claims: readonly Claim[], since: Since): number {
  const first = claims.find((claim) => claim.ip === ip && claim.at >= startOf(since, claim.mac))
  return first?.at ?? Number.POSITIVE_INFINITY
}

/** A MAC that is not known is one of ours: it is judged. */
function startOf(since: Since, mac: string): number {
  return since.get(mac) ?? 0
}
