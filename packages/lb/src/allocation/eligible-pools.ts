/** Which pools a Service may use, in the order in which they are tried. */
import { matchesAny, type Pool } from '@landfall/metallb'
import type { Request } from './request.ts'

/** Whether the pool is open to the Service: its namespace and its labels. */
export function isOpenTo(pool: Pool, request: Request): boolean {
  const { allocation } = pool
  if (allocation === undefined) return true
  return (
    (allocation.namespaces === undefined || allocation.namespaces.has(request.namespace)) &&
    matchesAny(allocation.serviceSelectors, request.labels)
  )
}

/**
 * The groups of pools that a Service without wishes is served from, the first that can: pools pinned to it, by
 * priority and name; then the pools for everybody, by name.
 */
export function autoAssignGroups(pools: readonly Pool[], request: Request): readonly (readonly Pool[])[] {
  const usable = pools.filter((pool) => pool.autoAssign && !pool.refused)
  const pinned = usable.filter((pool) => pool.allocation !== undefined && isOpenTo(pool, request))
  const shared = usable.filter((pool) => pool.allocation === undefined)
  return [pinned.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1)), shared]
}

function rank(pool: Pool): number {
  return pool.allocation?.priority || Number.MAX_SAFE_INTEGER
}
