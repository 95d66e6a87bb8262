/**
 * Where one client stands with its table of scopes: cold (no listener that routes by scopes), warming (loading the
 * table through the warm listener), live. In: its subscriptions and the clock's reading. Out: which listeners wait.
 */
import type { Subscription } from './subscription.ts'
import { type WarmListener, warmListenerName } from './warm-listener.ts'

/** Warming ends, ready or not, after this long without any progress. */
export const warmMs = 5000

export class WarmUp {
  timeouts = 0
  #kind: 'cold' | 'warming' | 'live' = 'cold'
  #until = 0
  #progress = false
  readonly #listeners: Subscription
  readonly #scopes: Subscription

  constructor(listeners: Subscription, scopes: Subscription) {
    this.#listeners = listeners
    this.#scopes = scopes
  }

  get warming(): boolean {
    return this.#kind === 'warming'
  }

  get until(): number {
    return this.warming ? this.#until : Number.POSITIVE_INFINITY
  }

  /** Something of this client's scopes or listeners was acknowledged. */
  progress(): void {
    this.#progress = true
  }

  /** True when listeners have to be looked at again. */
  advance(now: number, warm: WarmListener | undefined): boolean {
    if (!this.#listeners.started) return false
    if (this.#progress) this.#until = now + warmMs
    this.#progress = false
    if (warm === undefined) return this.#become('cold')
    if (this.#kind === 'cold') return this.#start(now, warm)
    if (this.#kind === 'live') return false
    const timedOut = now >= this.#until
    if (!timedOut && !this.#loaded()) return false
    if (timedOut) this.timeouts++
    return this.#become('live')
  }

  #start(now: number, warm: WarmListener): boolean {
    const { held, flight } = this.#listeners
    const has = (name: string) =>
      held.has(name) || flight?.resources.some((resource) => resource.name === name) === true
    if ([...warm.scoped].some(has)) return this.#become('live')
    this.#until = now + warmMs
    return this.#become('warming')
  }

  #loaded(): boolean {
    if (this.#listeners.refused.has(warmListenerName)) return true
    return this.#listeners.held.has(warmListenerName) && this.#scopes.started && !this.#scopes.busy()
  }

  #become(kind: 'cold' | 'warming' | 'live'): boolean {
    if (this.#kind === kind) return false
    this.#kind = kind
    this.#listeners.touch(warmListenerName)
    this.#listeners.unblock()
    return true
  }
}
