/**
 * The ConfigMap as it is now, and the last one that was good: that is the one thing this configuration remembers.
 * Controller and speakers follow it alike. Who saw none that was good goes by what can be read of the one that is
 * refused: nothing new is allocated from it, but addresses that Services hold stay theirs and announced.
 */
import type { ConfigMap, Key, Node } from '@landfall/kube/model'
import type { IP } from '@landfall/netip'
import type { BuiltConfig } from '../build-config.ts'
import type { Config } from '../config.ts'
import { buildLegacy } from './build-legacy.ts'
import { type ConfigMapName, ruleLegacy } from './ruling.ts'

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

  /** @param holdings who holds which address */
  build(
    configMap: ConfigMap | undefined,
    nodes: readonly Node[],
    holdings: Iterable<readonly [Key, readonly IP[]]>,
  ): LegacyConfigured {
    const next = configMap && buildLegacy(configMap, nodes)
    const { accepted, refusals } = ruleLegacy(next, this.hasGood, holdings, this.#name)
    if (accepted) this.#good = configMap
    const ruling = accepted ? next : this.#good && buildLegacy(this.#good, nodes)
    const config = ruling?.config ?? refused(next?.config ?? { pools: [], peers: [] })
    return { config, refusals, notes: next?.notes ?? [] }
  }
}

function refused(config: Config): Config {
  return { ...config, pools: config.pools.map((pool) => ({ ...pool, refused: true })), incomplete: true }
}
