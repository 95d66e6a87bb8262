/**
 * The objects of one kind as last seen, projected. A full list is compared with what is held, a watch event is
 * applied; both answer what changed. An object whose projection throws counts as absent, as it would after a restart.
 */
import { type Key, type KubeObject, keyOf } from './model/index.ts'
import type { RawObject } from './resource.ts'
import type { WatchEvent } from './watch-stream.ts'

/** `before` is undefined for a new object, `after` for one that is gone. */
export interface Change<T> {
  readonly key: Key
  readonly before: T | undefined
  readonly after: T | undefined
}

export class Store<T extends KubeObject> {
  readonly items: Map<Key, T> = new Map()
  readonly #project: (raw: RawObject) => T
  readonly #onBadObject: (raw: RawObject, error: unknown) => void

  constructor(project: (raw: RawObject) => T, onBadObject: (raw: RawObject, error: unknown) => void) {
    this.#project = project
    this.#onBadObject = onBadObject
  }

  apply(event: WatchEvent): readonly Change<T>[] {
    const key = keyOfRaw(event.object)
    const before = this.items.get(key)
    const after = event.type === 'DELETED' ? undefined : this.#read(key, event.object)
    if (after === before) return []
    if (after === undefined) this.items.delete(key)
    else this.items.set(key, after)
    return [{ key, before, after }]
  }

  /** A list that is still coming in; nothing changes before it is whole. */
  startList(): PartialList<T> {
    const listed = new Map<Key, T>()
    return {
      add: (raw) => {
        const key = keyOfRaw(raw)
        const object = this.#read(key, raw)
        if (object === undefined) listed.delete(key)
        else listed.set(key, object)
      },
      remove: (raw) => void listed.delete(keyOfRaw(raw)),
      finish: () => this.#replace(listed),
    }
  }

  clear(): readonly Change<T>[] {
    return this.#replace(new Map())
  }

  /** What is held in the same version stays the same value. */
  #read(key: Key, raw: RawObject): T | undefined {
    const held = this.items.get(key)
    const { uid = '', resourceVersion } = raw.metadata
    if (held !== undefined && held.meta.resourceVersion === resourceVersion && held.meta.uid === uid)
      return held
    try {
      return this.#project(raw)
    } catch (error) {
      this.#onBadObject(raw, error)
      return undefined
    }
  }

  #replace(listed: ReadonlyMap<Key, T>): readonly Change<T>[] {
    const changes: Change<T>[] = []
    for (const [key, before] of this.items) {
      if (listed.has(key)) continue
      this.items.delete(key)
      changes.push({ key, before, after: undefined })
    }
    for (const [key, after] of listed) {
      const before = this.items.get(key)
      if (before === after) continue
      this.items.set(key, after)
      changes.push({ key, before, after })
    }
    return changes
  }
}

export interface PartialList<T> {
  add(raw: RawObject): void
  remove(raw: RawObject): void
  finish(): readonly Change<T>[]
}

export function keyOfRaw(raw: RawObject): Key {
  return keyOf({ namespace: raw.metadata.namespace ?? '', name: raw.metadata.name })
}
