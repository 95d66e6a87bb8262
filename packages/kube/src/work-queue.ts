/**
 * Work by key: a key that is waiting is not queued twice, one that is worked on waits until that is done, and one
 * whose work threw is tried again after a while that doubles, with jitter. With a gate, keys wait while the API server
 * is away: that is no failure of theirs, and the first good answer lets all of them in.
 */
import { describeError, type Logger } from '@landfall/telemetry'
import { delayMs } from './backoff.ts'
import type { Key } from './model/index.ts'
import type { OutageGate } from './outage-gate.ts'

export interface WorkQueueOptions {
  readonly work: (key: Key) => Promise<void>
  /** Keys worked on at once; 1 unless given. Asked each time. */
  readonly concurrency?: number | (() => number)
  readonly logger: Logger
  /** The cluster's; for work that needs the API server. */
  readonly gate?: OutageGate
}

const retry = { firstMs: 100, ceilingMs: 60_000 }
const sliceMs = 10

export class WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #waiting = new Set<Key>()
  readonly #busy = new Set<Key>()
  readonly #timers = new Map<Key, { readonly at: number; readonly timer: NodeJS.Timeout }>()
  readonly #failures = new Map<Key, number>()
  readonly #ended = new AbortController()
  #idle: (() => void) | undefined
  #stopped = false
  #atGate = false
  /** When the event loop last had its turn, while there is work. */
  #turnSince: number | undefined

  constructor(options: WorkQueueOptions) {
    this.#options = options
  }

  add(key: Key): void {
    if (this.#stopped) return
    this.#clearTimer(key)
    this.#waiting.add(key)
    this.#next()
  }

  /** Unless it is due sooner already. */
  addAfter(key: Key, ms: number): void {
    if (this.#stopped || this.#waiting.has(key)) return
    const at = performance.now() + ms
    const due = this.#timers.get(key)
    if (due !== undefined && due.at <= at) return
    this.#clearTimer(key)
    this.#timers.set(key, { at, timer: setTimeout(() => this.add(key), ms) })
  }

  /** What waits is dropped; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#ended.abort()
    this.#waiting.clear()
    for (const key of this.#timers.keys()) this.#clearTimer(key)
    if (this.#busy.size === 0) return
    await new Promise<void>((resolve) => {
      this.#idle = resolve
    })
  }

  /** @param mayTry the gate gave one try during an outage */
  #next(mayTry = false): void {
    let tries = mayTry ? 1 : 0
    for (const key of this.#waiting) {
      if (this.#busy.size >= this.#concurrency) return
      if (this.#busy.has(key)) continue
      if (this.#isOutage() && tries-- === 0) return void this.#passGate()
      this.#waiting.delete(key)
      this.#busy.add(key)
      void this.#work(key)
    }
  }

  get #concurrency(): number {
    const { concurrency = 1 } = this.#options
    return typeof concurrency === 'number' ? concurrency : concurrency()
  }

  async #passGate(): Promise<void> {
    if (this.#atGate) return
    this.#atGate = true
    await this.#options.gate?.pass(this.#ended.signal)
    this.#atGate = false
    this.#next(true)
  }

  #isOutage(): boolean {
    return this.#options.gate?.isOutage() ?? false
  }

  async #work(key: Key): Promise<void> {
    try {
      await this.#options.work(key)
      this.#failures.delete(key)
    } catch (error) {
      if (this.#isOutage()) this.add(key)
      else this.#failed(key, error)
    }
    this.#busy.delete(key)
    if (this.#stopped && this.#busy.size === 0) this.#idle?.()
    this.#goOn()
  }

  /** At once, but not for so long that nothing else gets its turn: much of the work finds that nothing is to be done. */
  #goOn(): void {
    if (this.#waiting.size === 0) return
    const now = performance.now()
    if (this.#turnSince === undefined) {
      this.#turnSince = now
      setImmediate(() => {
        this.#turnSince = undefined
        this.#next()
      })
    }
    if (now - this.#turnSince < sliceMs) this.#next()
  }

  #failed(key: Key, error: unknown): void {
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    const wait = delayMs(retry, failures - 1)
    const fields = { key, failures, retryMs: Math.round(wait), error: describeError(error) }
    this.#options.logger.warn('workFailed', fields)
    this.addAfter(key, wait)
  }

  #clearTimer(key: Key): void {
    clearTimeout(this.#timers.get(key)?.timer)
    this.#timers.delete(key)
  }
}
