/** The first item at once; under load, everything that came in the last 20 ms together. */
export class Batches<T> {
  readonly #work: (items: readonly T[]) => void
  readonly #ms: number
  #waiting: T[] = []
  #timer: NodeJS.Timeout | undefined
  #held = true

  /** Holds everything back until `release`. */
  constructor(work: (items: readonly T[]) => void, ms = 20) {
    this.#work = work
    this.#ms = ms
  }

  add(items: readonly T[]): void {
    for (const item of items) this.#waiting.push(item)
    if (!this.#held && this.#timer === undefined) this.#flush()
  }

  /** Hands over what has come so far, as one batch even when it is empty. */
  release(): void {
    this.#held = false
    this.#flush()
  }

  stop(): void {
    this.#held = true
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #flush(): void {
    const items = this.#waiting
    this.#waiting = []
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#waiting.length > 0) this.#flush()
    }, this.#ms)
    this.#work(items)
  }
}
