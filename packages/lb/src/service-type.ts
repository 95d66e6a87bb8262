/**
 * Services as the controller reads them: with what its own condition says, and without what no decision reads. There
 * may be many, and most are alike.
 */
import { type RawObject, type ResourceType, serviceType } from '@landfall/kube'
import type { Service } from '@landfall/kube/model'
import { type Allocated, asksToShare, type BalancedService } from './allocation/request.ts'
import type { Said } from './announcement/index.ts'

/** With what our own conditions say. */
export interface ConditionedService extends BalancedService {
  /** Of `metallb.io/Announced`. */
  readonly announced: Said | undefined
  /** Of `metallb.io/RouteAttributes`. */
  readonly attributes: Said | undefined
}

/** Whether a Service has its addresses, and why not. */
export const addressAllocated = 'metallb.io/AddressAllocated'
/** Whether and from where they are announced, and why not. */
export const announced = 'metallb.io/Announced'
/** What of its annotations on BGP routes does not hold; it is there only then. */
export const routeAttributes = 'metallb.io/RouteAttributes'

/** Ports and pods decide on which terms an address is shared, and nothing else. */
const unshared = { ports: [], selector: {} }

export const balancedServiceType: ResourceType<ConditionedService> = {
  ...serviceType,
  project: (raw) => {
    const service = serviceType.project(raw)
    const ours = {
      allocated: conditionOf(raw, addressAllocated),
      announced: saidIn(raw, announced),
      attributes: saidIn(raw, routeAttributes),
    }
    return asksToShare(service) ? { ...service, ...ours } : { ...service, ...unshared, ...ours }
  },
}

/**
 * Whose the status of a Service is, for a controller of this class. `nobody`: it is not of type LoadBalancer; what is
 * ours in its status is taken back. A class changes only together with the type.
 */
export function ownerOf(
  { type, loadBalancerClass }: Pick<Service, 'type' | 'loadBalancerClass'>,
  ours: string,
): 'us' | 'another class' | 'nobody' {
  if (type !== 'LoadBalancer') return 'nobody'
  return loadBalancerClass === ours ? 'us' : 'another class'
}

/** Of most Services the same is said: one copy of each. */
const said = new Map<string, Said>()
const mostSaid = 1000

function saidIn(raw: RawObject, type: string): Said | undefined {
  const { status, reason = '', message = '' } = conditionOf(raw, type) ?? {}
  if (status !== 'True' && status !== 'False' && status !== 'Unknown') return undefined
  const id = `${status} ${reason} ${message}`
  const known = said.get(id)
  if (known !== undefined) return known
  if (said.size >= mostSaid) said.clear()
  const read: Said = { status, reason, message }
  said.set(id, read)
  return read
}

function conditionOf(raw: RawObject, wanted: string): Allocated | undefined {
  const { conditions } = fields(raw['status'])
  const all: readonly unknown[] = Array.isArray(conditions) ? conditions : []
  const found = all.map(fields).find(({ type }) => type === wanted)
  if (found === undefined) return undefined
  const text = (key: string) => (typeof found[key] === 'string' ? found[key] : '')
  return {
    status: text('status'),
    reason: text('reason'),
    message: text('message'),
    since: text('lastTransitionTime'),
  }
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
