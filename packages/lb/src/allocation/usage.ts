/** How full a pool is. Addresses that the pool leaves out do not count; a shared address counts once. */
import type { Pool } from '@landfall/metallb'
import type { Family } from '@landfall/netip'
import type { LedgerView } from './ledger.ts'
import { usableIn } from './usable.ts'

export interface Usage {
  readonly total: bigint
  readonly assigned: bigint
}

type Held = Pick<LedgerView, 'heldIn'>

export function usageOf(pool: Pool, family: Family, ledger: Held): Usage {
  const ranges = pool.ranges.filter((range) => range.first.family === family)
  const total = ranges.reduce((sum, range) => sum + usableIn(pool, range), 0n)
  const assigned = ranges.reduce((sum, range) => sum + ledger.heldIn(range), 0n)
  return { total, assigned }
}

/** What counts as endless, and the most that an int64 says. */
const endless = 1n << 62n
const mostCounted = (1n << 63n) - 1n

export interface PoolUsage {
  readonly v4: Usage
  readonly v6: Usage
}

/** As statuses and metrics say it: a total beyond 2^62 is the most that an int64 holds. */
export function countedUsage(pool: Pool, ledger: Held): PoolUsage {
  const counted = (family: Family): Usage => {
    const { total, assigned } = usageOf(pool, family, ledger)
    return { total: total >= endless ? mostCounted : total, assigned }
  }
  return { v4: counted(4), v6: counted(6) }
}

const thresholds = [95n, 85n, 75n]

/** Whether a pool is nearly used up: the fuller of its two families decides. */
export function fullnessOf({ v4, v6 }: PoolUsage): {
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
} {
  const families = [['IPv4', v4] as const, ['IPv6', v6] as const].filter(([, { total }]) => total > 0n)
  const percents = families.map(([, usage]) => percentOf(usage))
  const most = percents.reduce((a, b) => (a > b ? a : b), 0n)
  const message = families
    .map(
      ([name, { assigned, total }], index) =>
        `${name}: ${assigned} of ${total} in use (${percents[index]} %)`,
    )
    .join(', ')
  if (most >= 100n) return { status: 'True', reason: 'Full', message }
  const reached = thresholds.find((threshold) => most >= threshold)
  if (reached === undefined) return { status: 'False', reason: 'EnoughFree', message }
  return { status: 'True', reason: `Usage${reached}Percent`, message }
}

/** Rounded down: 100 only when nothing is left. Addresses in use that a pool leaves out do not make it negative. */
function percentOf({ assigned, total }: Usage): bigint {
  return assigned >= total ? 100n : (assigned * 100n) / total
}
