/** Services whose pool is gone, by how long it is: those whose time has come are found without a look at the others. */
import type { Key } from '@landfall/kube/model'
import type { Refusal } from './outcome.ts'

export interface Orphan {
  /** Milliseconds. */
  readonly since: number
  readonly refusal: Refusal
}

export class Orphans {
  readonly #orphans = new Map<Key, Orphan>()
  /** Most pools go at once: few times, each of many. */
  readonly #keys = new Map<number, Set<Key>>()

  get(key: Key): Orphan | undefined {
    return this.#orphans.get(key)
  }

  set(key: Key, orphan: Orphan): void {
    this.delete(key)
    this.#orphans.set(key, orphan)
    const keys = this.#keys.get(orphan.since)
    if (keys === undefined) this.#keys.set(orphan.since, new Set([key]))
    else keys.add(key)
  }

  delete(key: Key): void {
    const orphan = this.#orphans.get(key)
    if (orphan === undefined) return
    this.#orphans.delete(key)
    const keys = this.#keys.get(orphan.since)
    keys?.delete(key)
    if (keys?.size === 0) this.#keys.delete(orphan.since)
  }

  /** Since when the first of them is one. */
  get first(): number | undefined {
    return this.#keys.size === 0 ? undefined : Math.min(...this.#keys.keys())
  }

  /** Those that are since then or longer, in the order of time. */
  since(time: number): readonly Key[] {
    const times = [...this.#keys.keys()].filter((since) => since <= time)
    return times.toSorted((a, b) => a - b).flatMap((since) => [...(this.#keys.get(since) ?? [])])
  }
}
