/** Which pools a Service may use, in the order in which they are tried. What is the same for all is found out once. */
import { type Config, matchesAny, type Pool } from '@landfall/metallb'
import type { Family } from '@landfall/netip'
import { Layout, type Stretch } from './layout.ts'
import type { Request } from './request.ts'

/** Pools that are tried before others are. */
export interface Group {
  readonly pools: readonly Pool[]
  readonly stretches: readonly Stretch[]
}

interface Eligible {
  readonly layout: Layout
  /** The pools for everybody. */
  readonly shared: Group
  /** Pools pinned to no namespace, or to this one. */
  pinnedTo(namespace: string): readonly Pool[]
}

/** Made when it is first asked for. */
const known = new WeakMap<Config['pools'], Eligible>()

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
export function autoAssignGroups(config: Config, request: Request): readonly Group[] {
  const { layout, shared } = eligibleIn(config)
  return [groupOf(layout, pinnedPools(config, request)), shared]
}

/** Of the pools that serve a Service without wishes, those pinned to it, by priority and name. */
export function pinnedPools(config: Config, request: Request): readonly Pool[] {
  const pinned = eligibleIn(config).pinnedTo(request.namespace)
  return pinned.filter((pool) => matchesAny(pool.allocation?.serviceSelectors ?? [], request.labels))
}

/** The pool alone; nothing comes from one that is refused. */
export function onlyPool(config: Config, pool: Pool): Group {
  return groupOf(eligibleIn(config).layout, [pool])
}

/** How many addresses of the family a usable pool gives out. */
export function sizeOf(config: Config, pool: Pool, family: Family): bigint {
  const spans = onlyPool(config, pool).stretches.map((pools) => pools.layout.spanOf(pools, family))
  return spans.reduce((sum, { first, end }) => sum + end - first, 0n)
}

function eligibleIn(config: Config): Eligible {
  const found = known.get(config.pools)
  if (found !== undefined) return found
  const usable = config.pools.filter(({ refused }) => !refused)
  const forAll = usable.filter(({ autoAssign, allocation }) => autoAssign && allocation === undefined)
  const pinned = usable
    .filter(({ autoAssign, allocation }) => autoAssign && allocation !== undefined)
    .toSorted(byRank)
  const layout = new Layout(config, [...forAll, ...pinned, ...usable.filter(({ autoAssign }) => !autoAssign)])
  const made = { layout, shared: groupOf(layout, forAll), pinnedTo: byNamespace(pinned) }
  known.set(config.pools, made)
  return made
}

function byNamespace(pinned: readonly Pool[]): (namespace: string) => readonly Pool[] {
  const own = new Map<string, Pool[]>()
  const everywhere: Pool[] = []
  for (const pool of pinned) {
    const { namespaces } = pool.allocation ?? {}
    if (namespaces === undefined) everywhere.push(pool)
    for (const namespace of namespaces ?? []) own.set(namespace, [...(own.get(namespace) ?? []), pool])
  }
  const all = new Map([...own].map(([name, pools]) => [name, [...pools, ...everywhere].toSorted(byRank)]))
  return (namespace) => all.get(namespace) ?? everywhere
}

/** Neighbours in the order of allocation are one stretch. */
function groupOf(layout: Layout, pools: readonly Pool[]): Group {
  const stretches: Stretch[] = []
  for (const pool of pools) {
    const place = layout.placeOf(pool)
    if (place === undefined) continue
    const before = stretches.at(-1)
    if (before?.last !== place - 1) stretches.push({ layout, first: place, last: place })
    else stretches.splice(-1, 1, { ...before, last: place })
  }
  return { pools, stretches }
}

function byRank(a: Pool, b: Pool): number {
  return rank(a) - rank(b) || (a.name < b.name ? -1 : 1)
}

function rank(pool: Pool): number {
  return pool.allocation?.priority || Number.MAX_SAFE_INTEGER
}
