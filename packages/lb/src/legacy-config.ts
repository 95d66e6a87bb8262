/** The ConfigMap as it is now, and the last one that was good: that is the one thing this configuration remembers. */
import type { ConfigMap, Key, Node } from '@landfall/kube/model'
import type { BuiltConfig } from '@landfall/metallb'
import { buildLegacy } from '@landfall/metallb/legacy'
import type { IP } from '@landfall/netip'
import { type ConfigMapName, ruleLegacy } from './allocation/legacy-rule.ts'

export interface LegacyConfigured extends BuiltConfig {
  readonly notes: readonly string[]
}

export class LegacyConfig {
  readonly #name: ConfigMapName
  #good: ConfigMap | undefined

  constructor(name: ConfigMapName) {
    this.#name = name
  }

  get hasGood(): boolean {
    return this.#good !== undefined
  }

  /** Another kind of configuration rules. */
  forget(): void {
    this.#good = undefined
  }

  build(
    configMap: ConfigMap | undefined,
    nodes: readonly Node[],
    holdings: Iterable<readonly [Key, readonly IP[]]>,
  ): LegacyConfigured {
    const next = configMap && buildLegacy(configMap, nodes)
    const { accepted, refusals } = ruleLegacy(next, this.hasGood, holdings, this.#name)
    if (accepted) this.#good = configMap
    const ruling = this.#good && buildLegacy(this.#good, nodes)
    return { config: ruling?.config ?? { pools: [], peers: [] }, refusals, notes: next?.notes ?? [] }
  }
}
