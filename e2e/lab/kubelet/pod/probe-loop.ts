// Runs one probe again and again and tells its verdict: good after successThreshold good checks in a
// row, bad after failureThreshold bad ones, and bad again at each further bad one.
import type { Probe } from '../api/pod.ts'
import { type CheckTarget, check } from './check.ts'

export interface ProbeLoopOptions {
  readonly probe: Probe
  readonly target: CheckTarget
  /** Until its first good verdict, look twice a second; what is bad in between does not count. */
  readonly eager: boolean
  readonly onVerdict: (ok: boolean, message: string) => void
  /** At every bad check that counts, for the event. */
  readonly onFailure: (message: string) => void
}

const EAGER_MS = 500

export class ProbeLoop {
  readonly #options: ProbeLoopOptions
  readonly #periodMs: number
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #good = 0
  #bad = 0
  #wasGood = false
  #countedAt = Number.NEGATIVE_INFINITY

  constructor(options: ProbeLoopOptions) {
    this.#options = options
    this.#periodMs = (options.probe.periodSeconds ?? 10) * 1000
    this.#after((options.probe.initialDelaySeconds ?? 0) * 1000)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #after(ms: number): void {
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#once(), ms)
  }

  async #once(): Promise<void> {
    const { probe, target, eager } = this.#options
    const started = Date.now()
    const problem = await check(probe, target, (probe.timeoutSeconds ?? 1) * 1000)
    if (this.#stopped) return
    if (problem === undefined) this.#countGood()
    else if (started - this.#countedAt >= this.#periodMs - 50) this.#countBad(problem, started)
    const pace = eager && !this.#wasGood ? Math.min(EAGER_MS, this.#periodMs) : this.#periodMs
    this.#after(Math.max(pace - (Date.now() - started), 50))
  }

  #countGood(): void {
    this.#good += 1
    this.#bad = 0
    this.#countedAt = Number.NEGATIVE_INFINITY
    if (this.#good !== (this.#options.probe.successThreshold ?? 1)) return
    this.#wasGood = true
    this.#options.onVerdict(true, '')
  }

  #countBad(problem: string, at: number): void {
    this.#good = 0
    this.#bad += 1
    this.#countedAt = at
    this.#options.onFailure(problem)
    if (this.#bad >= (this.#options.probe.failureThreshold ?? 3)) this.#options.onVerdict(false, problem)
  }
}
