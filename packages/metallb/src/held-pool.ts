/**
 * The pool behind an address that a Service holds: the one that has the address, or else the one that it was allocated
 * from, which the controller noted on the Service, be that refused, smaller than it was, or gone. So an address in a
 * status stays announced for as long as it stands there. A function of the objects alone.
 */
import type { IP } from '@landfall/netip'
import { contradict } from './attach-bgp.ts'
import type { BGPAdvertisement, Config, ForPools, L2Advertisement, Pool } from './config.ts'
import { poolNamed, poolOf } from './pool-of.ts'

/** Where the controller notes the pools: names joined by commas, one for all addresses or one for each. */
export const allocatedFromPool = 'metallb.io/ip-allocated-from-pool'

/** Addresses, and the names of the pools that they were allocated from. */
export interface Allocation {
  readonly ips: readonly IP[]
  /** '': not known. */
  readonly allocatedFrom: string
}

/** undefined: the address is in no pool, and nobody noted where it came from. */
export function heldPool(config: Config, ip: IP, allocation: Allocation): Pool | undefined {
  const name = sourceOf(ip, allocation)
  return (
    poolOf(config, ip) ?? (name === '' ? undefined : (poolNamed(config, name) ?? goneOf(config, name, ip)))
  )
}

/** Whether the address is in no pool only because its own, or the configuration, is refused and cannot be read. */
export function isUnread(config: Config, ip: IP, allocation: Allocation): boolean {
  if (poolOf(config, ip) !== undefined) return false
  const name = sourceOf(ip, allocation)
  return config.incomplete === true || poolNamed(config, name)?.refused === true
}

function sourceOf(ip: IP, { ips, allocatedFrom }: Allocation): string {
  const names = allocatedFrom.split(',')
  const index = ips.findIndex(({ family, value }) => family === ip.family && value === ip.value)
  return (names.length === 1 ? names[0] : names[index]) ?? ''
}

/** What is left of a pool whose object is gone: its name, and the advertisements that must have been for it. */
function goneOf({ advertisements }: Config, name: string, ip: IP): Pool {
  const ranges = [{ first: ip, last: ip }]
  const { l2, bgp } = certain(advertisements ?? { l2: [], bgp: [] }, name)
  const kept: BGPAdvertisement[] = []
  for (const one of bgp) if (!kept.some((older) => contradict(older, one, { ranges }))) kept.push(one)
  return {
    name,
    ranges,
    autoAssign: false,
    avoidBuggyIPs: false,
    allocation: undefined,
    l2,
    bgp: kept,
    refused: true,
  }
}

/**
 * Those for all pools or for this name. The labels of the pool are gone with it: those that select by labels count only
 * where no other does, and all of them select the same, so that they were for it together or nothing was.
 */
function certain({ l2, bgp }: NonNullable<Config['advertisements']>, name: string) {
  const isSure = ({ pools, poolSelectors }: ForPools<unknown>) =>
    pools.includes(name) || (pools.length === 0 && poolSelectors.length === 0)
  const isLabelled = ({ poolSelectors }: ForPools<unknown>) => poolSelectors.length > 0
  const labelled = [...l2, ...bgp].filter(isLabelled)
  const alike = new Set(labelled.map(({ poolSelectors }) => JSON.stringify(poolSelectors))).size === 1
  const counts = ![...l2, ...bgp].some(isSure) && alike ? isLabelled : isSure
  const of = <A extends L2Advertisement | BGPAdvertisement>(all: readonly ForPools<A>[]) =>
    all.filter(counts).map(({ advertisement }) => advertisement)
  return { l2: of(l2), bgp: of(bgp) }
}
