/**
 * Services as the controller reads them: with what its own condition says, and without what no decision reads. There
 * may be many, and most are alike.
 */
import { type RawObject, type ResourceType, serviceType } from '@landfall/kube'
import { type Allocated, asksToShare, type BalancedService } from './allocation/request.ts'

/** Whether a Service has its addresses, and why not. */
export const addressAllocated = 'metallb.io/AddressAllocated'

/** Ports and pods decide on which terms an address is shared, and nothing else. */
const unshared = { ports: [], selector: {} }

export const balancedServiceType: ResourceType<BalancedService> = {
  ...serviceType,
  project: (raw) => {
    const service = serviceType.project(raw)
    const allocated = allocatedOf(raw)
    return asksToShare(service) ? { ...service, allocated } : { ...service, ...unshared, allocated }
  },
}

function allocatedOf(raw: RawObject): Allocated | undefined {
  const { conditions } = fields(raw['status'])
  const all: readonly unknown[] = Array.isArray(conditions) ? conditions : []
  const found = all.map(fields).find(({ type }) => type === addressAllocated)
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
