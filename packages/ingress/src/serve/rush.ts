/** Whether changes come in one after the other, so that what can wait should. */
const pauseMs = 60
const least = 5

export class Rush {
  readonly #clock: () => number
  #row = 0
  #last = Number.NEGATIVE_INFINITY

  /** @param clock milliseconds, monotonic */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock
  }

  /** Some have come. */
  note(): void {
    const now = this.#clock()
    this.#row = now - this.#last < pauseMs ? this.#row + 1 : 1
    this.#last = now
  }

  get isOn(): boolean {
    return this.#row > least && this.#clock() - this.#last < pauseMs
  }
}
