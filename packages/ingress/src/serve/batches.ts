/** The first item at once; under load, everything that came in the last 20 ms together. */
export class Batches<T> {
  readonly #work: (items: readonly T[]) => void
  readonly #ms: number
  readonly #clock: () => number
  #waiting: T[] = []
  #timer: NodeJS.Timeout | undefined
  #held = true
  #last = Number.NEGATIVE_INFINITY

  /** Holds everything back until `release`. @param clock milliseconds, monotonic */
  constructor(work: (items: readonly T[]) => void, ms = 20, clock: () => number = () => performance.now()) {
    this.#work = work
    this.#ms = ms
    this.#clock = clock
  }

  add(items: readonly T[]): void {
    for (const item of items) this.#waiting.push(item)
    if (this.#waiting.length > 0 && !this.#held && this.#timer === undefined) this.#next()
  }

  /** What has come so far, which is not handed over then. */
  takeHeld(): readonly T[] {
    const items = this.#waiting
    this.#waiting = []
    return items
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

  /** By the clock: a timer for each would wake the program once more for each change. */
  #next(): void {
    const waitMs = this.#last + this.#ms - this.#clock()
    if (waitMs <= 0) return this.#flush()
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#flush()
    }, waitMs)
  }

  #flush(): void {
    const items = this.#waiting
    this.#waiting = []
    this.#last = this.#clock()
    this.#work(items)
  }
}
