/** How full a pool is, as its status and the metrics say it: the same for both. */
import { type Config, type Pool, usableWithin } from '@landfall/metallb'
import type { Family } from '@landfall/netip'
import type { LedgerView } from './allocation/ledger.ts'
import { countedUsage, type PoolUsage, type Usage } from './allocation/usage.ts'

export function poolUsage(pool: Pool, config: Config, ledger: LedgerView): PoolUsage {
  return pool.refused ? usageOfRefused(pool, config, ledger) : countedUsage(pool, ledger)
}

/** Nothing new comes from it; what is held of it, and lies in no usable pool, counts as its own. */
function usageOfRefused(pool: Pool, config: Config, ledger: LedgerView): PoolUsage {
  const count = (family: Family): Usage => {
    let held = 0n
    for (const range of pool.ranges.filter(({ first }) => first.family === family)) {
      held += ledger.heldIn(range)
      for (const usable of usableWithin(config, range)) held -= ledger.heldIn(usable)
    }
    return { total: held, assigned: held }
  }
  return { v4: count(4), v6: count(6) }
}
