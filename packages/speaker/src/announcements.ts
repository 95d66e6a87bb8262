/** What is announced of each Service as of now (pure): the plan, and who owns the layer 2 addresses. */
import type { Key, Service } from '@landfall/kube/model'
import { formatIP } from '@landfall/netip'
import type { Layer2State } from './layer2/messages.ts'
import type { Plan } from './plan/planner.ts'
import type { ReasonCode, Silence } from './plan/reasons.ts'
import type { ServicePlan } from './plan/service-plan.ts'

export type ProtocolName = 'layer2' | 'bgp'

export interface Announcement {
  readonly key: Key
  readonly service: Service
  readonly protocol: ProtocolName
  readonly outcome:
    | Announced
    | { readonly kind: 'silent'; readonly reason: ReasonCode; readonly message: string }
}

export interface Announced {
  readonly kind: 'announced'
  readonly ips: readonly string[]
  /** Layer 2: interfaces that were asked for by name; [] means all. */
  readonly interfaces: readonly string[]
  /** Layer 2: interfaces that answer. */
  readonly answering: readonly string[]
}

export function announcementsOf(plan: Plan, state: Layer2State): readonly Announcement[] {
  const answering = new Map(state.announced.map(({ ip, interfaces }) => [ip, interfaces]))
  return [...plan.services].flatMap(([key, part]) => [
    {
      key,
      service: part.service,
      protocol: 'layer2' as const,
      outcome: layer2Outcome(part, state, answering),
    },
    { key, service: part.service, protocol: 'bgp' as const, outcome: bgpOutcome(part) },
  ])
}

function layer2Outcome(
  { layer2 }: ServicePlan,
  state: Layer2State,
  answering: ReadonlyMap<string, readonly string[]>,
): Announced | Silence {
  if (layer2.kind === 'silent') return layer2
  const owned = layer2.addresses.filter(({ ip }) => answering.has(formatIP(ip)))
  if (owned.length > 0) {
    const ips = owned.map(({ ip }) => formatIP(ip))
    return {
      kind: 'announced',
      ips,
      interfaces: owned[0]?.interfaces ?? [],
      answering: [...new Set(ips.flatMap((ip) => answering.get(ip) ?? []))].toSorted(),
    }
  }
  if (layer2.notHere !== undefined) return layer2.notHere
  const [first] = layer2.addresses
  const owner = first === undefined ? '' : (state.owners[formatIP(first.ip)] ?? '')
  const message = owner === '' ? 'no candidate has a living speaker yet' : `node ${owner} announces it`
  return { kind: 'silent', reason: 'notOwner', message }
}

function bgpOutcome({ bgp }: ServicePlan): Announced | Silence {
  if (bgp.kind === 'silent') return bgp
  return { kind: 'announced', ips: bgp.ips.map(formatIP), interfaces: [], answering: [] }
}
