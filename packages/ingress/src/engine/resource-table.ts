/** Resources of one type by name. `map` is the same object until a resource comes, changes its bytes or goes. */
import type { Resource, ResourceMap } from '../xds/resource.ts'

export class ResourceTable {
  #map = new Map<string, Resource>()
  #shared = false

  /** A resource that says what is there already changes nothing. */
  set(resource: Resource): boolean {
    if (this.#map.get(resource.name)?.version === resource.version) return false
    this.#own().set(resource.name, resource)
    return true
  }

  delete(name: string): boolean {
    if (!this.#map.has(name)) return false
    return this.#own().delete(name)
  }

  get(name: string): Resource | undefined {
    return this.#map.get(name)
  }

  /** Never written to afterwards. */
  map(): ResourceMap {
    this.#shared = true
    return this.#map
  }

  #own(): Map<string, Resource> {
    if (this.#shared) {
      this.#map = new Map(this.#map)
      this.#shared = false
    }
    return this.#map
  }
}
