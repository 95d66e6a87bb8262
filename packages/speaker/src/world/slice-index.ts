/** EndpointSlices by the key of their Service. A list changes its identity when, and only when, a slice changes. */
import type { Key } from '@landfall/kube/model'
import type { EndpointSlice } from '../plan/world.ts'

export class SliceIndex {
  readonly #byService = new Map<Key, readonly EndpointSlice[]>()

  get byService(): ReadonlyMap<Key, readonly EndpointSlice[]> {
    return this.#byService
  }

  apply(before: EndpointSlice | undefined, after: EndpointSlice | undefined): void {
    if (before !== undefined) this.#remove(before)
    if (after === undefined) return
    const key = serviceOf(after)
    this.#byService.set(key, [...(this.#byService.get(key) ?? []), after])
  }

  #remove(slice: EndpointSlice): void {
    const key = serviceOf(slice)
    const left = (this.#byService.get(key) ?? []).filter((other) => other.meta.name !== slice.meta.name)
    if (left.length === 0) this.#byService.delete(key)
    else this.#byService.set(key, left)
  }
}

function serviceOf(slice: EndpointSlice): Key {
  return `${slice.meta.namespace}/${slice.serviceName}`
}
