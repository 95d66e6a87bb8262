/** What the objects of one kind say of each Service: each thing once, with how many objects say it. */
import type { Key } from '@landfall/kube/model'
import type { Announcing } from './report.ts'

interface Counted {
  readonly said: Announcing
  objects: number
}

/** There may be many, mostly of one thing: lists have no room to grow, which `[...held, one]` would leave them. */
export class SaidOfServices {
  readonly #all = new Map<Key, Counted[]>()

  /** The value that is held, or will be, for what says the same. */
  once(said: Announcing): Announcing {
    if (said.service === '') return said
    const held = this.#all.get(said.service) ?? []
    const same = held.find((one) => isSame(one.said, said))
    if (same !== undefined) return same.said
    this.#all.set(said.service, held.concat({ said, objects: 0 }))
    return said
  }

  add(said: Announcing): void {
    const held = this.#all.get(said.service) ?? []
    const same = held.find((one) => one.said === said)
    if (same === undefined) this.#all.set(said.service, held.concat({ said, objects: 1 }))
    else same.objects++
  }

  /** What nobody says any more is forgotten. */
  remove(said: Announcing): void {
    const held = this.#all.get(said.service) ?? []
    for (const one of held) if (one.said === said) one.objects--
    const left = held.filter(({ objects }) => objects > 0)
    if (left.length === 0) this.#all.delete(said.service)
    else if (left.length < held.length) this.#all.set(said.service, left)
  }

  of(service: Key): readonly Announcing[] {
    return (this.#all.get(service) ?? []).flatMap(({ said, objects }) => (objects > 0 ? [said] : []))
  }
}

function isSame(a: Announcing, b: Announcing): boolean {
  if (a.ofNode !== b.ofNode || a.node !== b.node || a.since !== b.since) return false
  return a.reason === b.reason && a.message === b.message
}
