/** EndpointSlices by the Service that they belong to, maintained change by change. */
import type { EndpointSlice, Key } from '@landfall/kube/model'
import type { SliceChange } from './objects.ts'

export class SliceIndex {
  readonly #services = new Map<Key, Map<Key, EndpointSlice>>()

  /** Takes a change in; answers the Services (`namespace/name`) that it concerns. */
  apply(change: SliceChange): ReadonlySet<Key> {
    const before = serviceOf(change.before)
    const after = serviceOf(change.after)
    if (before !== undefined && before !== after) this.#drop(before, change.key)
    if (after !== undefined) {
      const slices = this.#services.get(after) ?? new Map<Key, EndpointSlice>()
      slices.set(change.key, change.after as EndpointSlice)
      this.#services.set(after, slices)
    } else if (before !== undefined) this.#drop(before, change.key)
    return new Set([before, after].filter((key) => key !== undefined))
  }

  of(service: Key): Iterable<EndpointSlice> {
    return this.#services.get(service)?.values() ?? []
  }

  #drop(service: Key, key: Key): void {
    const slices = this.#services.get(service)
    slices?.delete(key)
    if (slices?.size === 0) this.#services.delete(service)
  }
}

function serviceOf(slice: EndpointSlice | undefined): Key | undefined {
  if (slice === undefined || slice.serviceName === '') return undefined
  return `${slice.meta.namespace}/${slice.serviceName}`
}
