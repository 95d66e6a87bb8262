/**
 * What a Service's status should say: its addresses, and why it has them or not, together with the annotation that
 * names their pool: a PUT on `/status` of a built-in kind takes the metadata too, so one write does it all.
 */
import type { Mutation, RawObject } from '@landfall/kube'
import { allocatedFromPool } from '@landfall/metallb'
import { withCondition, withoutCondition } from '@landfall/metallb/state'
import type { Answer } from './allocation/answer.ts'
import type { BalancedService } from './allocation/request.ts'
import type { Said } from './announcement/index.ts'
import { addressAllocated, announced, type ConditionedService, routeAttributes } from './service-type.ts'

export interface WantedStatus {
  /** In this order; [] clears. */
  readonly ips: readonly string[]
  /** Names of their pools, joined by commas; '' removes the annotation. */
  readonly pool: string
  /** undefined removes the condition. */
  readonly answer: Answer | undefined
  /** Of the condition on its announcement; undefined removes that. */
  readonly announced?: Said | undefined
  /** Of the condition on annotations that do not hold; undefined removes that. */
  readonly attributes?: Said | undefined
}

/** Whether the Service as it was seen last needs a write for its addresses. */
export function differs({ ingress, meta, allocated }: BalancedService, wanted: WantedStatus): boolean {
  const { answer } = wanted
  return (
    differsInAddresses({ ingress }, wanted) ||
    ingress.some(({ ipMode = 'VIP' }) => ipMode !== 'VIP') ||
    (meta.annotations[allocatedFromPool] ?? '') !== wanted.pool ||
    allocated?.status !== answer?.status ||
    allocated?.reason !== answer?.reason ||
    allocated?.message !== answer?.message
  )
}

/** Whether clients are to get other addresses than its status names. */
export function differsInAddresses(
  { ingress }: Pick<BalancedService, 'ingress'>,
  { ips }: WantedStatus,
): boolean {
  return !sameIPs(
    ingress.map((entry) => entry.ip ?? ''),
    ips,
  )
}

/** The same for what the speakers say of it. */
export function differsInAnnounced(known: ConditionedService, wanted: WantedStatus): boolean {
  return differ(known.announced, wanted.announced)
}

/** The same for what its annotations ask in vain. */
export function differsInAttributes(known: ConditionedService, wanted: WantedStatus): boolean {
  return differ(known.attributes, wanted.attributes)
}

function differ(known: Said | undefined, wanted: Said | undefined): boolean {
  return (
    known?.status !== wanted?.status || known?.reason !== wanted?.reason || known?.message !== wanted?.message
  )
}

/**
 * @param decided the Service that it was decided on: another version of it, or another of its name, is left alone
 * @param isStill whether that is still what was decided
 */
export function setStatus(
  { meta }: BalancedService,
  wanted: WantedStatus,
  isStill: () => boolean = () => true,
): Mutation {
  return (raw) => {
    const { resourceVersion, uid } = raw.metadata
    const isMeant = resourceVersion === meta.resourceVersion && uid === meta.uid
    return isMeant && isStill() ? withStatus(raw, wanted) : undefined
  }
}

/** What else the status holds, ports of kept addresses too, stays. */
export function withStatus(
  raw: RawObject,
  wanted: WantedStatus,
  now: () => Date = () => new Date(),
): RawObject {
  const status = fields(raw['status'])
  const balancer = fields(status['loadBalancer'])
  const ingress = Array.isArray(balancer['ingress']) ? balancer['ingress'].map(fields) : []
  const { [allocatedFromPool]: _, ...annotations } = raw.metadata.annotations ?? {}
  const next = wanted.ips.map((ip) => asVIP(ingress.find((entry) => entry['ip'] === ip) ?? { ip }))
  const named = wanted.pool === '' ? annotations : { ...annotations, [allocatedFromPool]: wanted.pool }
  const conditions = conditionsOf(status['conditions'], wanted, now)
  return {
    ...raw,
    metadata: { ...raw.metadata, annotations: named },
    status: {
      ...status,
      ...(conditions.length > 0 || status['conditions'] !== undefined ? { conditions } : {}),
      loadBalancer: next.length === 0 ? {} : { ...balancer, ingress: next },
    },
  }
}

/** The server fills the mode in where it knows one; another mode is not ours. */
function asVIP(entry: Readonly<Record<string, unknown>>): object {
  return entry['ipMode'] === undefined ? entry : { ...entry, ipMode: 'VIP' }
}

function conditionsOf(
  list: unknown,
  { answer, announced: said, attributes }: WantedStatus,
  now: () => Date,
): readonly object[] {
  const { status, reason, message, since } = answer ?? {}
  const first =
    status === undefined || reason === undefined || message === undefined
      ? withoutCondition(list, addressAllocated)
      : withCondition(list, { type: addressAllocated, status, reason, message }, now, since)
  return withSaid(withSaid(first, announced, said, now), routeAttributes, attributes, now)
}

function withSaid(
  list: readonly object[],
  type: string,
  said: Said | undefined,
  now: () => Date,
): readonly object[] {
  return said === undefined ? withoutCondition(list, type) : withCondition(list, { type, ...said }, now)
}

export function sameIPs(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((ip, index) => ip === b[index])
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
