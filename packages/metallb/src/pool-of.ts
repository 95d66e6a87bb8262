/** Which pool an address belongs to, and whether that gives it out. */
import { type IP, type Range, RangeIndex } from '@landfall/netip'
import type { Config, Pool } from './config.ts'

interface PoolIndex {
  readonly ranges: RangeIndex
  /** The pool of each range; those of refused pools come last. */
  readonly pools: readonly Pool[]
  readonly byName: ReadonlyMap<string, Pool>
}

/** Made when it is first asked for. */
const indexes = new WeakMap<Config['pools'], PoolIndex>()

/** The pool that holds the address; a refused one only when no other does. */
export function poolOf({ pools }: Config, ip: IP): Pool | undefined {
  const index = indexOf(pools)
  const found = index.ranges.find(ip)
  return found === undefined ? undefined : index.pools[found]
}

export function poolNamed({ pools }: Config, name: string): Pool | undefined {
  return indexOf(pools).byName.get(name)
}

/** What the usable pools have to give: by pool, and for each in the order of allocation. No two have one address. */
export function usableRanges({ pools }: Config): readonly { readonly pool: Pool; readonly range: Range }[] {
  const index = indexOf(pools)
  return index.ranges.parts
    .toSorted((a, b) => a.owner - b.owner)
    .flatMap((range) => {
      const pool = index.pools[range.owner]
      return pool === undefined || pool.refused ? [] : [{ pool, range }]
    })
}

/** The parts of the range that usable pools have. */
export function usableWithin({ pools }: Config, range: Range): readonly Range[] {
  const index = indexOf(pools)
  return [...index.ranges.overlapping(range)]
    .filter(({ owner }) => index.pools[owner]?.refused === false)
    .map(({ first, last }) => ({
      first: first.value > range.first.value ? first : range.first,
      last: last.value < range.last.value ? last : range.last,
    }))
}

/** IPv4 addresses that some devices drop, if the pool leaves them out. */
export function mayUse(pool: Pool, ip: IP): boolean {
  if (!pool.avoidBuggyIPs || ip.family === 6) return true
  const octet = ip.value & 255n
  return octet !== 0n && octet !== 255n
}

function indexOf(pools: Config['pools']): PoolIndex {
  const known = indexes.get(pools)
  if (known !== undefined) return known
  const inOrder = [...pools.filter(({ refused }) => !refused), ...pools.filter(({ refused }) => refused)]
  const index = {
    ranges: new RangeIndex(inOrder.flatMap(({ ranges }) => ranges)),
    pools: inOrder.flatMap((pool) => pool.ranges.map(() => pool)),
    byName: new Map(pools.toReversed().map((pool) => [pool.name, pool])),
  }
  indexes.set(pools, index)
  return index
}
