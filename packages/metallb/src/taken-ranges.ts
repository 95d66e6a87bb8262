/** The ranges of the pools in force, while one pool after the other is read: ascending, no two overlap. */
import { compareIP, lastUpTo, type Range } from '@landfall/netip'

export interface TakenRange extends Range {
  readonly pool: { readonly name: string }
  /** The place among all that were taken: the older pool first, and its ranges as they are written. */
  readonly place: number
}

/** Adds the ranges of a pool, which overlap nothing. */
export function take(taken: TakenRange[], pool: TakenRange['pool'], ranges: readonly Range[]): void {
  const start = taken.length
  for (const [index, range] of ranges.entries()) {
    taken.splice(lastUpTo(taken, range.first) + 1, 0, { ...range, pool, place: start + index })
  }
}

/** Of each pool that overlaps the range, the range of it that was written first; the oldest pool first. */
export function overlapping(taken: readonly TakenRange[], range: Range): readonly TakenRange[] {
  const found: TakenRange[] = []
  for (let at = Math.max(0, lastUpTo(taken, range.first)); at < taken.length; at++) {
    const one = taken[at]
    if (one === undefined || compareIP(one.first, range.last) > 0) break
    if (compareIP(one.last, range.first) >= 0) found.push(one)
  }
  if (found.length < 2) return found
  const pools = new Set<TakenRange['pool']>()
  return found.toSorted((a, b) => a.place - b.place).filter(({ pool }) => !pools.has(pool) && pools.add(pool))
}
