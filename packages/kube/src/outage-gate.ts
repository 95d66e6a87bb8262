/**
 * Who may try while the API server is away: one gate a process, so that ten watches do not make ten storms. One try
 * each 0.2 → 1 s with jitter during the first minute, then each up to 10 s; the first good answer lets everybody in.
 */
import { reconnectDelayMs } from './backoff.ts'

interface Outage {
  readonly since: number
  tries: number
  nextAt: number
}

export class OutageGate {
  readonly #now: () => number
  readonly #random: () => number
  readonly #waiting = new Set<() => void>()
  #outage: Outage | undefined

  /** @param now milliseconds of a monotonic clock @param random in [0, 1) */
  constructor(now: () => number = () => performance.now(), random: () => number = Math.random) {
    this.#now = now
    this.#random = random
  }

  /** Whether a try makes sense now; `pass` waits for that. */
  isOpen(): boolean {
    return this.#outage === undefined || this.#now() >= this.#outage.nextAt
  }

  /** Whether the last try had no answer. */
  isOutage(): boolean {
    return this.#outage !== undefined
  }

  /** The server answered. */
  open(): void {
    this.#outage = undefined
    for (const wake of this.#waiting) wake()
  }

  /** The server did not answer. */
  shut(): void {
    const now = this.#now()
    this.#outage ??= { since: now, tries: 0, nextAt: now + reconnectDelayMs(0, 0, this.#random) }
  }

  /** Resolves when the caller may try, or once the signal is aborted. */
  async pass(signal: AbortSignal): Promise<void> {
    while (this.#outage !== undefined && !signal.aborted) {
      const now = this.#now()
      if (now >= this.#outage.nextAt) {
        this.#outage.tries++
        this.#outage.nextAt =
          now + reconnectDelayMs(now - this.#outage.since, this.#outage.tries, this.#random)
        return
      }
      await this.#wait(this.#outage.nextAt - now, signal)
    }
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      signal.addEventListener('abort', wake, { once: true })
      this.#waiting.add(wake)
    })
  }
}
