/**
 * The layer 2 addresses of all Services, kept up to date Service by Service: with one that changes, only those are put
 * together anew that hang together with it by an address they share, and the outcome is that of all put together anew.
 */
import { byAge, type Key } from '@landfall/kube/model'
import { formatIP } from '@landfall/netip'
import { KeysByText } from './keys-by-text.ts'
import { type Layer2Address, layer2Of } from './layer2-units.ts'
import type { ServicePlan } from './service-plan.ts'

export class Layer2Table {
  /** By address text, as of the last `follow`. */
  readonly addresses: ReadonlyMap<string, Layer2Address>
  readonly #addresses = new Map<string, Layer2Address>()
  /** Those that announce by layer 2. */
  readonly #plans = new Map<Key, ServicePlan>()
  readonly #services = new KeysByText()
  #touched = new Set<string>()

  constructor() {
    this.addresses = this.#addresses
  }

  /** `plan` undefined: the Service is gone. */
  set(key: Key, plan: ServicePlan | undefined): void {
    for (const text of textsOf(this.#plans.get(key))) {
      this.#services.delete(text, key)
      this.#touched.add(text)
    }
    const texts = textsOf(plan)
    if (plan === undefined || texts.length === 0) this.#plans.delete(key)
    else this.#plans.set(key, plan)
    for (const text of texts) {
      this.#services.add(text, key)
      this.#touched.add(text)
    }
  }

  /** Answers for the texts of the addresses that may be different now, or gone; the others are as they were. */
  follow(): ReadonlySet<string> {
    const looked = new Set<string>()
    for (const touched of this.#touched) {
      if (looked.has(touched)) continue
      const { texts, plans } = this.#around(touched)
      const made = layer2Of(plans.toSorted(([, a], [, b]) => byAge(a.service, b.service)))
      for (const text of texts) {
        looked.add(text)
        const address = made.get(text)
        if (address === undefined) this.#addresses.delete(text)
        else this.#addresses.set(text, address)
      }
    }
    this.#touched = new Set()
    return looked
  }

  /** All that hangs together with an address: its Services, their addresses, the Services of those, and so on. */
  #around(text: string): {
    readonly texts: ReadonlySet<string>
    readonly plans: readonly (readonly [Key, ServicePlan])[]
  } {
    const texts = new Set([text])
    const plans = new Map<Key, ServicePlan>()
    // A set that grows while it is walked through is walked through to its end.
    for (const one of texts) {
      for (const key of this.#services.of(one)) {
        const plan = this.#plans.get(key)
        if (plan === undefined || plans.has(key)) continue
        plans.set(key, plan)
        for (const other of textsOf(plan)) texts.add(other)
      }
    }
    return { texts, plans: [...plans] }
  }
}

function textsOf(plan: ServicePlan | undefined): readonly string[] {
  return plan?.layer2.kind === 'announced' ? plan.layer2.addresses.map(({ ip }) => formatIP(ip)) : []
}
