/**
 * Services that have no address yet, whole, as the watch brought them: the write that gives them theirs then need not
 * read them first. Of many only the newest are kept; the others are read.
 */
import type { RawObject, ResourceType, WriteOptions } from '@landfall/kube'
import { keyOf } from '@landfall/kube/model'
import { balancedServiceType, type ConditionedService, ownerOf } from './service-type.ts'

const mostKept = 64
/** Of annotations, in characters: a Service with more is read. */
const mostText = 4096

export class FreshServices {
  readonly #kept = new Map<string, RawObject>()
  readonly #loadBalancerClass: string

  constructor(loadBalancerClass: string) {
    this.#loadBalancerClass = loadBalancerClass
  }

  /** Keeps what it reads. */
  readonly type: ResourceType<ConditionedService> = {
    ...balancedServiceType,
    project: (raw) => {
      const service = balancedServiceType.project(raw)
      this.#keep(service, raw)
      return service
    },
  }

  /** Once: for a write of that Service, if it is the one that was seen last. */
  take({ meta }: ConditionedService): Pick<WriteOptions, 'observed'> {
    const key = keyOf(meta)
    const raw = this.#kept.get(key)
    this.#kept.delete(key)
    if (raw?.metadata.resourceVersion !== meta.resourceVersion) return {}
    // In a list they go without.
    const { apiVersion, kind } = balancedServiceType
    return { observed: { apiVersion, kind, ...raw } }
  }

  #keep(service: ConditionedService, raw: RawObject): void {
    const key = keyOf(service.meta)
    this.#kept.delete(key)
    if (ownerOf(service, this.#loadBalancerClass) !== 'us' || service.ingress.length > 0) return
    const text = Object.values(raw.metadata.annotations ?? {}).reduce((sum, one) => sum + one.length, 0)
    if (text > mostText) return
    this.#kept.set(key, raw)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest)
  }
}
