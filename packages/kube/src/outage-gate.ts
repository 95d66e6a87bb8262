/**
 * How long to wait before the next try while the API server is away: one gate a process, so that ten watches do not
 * make ten storms. 0.2 → 1 s with jitter during the first minute, then up to 10 s; the first good answer resets it.
 */

const firstMs = 200
const earlyCeilingMs = 1000
const lateCeilingMs = 10_000
const earlyMs = 60_000

export class OutageGate {
  readonly #now: () => number
  readonly #random: () => number
  #since: number | undefined
  #failures = 0

  /** @param now milliseconds of a monotonic clock @param random in [0, 1) */
  constructor(now: () => number = () => performance.now(), random: () => number = Math.random) {
    this.#now = now
    this.#random = random
  }

  succeeded(): void {
    this.#since = undefined
    this.#failures = 0
  }

  /** @returns milliseconds to wait before the next try */
  failed(): number {
    this.#since ??= this.#now()
    const early = this.#now() - this.#since < earlyMs
    const ceiling = early ? earlyCeilingMs : lateCeilingMs
    const base = Math.min(firstMs * 2 ** Math.min(this.#failures++, 10), ceiling)
    return base * (0.5 + this.#random() / 2)
  }
}
