/** Whether changes come in one after the other, or are still on their way to Envoys, so that what can wait should. */
const pauseMs = 60
/** For so long after the last change a slow Envoy is waited for. */
const patienceMs = 2000
const least = 5

export class Rush {
  readonly #isBehind: () => boolean
  readonly #clock: () => number
  #row = 0
  #last = Number.NEGATIVE_INFINITY

  /** @param isBehind whether an Envoy has yet to acknowledge something @param clock milliseconds, monotonic */
  constructor(isBehind: () => boolean, clock: () => number = () => performance.now()) {
    this.#isBehind = isBehind
    this.#clock = clock
  }

  /** Some have come. */
  note(): void {
    const now = this.#clock()
    this.#row = now - this.#last < pauseMs ? this.#row + 1 : 1
    this.#last = now
  }

  get isOn(): boolean {
    if (this.#row <= least) return false
    const calmMs = this.#clock() - this.#last
    return calmMs < pauseMs || (calmMs < patienceMs && this.#isBehind())
  }
}
