/** Objects by key, which also finds those of a namespace without a look at the others. */
import { type Key, splitKey } from '@landfall/kube/model'

export class ByNamespace<T> extends Map<Key, T> {
  readonly #namespaces = new Map<string, Map<Key, T>>()

  within(namespace: string): readonly T[] {
    return [...(this.#namespaces.get(namespace)?.values() ?? [])]
  }

  override set(key: Key, object: T): this {
    const { namespace } = splitKey(key)
    const those = this.#namespaces.get(namespace) ?? new Map<Key, T>()
    this.#namespaces.set(namespace, those.set(key, object))
    return super.set(key, object)
  }

  override delete(key: Key): boolean {
    const { namespace } = splitKey(key)
    const those = this.#namespaces.get(namespace)
    those?.delete(key)
    if (those?.size === 0) this.#namespaces.delete(namespace)
    return super.delete(key)
  }

  override clear(): void {
    this.#namespaces.clear()
    super.clear()
  }
}
