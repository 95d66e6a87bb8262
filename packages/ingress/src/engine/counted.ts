/** Values that several units want under one name: there from the first that wants it to the last that lets go. */
export class Counted<T> {
  readonly #entries = new Map<string, { value: T; count: number }>()

  /** The newest value counts. */
  retain(name: string, value: T): void {
    const found = this.#entries.get(name)
    this.#entries.set(name, { value, count: (found?.count ?? 0) + 1 })
  }

  release(name: string): void {
    const found = this.#entries.get(name)
    if (found === undefined) return
    if (found.count === 1) this.#entries.delete(name)
    else found.count -= 1
  }

  get(name: string): T | undefined {
    return this.#entries.get(name)?.value
  }
}
