/**
 * What the status of an object of the configuration should say: a function of the configuration, of who holds what,
 * and of the status before, from which what others wrote is kept.
 */
import type { Config, Pool, Refusal, Warning } from '@landfall/metallb'
import { textOf, withCondition, withoutCondition, withUnresolved } from '@landfall/metallb/state'
import type { LedgerView } from './allocation/ledger.ts'
import { fullnessOf, type PoolUsage } from './allocation/usage.ts'
import { exactCount } from './exact-count.ts'
import { poolUsage } from './pool-usage.ts'

export type Status = Readonly<Record<string, unknown>>

const nearlyFull = 'NearlyFull'
/** As Gateway API calls it: what the object names exists. */
const resolvedRefs = 'ResolvedRefs'
const now = () => new Date()
const counters = ['assignedIPv4', 'assignedIPv6', 'availableIPv4', 'availableIPv6']

export interface Judged {
  readonly refusals: readonly Refusal[]
  readonly warnings: readonly Warning[]
  readonly generation: number
  /** What rules instead of all these objects, as `ConfigMap metallb-system/config`. */
  readonly instead: string | undefined
}

/** The condition `Valid`; and `ResolvedRefs`, as long as something that it names does not exist. */
export function judgedStatus(old: Status, judged: Judged) {
  const condition = { type: 'Valid', ...verdictOf(judged), observedGeneration: judged.generation } as const
  const list = withCondition(old['conditions'], condition, now)
  const unresolved = { observedGeneration: judged.generation }
  return { ...old, conditions: withUnresolved(list, judged.warnings, resolvedRefs, now, unresolved) }
}

function verdictOf({ refusals, instead }: Judged) {
  const [first] = refusals
  if (first === undefined && instead !== undefined) {
    const message = `not in force: ${instead} rules, since there is no usable IPAddressPool`
    return { status: 'Unknown', reason: 'ConfigMapRules', message } as const
  }
  if (first === undefined) return { status: 'True', reason: 'Valid', message: '' } as const
  return { status: 'False', reason: first.reason, message: textOf(refusals) } as const
}

/** A pool has counters, and a usable one says how full it is. */
export function poolStatus(
  old: Status,
  judged: Judged,
  pool: Pool | undefined,
  config: Config,
  ledger: LedgerView,
): Status {
  const status = judgedStatus(old, judged)
  if (pool === undefined || pool.refused) {
    const counted = pool === undefined ? {} : countersOf(poolUsage(pool, config, ledger))
    const rest = Object.entries(status).filter(([key]) => !counters.includes(key))
    return {
      ...Object.fromEntries(rest),
      ...counted,
      conditions: withoutCondition(status.conditions, nearlyFull),
    }
  }
  const usage = poolUsage(pool, config, ledger)
  const fullness = { type: nearlyFull, ...fullnessOf(usage), observedGeneration: judged.generation }
  return { ...status, ...countersOf(usage), conditions: withCondition(status.conditions, fullness, now) }
}

function countersOf({ v4, v6 }: PoolUsage): object {
  const free = (total: bigint, assigned: bigint) => exactCount(assigned > total ? 0n : total - assigned)
  return {
    assignedIPv4: exactCount(v4.assigned),
    assignedIPv6: exactCount(v6.assigned),
    availableIPv4: free(v4.total, v4.assigned),
    availableIPv6: free(v6.total, v6.assigned),
  }
}
