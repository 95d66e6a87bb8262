/** A bucket of requests: `burst` at once, then so many a second. Who finds it empty waits for its turn. */
import { setTimeout as sleep } from 'node:timers/promises'

export class RequestRate {
  readonly #perSecond: number
  readonly #burst: number
  readonly #clock: () => number
  /** When the bucket is full again, in milliseconds. */
  #fullAt: number

  /** @param clock milliseconds, monotonic */
  constructor(perSecond: number, burst: number, clock: () => number = () => performance.now()) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#clock = clock
    this.#fullAt = clock()
  }

  /** Takes a request out. @returns milliseconds until it may be made */
  take(): number {
    const now = this.#clock()
    const one = 1000 / this.#perSecond
    this.#fullAt = Math.max(now, this.#fullAt) + one
    return Math.max(0, this.#fullAt - now - this.#burst * one)
  }

  async turn(): Promise<void> {
    const wait = this.take()
    if (wait > 0) await sleep(wait)
  }
}
