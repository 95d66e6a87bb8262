/** Choosing addresses for a Service that has none: those asked for, or the lowest free ones. */
import { type Config, mayUse, type Pool, poolNamed, poolOf } from '@landfall/metallb'
import { type Family, formatIP, type IP } from '@landfall/netip'
import { autoAssignGroups, type Group, isOpenTo, onlyPool, sizeOf } from './eligible-pools.ts'
import type { Stretch } from './layout.ts'
import type { LedgerView } from './ledger.ts'
import type { Refusal, RefusalReason } from './outcome.ts'
import type { Request } from './request.ts'

export interface World {
  readonly config: Config
  readonly ledger: LedgerView
}

export type Choice =
  | { readonly kind: 'chosen'; readonly ips: readonly IP[] }
  | { readonly kind: 'none'; readonly refusal: Refusal }

/** So many pools or Services are named; more are counted. */
const mostNamed = 8

export function choose(request: Request, world: World): Choice {
  const { wanted } = request
  if (wanted.kind === 'invalid') return none('InvalidRequest', wanted.message)
  if (wanted.kind === 'addresses') return chooseWanted(request, wanted.ips, world)
  if (request.pool !== '') return chooseFromNamed(request, world)
  const groups = autoAssignGroups(world.config, request)
  // Who needs both families looks for one pool that has them among all, the less preferred ones too.
  const ofOne = request.ipFamilyPolicy === 'RequireDualStack' ? firstOfOne(groups, request, world) : undefined
  if (ofOne !== undefined) return { kind: 'chosen', ips: ofOne }
  for (const [index, group] of groups.entries()) {
    const ips = chooseFrom(group, groups.slice(index), request, world)
    if (ips !== undefined) return { kind: 'chosen', ips }
  }
  return none('NoFreeAddress', describeExhaustion(request, world))
}

/** Why the Service may not hold the address; undefined when it may. */
export function objection(ip: IP, request: Request, world: World): Refusal | undefined {
  return closed(ip, request, world) ?? inUse(ip, request, world)
}

/** That the Service may not hold the address, whoever else holds it or does not. */
function closed(ip: IP, request: Request, { config }: World): Refusal | undefined {
  const pool = poolOf(config, ip)
  const text = formatIP(ip)
  if (pool === undefined) return { reason: 'AddressNotInPool', message: `${text} is in no pool` }
  if (!isOpenTo(pool, request)) {
    return {
      reason: 'PoolNotAllowed',
      message: `${text} is in pool ${pool.name}, which is not for this Service`,
    }
  }
  if (mayUse(pool, ip)) return undefined
  return { reason: 'AddressAvoided', message: `pool ${pool.name} leaves out ${text} (avoidBuggyIPs)` }
}

/** That others hold the address on terms that keep the Service out. It names them: for who loses what it held. */
export function inUse(ip: IP, request: Request, world: World): Refusal | undefined {
  const obstacles = world.ledger.obstacles(ip, request.key, request.sharing)
  if (obstacles.length === 0) return undefined
  return { reason: 'AddressInUse', message: `${formatIP(ip)} is in use by ${listed(obstacles.toSorted())}` }
}

function chooseWanted(request: Request, ips: readonly IP[], world: World): Choice {
  const families = [...new Set(ips.map((ip) => ip.family))].toSorted((a, b) => a - b)
  if (families.join() !== request.families.join()) {
    const message = `asked for ${ips.map(formatIP).join(', ')}, but the Service is ${describe(request.families)}`
    return none('FamilyMismatch', message)
  }
  for (const ip of ips) {
    const refusal = closed(ip, request, world)
    if (refusal !== undefined) return { kind: 'none', refusal }
    const pool = poolOf(world.config, ip)
    if (pool === undefined) continue
    if (pool.refused) return none('PoolRefused', `${formatIP(ip)} is in pool ${pool.name}, which is refused`)
    if (request.pool !== '' && pool.name !== request.pool) {
      return none('AddressNotInPool', `${formatIP(ip)} is not in the requested pool ${request.pool}`)
    }
  }
  const obstacles = ips.flatMap((ip) => world.ledger.obstacles(ip, request.key, request.sharing))
  if (obstacles.length === 0) return { kind: 'chosen', ips }
  const text = ips.map(formatIP).join(' and ')
  const message = ips.length === 1 ? `${text} is in use by others` : `${text} are not both free`
  const detail = listed([...new Set(obstacles)].toSorted())
  return { kind: 'none', refusal: { reason: 'AddressInUse', message, detail } }
}

function chooseFromNamed(request: Request, world: World): Choice {
  const pool = poolNamed(world.config, request.pool)
  if (pool === undefined) return none('PoolNotFound', `there is no pool ${request.pool}`)
  if (pool.refused) return none('PoolRefused', `pool ${pool.name} is refused`)
  if (!isOpenTo(pool, request)) return none('PoolNotAllowed', `pool ${pool.name} is not for this Service`)
  const group = onlyPool(world.config, pool)
  const ips = chooseFrom(group, [group], request, world)
  return ips === undefined
    ? none(
        'NoFreeAddress',
        `no free ${describe(request.families)} address in pool ${counted(pool, request, world)}`,
      )
    : { kind: 'chosen', ips }
}

/** The lowest address of the first pool that has one for the Service. */
export function lowestOf(
  groups: readonly Group[],
  family: Family,
  request: Request,
  world: World,
): IP | undefined {
  for (const stretch of groups.flatMap(({ stretches }) => stretches)) {
    const ip = world.ledger.lowest(stretch, family, request.sharing)
    if (ip !== undefined) return ip
  }
  return undefined
}

/**
 * IPv4 before IPv6, whatever the Service's first family is. Who is of both families gets them from two pools where no
 * single one has both, the second from `others` if need be; and who only prefers both gets one where there is no more.
 */
function chooseFrom(
  group: Group,
  others: readonly Group[],
  request: Request,
  world: World,
): readonly IP[] | undefined {
  const ofOne = firstOfOne([group], request, world)
  if (ofOne !== undefined || request.families.length < 2) return ofOne
  const other = request.primaryFamily === 4 ? 6 : 4
  for (const family of [request.primaryFamily, other] as const) {
    const first = lowestOf([group], family, request, world)
    if (first === undefined) continue
    const second = lowestOf(others, family === 4 ? 6 : 4, request, world)
    if (second === undefined && request.ipFamilyPolicy !== 'PreferDualStack') return undefined
    return [first, ...(second === undefined ? [] : [second])].toSorted((a, b) => a.family - b.family)
  }
  return undefined
}

function firstOfOne(groups: readonly Group[], request: Request, world: World): readonly IP[] | undefined {
  for (const stretch of groups.flatMap(({ stretches }) => stretches)) {
    const ips = chooseFromOne(stretch, request, world)
    if (ips !== undefined) return ips
  }
  return undefined
}

/** All that is asked for from one pool, the first that has it; pools that lack a family are passed over at once. */
function chooseFromOne(stretch: Stretch, request: Request, world: World): readonly IP[] | undefined {
  const { layout, last } = stretch
  let first = stretch.first
  for (;;) {
    const from = { layout, first, last }
    const ips = request.families.flatMap((family) => world.ledger.lowest(from, family, request.sharing) ?? [])
    if (ips.length < request.families.length) return undefined
    const places = ips.map((ip) => layout.placeOfIP(ip) ?? first)
    const furthest = Math.max(...places)
    if (places.every((place) => place === furthest)) return ips
    first = furthest
  }
}

function describeExhaustion(request: Request, world: World): string {
  const pools = autoAssignGroups(world.config, request).flatMap((group) => group.pools)
  if (pools.length === 0) return 'no pool is open to this Service without being asked for'
  const kind = pools.length === 1 ? 'pool' : 'pools'
  const all = listed(pools, (pool) => counted(pool, request, world))
  return `no free ${describe(request.families)} address in ${kind} ${all}`
}

/** `single (1 of 1 in use)`. Of two families either may be what is lacking: how many there are of each. */
function counted(pool: Pool, { families }: Request, { config }: World): string {
  const [counts = '', ...more] = families.flatMap((family) => {
    const total = sizeOf(config, pool, family)
    if (total === 0n) return []
    return families.length === 1 ? [`${total} of ${total} in use`] : [`${total} ${describe([family])}`]
  })
  if (counts === '')
    return `${pool.name} (none of ${families.length === 1 ? 'this family' : 'either family'})`
  return `${pool.name} (${[counts, ...more].join(' and ')})`
}

function listed<T>(all: readonly T[], text: (one: T) => string = String): string {
  const named = all.slice(0, mostNamed).map(text)
  return [...named, ...(all.length > mostNamed ? [`and ${all.length - mostNamed} more`] : [])].join(', ')
}

function describe(families: readonly Family[]): string {
  return families.length === 2 ? 'dual-stack' : families[0] === 6 ? 'IPv6' : 'IPv4'
}

function none(reason: RefusalReason, message: string): Choice {
  return { kind: 'none', refusal: { reason, message } }
}
