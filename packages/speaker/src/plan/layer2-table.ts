/** The layer 2 addresses of all Services, put together anew only when one that has any changed. */
import { byAge, type Key } from '@landfall/kube/model'
import { type Layer2Address, layer2Of } from './layer2-units.ts'
import type { ServicePlan } from './service-plan.ts'

export class Layer2Table {
  /** Those that announce by layer 2. */
  readonly #plans = new Map<Key, ServicePlan>()
  /** The oldest Service first, as of the last time. */
  #order: readonly (readonly [Key, ServicePlan])[] = []
  #addresses: readonly Layer2Address[] | undefined = []

  /** `plan` undefined: the Service is gone. */
  set(key: Key, plan: ServicePlan | undefined): void {
    const announces = plan?.layer2.kind === 'announced'
    if (!announces && !this.#plans.has(key)) return
    if (announces) this.#plans.set(key, plan)
    else this.#plans.delete(key)
    this.#addresses = undefined
  }

  /** Sorted by address text. */
  addresses(): readonly Layer2Address[] {
    if (this.#addresses !== undefined) return this.#addresses
    this.#order = this.#ordered()
    this.#addresses = layer2Of(this.#order)
    return this.#addresses
  }

  /** The order of before is nearly that of now, which is what makes sorting quick. */
  #ordered(): readonly (readonly [Key, ServicePlan])[] {
    const known = new Set(this.#order.map(([key]) => key))
    const kept = this.#order.flatMap(([key]) => {
      const plan = this.#plans.get(key)
      return plan === undefined ? [] : [[key, plan] as const]
    })
    const added = [...this.#plans].filter(([key]) => !known.has(key))
    return [...kept, ...added].toSorted(([, a], [, b]) => byAge(a.service, b.service))
  }
}
