/**
 * The reader of ConfigMaps, for clusters that have one: it and its YAML parser take 3 MiB, so they are loaded when the
 * first ConfigMap is seen. Until then that one does not count.
 */
import type { LegacyConfig } from './legacy/legacy-config.ts'
import type { ConfigMapName } from './legacy/ruling.ts'

export class LegacyOnDemand {
  readonly #name: ConfigMapName
  #reader: LegacyConfig | undefined

  constructor(name: ConfigMapName) {
    this.#name = name
  }

  /** Undefined until it is loaded. */
  get reader(): LegacyConfig | undefined {
    return this.#reader
  }

  async load(): Promise<void> {
    if (this.#reader !== undefined) return
    const { LegacyConfig } = await import('./legacy/legacy-config.ts')
    this.#reader ??= new LegacyConfig(this.#name)
  }
}
