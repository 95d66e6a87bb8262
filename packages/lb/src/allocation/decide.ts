/**
 * One Service and the world → its addresses, or why it has none. What it holds it keeps as long as that is legal;
 * only then does anything new come into question. Pure: the ledger is read, not written.
 */
import { type Allocation, heldPool, isUnread, poolNamed, poolOf } from '@landfall/metallb'
import { formatIP, type IP } from '@landfall/netip'
import { choose, inUse, lowestOf, objection, type World } from './choose.ts'
import { autoAssignGroups, onlyPool } from './eligible-pools.ts'
import type { Decision, Event, Refusal } from './outcome.ts'
import type { Request } from './request.ts'

/** `held`: what the Service holds. */
export function decide(request: Request, held: readonly IP[], world: World): Decision {
  const blocked = reasonForNothing(request, held, world)
  if (blocked !== undefined) return { kind: 'refused', ...blocked }
  if (held.length === 0) return allocate(request, world, [])
  const loss = reasonToLeave(request, held, world)
  return loss === undefined ? keep(request, held, world) : allocate(request, world, [cleared(loss)])
}

export type Review =
  /** `ips`: all that it holds, or what is left of it. */
  | { readonly kind: 'kept'; readonly ips: readonly IP[] }
  /** It may stay for as long as the pool that it is from may come back. */
  | { readonly kind: 'orphaned'; readonly ips: readonly IP[]; readonly refusal: Refusal }
  | { readonly kind: 'lost'; readonly event: Event }

/** @param given whether a controller gave the Service what it holds; only then a pool can have been removed */
export function reviewHolding(request: Request, held: readonly IP[], world: World, given: boolean): Review {
  const ips = ofOneFamilyNow(request, held)
  if (given) {
    const refusal = poolRemoved(request, ips, world)
    if (refusal !== undefined) return { kind: 'orphaned', ips, refusal }
  }
  const blocked = reasonForNothing(request, ips, world)
  const loss = blocked?.refusal.message ?? reasonToLeave(request, ips, world)
  return loss === undefined ? { kind: 'kept', ips } : { kind: 'lost', event: cleared(loss) }
}

/** A Service that was of two families and is of one keeps the address of that one. */
function ofOneFamilyNow({ families }: Request, held: readonly IP[]): readonly IP[] {
  const [family] = families
  if (families.length !== 1 || held.length !== 2) return held
  const left = held.filter((ip) => ip.family === family)
  return left.length === 1 ? left : held
}

/** That an address is in no pool any more, and nothing else is wrong with what the Service holds. */
function poolRemoved(request: Request, held: readonly IP[], world: World): Refusal | undefined {
  const gone = held.filter(
    (ip) => poolOf(world.config, ip) === undefined && !isUnread(world.config, ip, noted(request, held)),
  )
  if (gone.length === 0 || reasonOfForm(request, held) !== undefined) return undefined
  // Another pool is asked for than it was given from.
  const { pool, allocatedFrom } = request
  if (pool !== allocatedFrom && poolNamed(world.config, pool) !== undefined) return undefined
  if (differsFromWanted(request, held) !== undefined) return undefined
  for (const ip of held) {
    const refusal = objection(ip, request, world)
    if (refusal !== undefined && refusal.reason !== 'AddressNotInPool') return undefined
    if (world.ledger.obstacles(ip, request.key, request.sharing).length > 0) return undefined
  }
  return { reason: 'PoolRemoved', message: `the pool of ${gone.map(formatIP).join(', ')} is gone` }
}

function noted({ allocatedFrom }: Request, held: readonly IP[]): Allocation {
  return { ips: held, allocatedFrom }
}

/** A Service that cannot have an address at all. */
function reasonForNothing(
  request: Request,
  held: readonly IP[],
  world: World,
): { readonly refusal: Refusal; readonly events: readonly Event[] } | undefined {
  const failed = (refusal: Refusal) => ({ refusal, events: [warning('AllocationFailed', refusal)] })
  const { pools, incomplete = false } = world.config
  if (pools.length === 0 && !(incomplete && held.length > 0)) {
    return failed({ reason: 'NoPools', message: 'there are no pools' })
  }
  if (request.families.length === 0) {
    return failed({ reason: 'NoClusterIPs', message: 'the Service has no cluster addresses' })
  }
  if (request.ipFamilyPolicy === 'RequireDualStack' && request.families.length < 2) {
    const message = 'RequireDualStack needs cluster addresses of both families'
    const refusal: Refusal = { reason: 'NotEnoughClusterIPs', message }
    return { refusal, events: [warning('not enough clusterips', refusal)] }
  }
  return undefined
}

/** Why what it holds is not what a Service of this form may hold, whatever pools there are. */
function reasonOfForm(request: Request, held: readonly IP[]): string | undefined {
  const families = held.map((ip) => ip.family)
  const text = () => held.map(formatIP).join(', ')
  if (held.length > 2 || new Set(families).size < held.length)
    return `${text()}: one address a family is allowed`
  const mayLackOne = request.ipFamilyPolicy === 'PreferDualStack' && request.families.length === 2
  const complete = request.families.every((family) => families.includes(family))
  if (families.some((family) => !request.families.includes(family)) || (!complete && !mayLackOne)) {
    return `${text()}: the families are not those of the cluster addresses`
  }
  return undefined
}

/** Why the addresses that it holds cannot stay; undefined when they can. */
function reasonToLeave(request: Request, held: readonly IP[], world: World): string | undefined {
  const form = reasonOfForm(request, held)
  if (form !== undefined) return form
  for (const ip of held) {
    const isUnreadable = isUnread(world.config, ip, noted(request, held))
    const pool = isUnreadable ? heldPool(world.config, ip, noted(request, held)) : poolOf(world.config, ip)
    // A refused pool's own rules do not count: what was assigned stays until the pool can be read again.
    const isHeld = isUnreadable || pool?.refused === true
    const refusal = isHeld ? inUse(ip, request, world) : objection(ip, request, world)
    if (refusal !== undefined) return refusal.message
    const name = pool?.name ?? (isUnreadable ? request.pool : '')
    if (request.pool !== '' && name !== request.pool) {
      return `${formatIP(ip)} is not in the requested pool ${request.pool}`
    }
  }
  return differsFromWanted(request, held)
}

function differsFromWanted({ wanted }: Request, held: readonly IP[]): string | undefined {
  if (wanted.kind !== 'addresses') return undefined
  const sorted = (ips: readonly IP[]) => ips.map(formatIP).toSorted().join(', ')
  const asked = sorted(wanted.ips)
  return asked === sorted(held) ? undefined : `${sorted(held)} is not what is asked for, ${asked}`
}

function keep(request: Request, held: readonly IP[], world: World): Decision {
  const events: Event[] = []
  let ips = request.wanted.kind === 'addresses' ? request.wanted.ips : held
  if (request.wanted.kind === 'invalid') {
    events.push({ type: 'Warning', reason: 'LoadBalancerFailed', message: request.wanted.message })
  }
  if (lacksFamily(request, ips)) {
    const other = otherFamily(request, ips, world)
    if (other === undefined) {
      const message = 'no address of the other family is free'
      events.push({ type: 'Normal', reason: 'AdditionalAssignFailed', message })
    } else {
      ips = [...ips, other].toSorted((a, b) => a.family - b.family)
      events.push(allocated(ips))
    }
  }
  return assigned(request, ips, world, events)
}

/** The second address of a Service that prefers two: from the pool of the first, else from any that it may use. */
function otherFamily(request: Request, ips: readonly IP[], world: World): IP | undefined {
  const [first] = ips
  const pool = first && poolOf(world.config, first)
  const family = request.families.find((family) => family !== first?.family)
  if (pool === undefined || family === undefined) return undefined
  const others = request.pool === '' ? autoAssignGroups(world.config, request) : []
  return lowestOf([onlyPool(world.config, pool), ...others], family, request, world)
}

function allocate(request: Request, world: World, before: readonly Event[]): Decision {
  const choice = choose(request, world)
  if (choice.kind === 'none') {
    const events = [...before, warning('AllocationFailed', choice.refusal)]
    return { kind: 'refused', refusal: choice.refusal, events }
  }
  return assigned(request, choice.ips, world, [...before, allocated(choice.ips)])
}

function assigned(request: Request, ips: readonly IP[], world: World, events: readonly Event[]): Decision {
  const pools = new Set(ips.map((ip) => heldPool(world.config, ip, noted(request, ips))?.name ?? ''))
  return {
    kind: 'assigned',
    ips,
    pools: [...pools],
    incomplete: lacksFamily(request, ips),
    events,
  }
}

/** Who asks for certain addresses gets these and no others. */
function lacksFamily(request: Request, ips: readonly IP[]): boolean {
  return request.wanted.kind === 'any' && ips.length < request.families.length
}

function cleared(message: string): Event {
  return { type: 'Normal', reason: 'ClearAssignment', message }
}

function allocated(ips: readonly IP[]): Event {
  return {
    type: 'Normal',
    reason: 'IPAllocated',
    message: `Assigned IP ${JSON.stringify(ips.map(formatIP))}`,
  }
}

function warning(reason: string, refusal: Refusal): Event {
  return { type: 'Warning', reason, message: `${refusal.reason}: ${refusal.message}` }
}
