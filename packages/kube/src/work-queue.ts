/**
 * Work by key: a key that is waiting is not queued twice, one that is worked on waits until that is done, and one
 * whose work threw is tried again after a while that doubles, with jitter.
 */
import { describeError, type Logger } from '@landfall/telemetry'
import { delayMs } from './backoff.ts'
import type { Key } from './model/index.ts'

export interface WorkQueueOptions {
  readonly work: (key: Key) => Promise<void>
  /** Keys worked on at once; 1 unless given. */
  readonly concurrency?: number
  readonly logger: Logger
}

const retry = { firstMs: 100, ceilingMs: 60_000 }

export class WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #waiting = new Set<Key>()
  readonly #busy = new Set<Key>()
  readonly #timers = new Map<Key, { readonly at: number; readonly timer: NodeJS.Timeout }>()
  readonly #failures = new Map<Key, number>()
  #idle: (() => void) | undefined
  #stopped = false

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
    this.#waiting.clear()
    for (const key of this.#timers.keys()) this.#clearTimer(key)
    if (this.#busy.size === 0) return
    await new Promise<void>((resolve) => {
      this.#idle = resolve
    })
  }

  #next(): void {
    for (const key of this.#waiting) {
      if (this.#busy.size >= (this.#options.concurrency ?? 1)) return
      if (this.#busy.has(key)) continue
      this.#waiting.delete(key)
      this.#busy.add(key)
      void this.#work(key)
    }
  }

  async #work(key: Key): Promise<void> {
    try {
      await this.#options.work(key)
      this.#failures.delete(key)
    } catch (error) {
      const failures = (this.#failures.get(key) ?? 0) + 1
      this.#failures.set(key, failures)
      const wait = delayMs(retry, failures - 1)
      this.#options.logger.warn('workFailed', {
        key,
        failures,
        retryMs: Math.round(wait),
        error: describeError(error),
      })
      this.addAfter(key, wait)
    }
    this.#busy.delete(key)
    if (this.#stopped && this.#busy.size === 0) this.#idle?.()
    this.#next()
  }

  #clearTimer(key: Key): void {
    clearTimeout(this.#timers.get(key)?.timer)
    this.#timers.delete(key)
  }
}
