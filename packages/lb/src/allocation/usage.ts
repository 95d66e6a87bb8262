/** How full a pool is. Addresses that the pool leaves out do not count; a shared address counts once. */
import type { Pool } from '@landfall/metallb'
import type { Family, Range } from '@landfall/netip'
import { rangeSize } from '@landfall/netip'
import type { LedgerView } from './ledger.ts'

export interface Usage {
  readonly total: bigint
  readonly assigned: bigint
}

export function usageOf(pool: Pool, family: Family, ledger: LedgerView): Usage {
  const ranges = pool.ranges.filter((range) => range.first.family === family)
  const total = ranges.reduce((sum, range) => sum + sizeOf(pool, range), 0n)
  const assigned = ranges.reduce((sum, range) => sum + ledger.heldIn(range), 0n)
  return { total, assigned }
}

/** The largest number below 2^63 that JSON carries unchanged: whatever is more counts as this. */
export const mostCounted = 9223372036854774784

/** As a status and a metric say it. */
export function countOf(count: bigint): number {
  if (count < 0n) return 0
  return count >= BigInt(mostCounted) ? mostCounted : Number(count)
}

function sizeOf(pool: Pool, range: Range): bigint {
  const size = rangeSize(range)
  return pool.avoidBuggyIPs && range.first.family === 4 ? size - avoided(range) : size
}

/** How many of the range end in .0 or .255. */
function avoided({ first, last }: Range): bigint {
  const upTo = (value: bigint) => (value + 256n) / 256n + (value + 1n) / 256n
  return upTo(last.value) - (first.value === 0n ? 0n : upTo(first.value - 1n))
}
