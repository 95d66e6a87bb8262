/**
 * One Service and the world → its addresses, or why it has none. What it holds it keeps as long as that is legal;
 * only then does anything new come into question. Pure: the ledger is read, not written.
 */
import { poolOf } from '@landfall/metallb'
import { formatIP, type IP } from '@landfall/netip'
import { choose, lowestIn, objection, type World } from './choose.ts'
import type { Decision, Event, Refusal } from './outcome.ts'
import type { Request } from './request.ts'

/** `held`: what the Service holds. */
export function decide(request: Request, held: readonly IP[], world: World): Decision {
  const blocked = reasonForNothing(request, world)
  if (blocked !== undefined) return { kind: 'refused', ...blocked }
  if (held.length === 0) return allocate(request, world, [])
  const loss = reasonToLeave(request, held, world)
  return loss === undefined ? keep(request, held, world) : allocate(request, world, [cleared(loss)])
}

/** Why the Service cannot go on holding what it has; undefined when it can. */
export function reviewHolding(request: Request, held: readonly IP[], world: World): Event | undefined {
  const blocked = reasonForNothing(request, world)
  const loss = blocked?.refusal.message ?? reasonToLeave(request, held, world)
  return loss === undefined ? undefined : cleared(loss)
}

/** A Service that cannot have an address at all. */
function reasonForNothing(
  request: Request,
  world: World,
): { readonly refusal: Refusal; readonly events: readonly Event[] } | undefined {
  const failed = (refusal: Refusal) => ({ refusal, events: [warning('AllocationFailed', refusal)] })
  if (world.config.pools.length === 0) return failed({ reason: 'NoPools', message: 'there are no pools' })
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

/** Why the addresses that it holds cannot stay; undefined when they can. */
function reasonToLeave(request: Request, held: readonly IP[], world: World): string | undefined {
  const families = held.map((ip) => ip.family)
  const text = held.map(formatIP).join(', ')
  if (held.length > 2 || new Set(families).size < held.length)
    return `${text}: one address a family is allowed`
  const mayLackOne = request.ipFamilyPolicy === 'PreferDualStack' && request.families.length === 2
  const complete = request.families.every((family) => families.includes(family))
  if (families.some((family) => !request.families.includes(family)) || (!complete && !mayLackOne)) {
    return `${text}: the families are not those of the cluster addresses`
  }
  for (const ip of held) {
    const pool = poolOf(world.config, ip)
    const refusal = objection(ip, request, world)
    // A refused pool's own rules do not count: what was assigned stays until the pool can be read again.
    if (refusal !== undefined && !(pool?.refused && refusal.reason !== 'AddressInUse')) return refusal.message
    if (request.pool !== '' && pool?.name !== request.pool) {
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
      const message = 'no address of the other family is free in the same pool'
      events.push({ type: 'Normal', reason: 'AdditionalAssignFailed', message })
    } else {
      ips = [...ips, other].toSorted((a, b) => a.family - b.family)
      events.push(allocated(ips))
    }
  }
  return assigned(request, ips, world, events)
}

/** The second address of a Service that prefers two, from the pool of the first. */
function otherFamily(request: Request, ips: readonly IP[], world: World): IP | undefined {
  const [first] = ips
  const pool = first && poolOf(world.config, first)
  const family = request.families.find((family) => family !== first?.family)
  if (pool === undefined || family === undefined || pool.refused) return undefined
  return lowestIn(pool, family, request, world)
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
  const pools = new Set(ips.map((ip) => poolOf(world.config, ip)?.name ?? ''))
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
