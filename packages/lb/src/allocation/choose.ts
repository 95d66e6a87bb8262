/** Choosing addresses for a Service that has none: those asked for, or the lowest free ones. */
import { type Config, mayUse, type Pool, poolOf } from '@landfall/metallb'
import { type Family, formatIP, type IP } from '@landfall/netip'
import { autoAssignGroups, isOpenTo } from './eligible-pools.ts'
import type { LedgerView } from './ledger.ts'
import type { Refusal, RefusalReason } from './outcome.ts'
import type { Request } from './request.ts'
import { usageOf } from './usage.ts'

export interface World {
  readonly config: Config
  readonly ledger: LedgerView
}

export type Choice =
  | { readonly kind: 'chosen'; readonly ips: readonly IP[] }
  | { readonly kind: 'none'; readonly refusal: Refusal }

export function choose(request: Request, world: World): Choice {
  const { wanted } = request
  if (wanted.kind === 'invalid') return none('InvalidRequest', wanted.message)
  if (wanted.kind === 'addresses') return chooseWanted(request, wanted.ips, world)
  if (request.pool !== '') return chooseFromNamed(request, world)
  const groups = autoAssignGroups(world.config.pools, request)
  for (const [index, group] of groups.entries()) {
    const ips = chooseFrom(group, groups.slice(index).flat(), request, world)
    if (ips !== undefined) return { kind: 'chosen', ips }
  }
  return none('NoFreeAddress', describeExhaustion(request, world))
}

/** The lowest address of the family that the pool can give to the Service. */
function lowestIn(pool: Pool, family: Family, request: Request, world: World): IP | undefined {
  for (const range of pool.ranges) {
    if (range.first.family !== family) continue
    const ip = world.ledger.lowest(range, request.sharing, (ip) => mayUse(pool, ip))
    if (ip !== undefined) return ip
  }
  return undefined
}

/** Why the Service may not hold the address, whoever else holds it; undefined when it may. */
export function objection(ip: IP, request: Request, world: World): Refusal | undefined {
  const pool = poolOf(world.config, ip)
  const text = formatIP(ip)
  if (pool === undefined) return { reason: 'AddressNotInPool', message: `${text} is in no pool` }
  if (!isOpenTo(pool, request)) {
    return {
      reason: 'PoolNotAllowed',
      message: `${text} is in pool ${pool.name}, which is not for this Service`,
    }
  }
  if (!mayUse(pool, ip)) {
    return { reason: 'AddressAvoided', message: `pool ${pool.name} leaves out ${text} (avoidBuggyIPs)` }
  }
  return inUse(ip, request, world)
}

/** That others hold the address on terms that keep the Service out. */
export function inUse(ip: IP, request: Request, world: World): Refusal | undefined {
  const obstacles = world.ledger.obstacles(ip, request.key, request.sharing)
  if (obstacles.length === 0) return undefined
  return {
    reason: 'AddressInUse',
    message: `${formatIP(ip)} is in use by ${obstacles.toSorted().join(', ')}`,
  }
}

function chooseWanted(request: Request, ips: readonly IP[], world: World): Choice {
  const families = [...new Set(ips.map((ip) => ip.family))].toSorted((a, b) => a - b)
  if (families.join() !== request.families.join()) {
    const message = `asked for ${ips.map(formatIP).join(', ')}, but the Service is ${describe(request.families)}`
    return none('FamilyMismatch', message)
  }
  const pools = new Set<string>()
  for (const ip of ips) {
    const refusal = objection(ip, request, world)
    if (refusal !== undefined) return { kind: 'none', refusal }
    const pool = poolOf(world.config, ip)
    if (pool === undefined) continue
    if (pool.refused) return none('PoolRefused', `${formatIP(ip)} is in pool ${pool.name}, which is refused`)
    if (request.pool !== '' && pool.name !== request.pool) {
      return none('AddressNotInPool', `${formatIP(ip)} is not in the requested pool ${request.pool}`)
    }
    pools.add(pool.name)
  }
  if (pools.size > 1) {
    return none('AddressNotInPool', `${ips.map(formatIP).join(' and ')} are not in one pool`)
  }
  return { kind: 'chosen', ips }
}

function chooseFromNamed(request: Request, world: World): Choice {
  const pool = world.config.pools.find(({ name }) => name === request.pool)
  if (pool === undefined) return none('PoolNotFound', `there is no pool ${request.pool}`)
  if (pool.refused) return none('PoolRefused', `pool ${pool.name} is refused`)
  if (!isOpenTo(pool, request)) return none('PoolNotAllowed', `pool ${pool.name} is not for this Service`)
  const ips = chooseFrom([pool], [pool], request, world)
  return ips === undefined
    ? none(
        'NoFreeAddress',
        `no free ${describe(request.families)} address in pool ${counted(pool, request, world)}`,
      )
    : { kind: 'chosen', ips }
}

/** The lowest address of the first pool that has one for the Service. */
export function lowestOf(
  pools: readonly Pool[],
  family: Family,
  request: Request,
  world: World,
): IP | undefined {
  for (const pool of pools) {
    const ip = lowestIn(pool, family, request, world)
    if (ip !== undefined) return ip
  }
  return undefined
}

/**
 * IPv4 before IPv6, whatever the Service's first family is. Who is of both families gets them from two pools where no
 * single one has both, the second from `others` if need be; and who only prefers both gets one where there is no more.
 */
function chooseFrom(
  pools: readonly Pool[],
  others: readonly Pool[],
  request: Request,
  world: World,
): readonly IP[] | undefined {
  for (const pool of pools) {
    const ips = request.families.flatMap((family) => lowestIn(pool, family, request, world) ?? [])
    if (ips.length === request.families.length) return ips
  }
  if (request.families.length < 2) return undefined
  const other = request.primaryFamily === 4 ? 6 : 4
  for (const family of [request.primaryFamily, other] as const) {
    const first = lowestOf(pools, family, request, world)
    if (first === undefined) continue
    const second = lowestOf(others, family === 4 ? 6 : 4, request, world)
    if (second === undefined && request.ipFamilyPolicy !== 'PreferDualStack') return undefined
    return [first, ...(second === undefined ? [] : [second])].toSorted((a, b) => a.family - b.family)
  }
  return undefined
}

function describeExhaustion(request: Request, world: World): string {
  const pools = autoAssignGroups(world.config.pools, request).flat()
  if (pools.length === 0) return 'no pool is open to this Service without being asked for'
  const names = pools.map((pool) => counted(pool, request, world)).join(', ')
  return `no free ${describe(request.families)} address in ${pools.length === 1 ? 'pool' : 'pools'} ${names}`
}

/** `single (1 of 1 in use)` */
function counted(pool: Pool, { families }: Request, { ledger }: World): string {
  const counts = families.flatMap((family) => {
    const { assigned, total } = usageOf(pool, family, ledger)
    return total === 0n ? [] : [`${assigned} of ${total}`]
  })
  if (counts.length === 0) return `${pool.name} (none of this family)`
  return `${pool.name} (${counts.join(' and ')} in use)`
}

function describe(families: readonly Family[]): string {
  return families.length === 2 ? 'dual-stack' : families[0] === 6 ? 'IPv6' : 'IPv4'
}

function none(reason: RefusalReason, message: string): Choice {
  return { kind: 'none', refusal: { reason, message } }
}
