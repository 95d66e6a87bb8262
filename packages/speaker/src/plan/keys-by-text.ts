/** Keys by a text. Most texts have one, so that is kept small. */
import type { Key } from '@landfall/kube/model'

export class KeysByText {
  readonly #keys = new Map<string, Key | Set<Key>>()

  of(text: string): readonly Key[] {
    const known = this.#keys.get(text)
    if (known === undefined) return []
    return known instanceof Set ? [...known] : [known]
  }

  add(text: string, key: Key): void {
    const known = this.#keys.get(text)
    if (known instanceof Set) known.add(key)
    else if (known === undefined) this.#keys.set(text, key)
    else if (known !== key) this.#keys.set(text, new Set([known, key]))
  }

  delete(text: string, key: Key): void {
    const known = this.#keys.get(text)
    if (known === key) this.#keys.delete(text)
    if (!(known instanceof Set)) return
    known.delete(key)
    const [last, another] = known
    if (last !== undefined && another === undefined) this.#keys.set(text, last)
  }
}
