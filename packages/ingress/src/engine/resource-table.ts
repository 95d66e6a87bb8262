/** Resources of one type by name, and what changed of them since somebody last asked. */
import type { Resource, ResourceMap } from '../xds/resource.ts'

/** The new resource, or undefined for one that is gone. */
export type TableChange = ReadonlyMap<string, Resource | undefined>

export class ResourceTable {
  readonly #map = new Map<string, Resource>()
  #changed = new Map<string, Resource | undefined>()

  /** A resource that says what is there already changes nothing. */
  set(resource: Resource): boolean {
    if (this.#map.get(resource.name)?.version === resource.version) return false
    this.#map.set(resource.name, resource)
    this.#changed.set(resource.name, resource)
    return true
  }

  delete(name: string): void {
    if (this.#map.delete(name)) this.#changed.set(name, undefined)
  }

  has(name: string): boolean {
    return this.#map.has(name)
  }

  version(name: string): string | undefined {
    return this.#map.get(name)?.version
  }

  /** What changed since the last call. */
  drain(): TableChange {
    const changed = this.#changed
    this.#changed = new Map()
    return changed
  }

  /** All of it, as it is now. */
  copy(): ResourceMap {
    return new Map(this.#map)
  }
}
