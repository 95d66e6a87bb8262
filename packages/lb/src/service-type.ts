/** Services as the controller reads them: with what its own condition says. */
import { type RawObject, type ResourceType, serviceType } from '@landfall/kube'
import type { Allocated, BalancedService } from './allocation/request.ts'

/** Whether a Service has its addresses, and why not. */
export const addressAllocated = 'metallb.io/AddressAllocated'

export const balancedServiceType: ResourceType<BalancedService> = {
  ...serviceType,
  project: (raw) => ({ ...serviceType.project(raw), allocated: allocatedOf(raw) }),
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
