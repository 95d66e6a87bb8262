/**
 * Writes addresses into the status of Services, together with the annotation that names their pool: a PUT on
 * `/status` of a built-in kind takes the metadata too, so one write does both.
 */
import { type Cluster, hasStatus, type RawObject, serviceType } from '@landfall/kube'
import type { Key, Service } from '@landfall/kube/model'
import { allocatedFromPool } from './allocation/request.ts'

export interface WantedStatus {
  /** In this order; [] clears. */
  readonly ips: readonly string[]
  /** Names of their pools, joined by commas; '' removes the annotation. */
  readonly pool: string
}

export type ServiceWrite = 'written' | 'unchanged' | 'gone' | 'refused'

const conflictRetries = 5

/** Whether the Service as it was seen last needs a write. */
export function differs(service: Service, wanted: WantedStatus): boolean {
  const ips = service.ingress.map((entry) => entry.ip ?? '')
  return !sameIPs(ips, wanted.ips) || (service.meta.annotations[allocatedFromPool] ?? '') !== wanted.pool
}

/**
 * @param uid of the Service that the status is meant for: another of the same name is left alone
 * @param mayWrite asked right before the write
 * @throws ApiError
 */
export async function writeServiceStatus(
  cluster: Cluster,
  key: Key,
  uid: string,
  wanted: WantedStatus,
  mayWrite: () => boolean,
): Promise<ServiceWrite> {
  for (let attempt = 0; ; attempt++) {
    try {
      const current = await cluster.get(serviceType, key)
      if (current.metadata.uid !== uid) return 'gone'
      const next = withStatus(current, wanted)
      if (next === undefined) return 'unchanged'
      if (!mayWrite()) return 'refused'
      await cluster.update(serviceType, next, 'status')
      return 'written'
    } catch (error) {
      if (hasStatus(error, 404)) return 'gone'
      if (!hasStatus(error, 409) || attempt >= conflictRetries) throw error
    }
  }
}

/** undefined: it is so already. What else the status holds, ports and modes of kept addresses too, stays. */
export function withStatus(raw: RawObject, wanted: WantedStatus): RawObject | undefined {
  const status = fields(raw['status'])
  const balancer = fields(status['loadBalancer'])
  const ingress = Array.isArray(balancer['ingress']) ? balancer['ingress'].map(fields) : []
  const { [allocatedFromPool]: pool = '', ...annotations } = raw.metadata.annotations ?? {}
  const held = ingress.map(({ ip }) => (typeof ip === 'string' ? ip : ''))
  if (sameIPs(held, wanted.ips) && pool === wanted.pool) return undefined
  const next = wanted.ips.map((ip) => ingress.find((entry) => entry['ip'] === ip) ?? { ip })
  const named = wanted.pool === '' ? annotations : { ...annotations, [allocatedFromPool]: wanted.pool }
  return {
    ...raw,
    metadata: { ...raw.metadata, annotations: named },
    status: { ...status, loadBalancer: next.length === 0 ? {} : { ...balancer, ingress: next } },
  }
}

function sameIPs(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((ip, index) => ip === b[index])
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
