/**
 * When owned addresses announce themselves (pure): at once when acquired, repeated until five bursts went out in
 * some five seconds, then refreshed slowly for switches that forget. The caller bounds how many go out at a time.
 */
import type { AddressKey } from '../codec/ethernet.ts'

const bursts = 5
const burstIntervalMs = 1100

interface Entry {
  dueAt: number
  burstsLeft: number
}

export class GratuitousSchedule {
  readonly #refreshMs: number
  readonly #entries = new Map<AddressKey, Entry>()

  /** `refreshMs` 0: no refresh. */
  constructor(refreshMs: number) {
    this.#refreshMs = refreshMs
  }

  /** Starts the bursts, also anew: an interface that returned has to be told again. */
  acquire(address: AddressKey, now: number): void {
    this.#entries.set(address, { dueAt: now, burstsLeft: bursts })
  }

  release(address: AddressKey): void {
    this.#entries.delete(address)
  }

  /** At most `limit` addresses to announce now; those in their bursts before those to refresh. */
  take(now: number, limit: number): readonly AddressKey[] {
    const due = [...this.#entries].filter(([, entry]) => entry.dueAt <= now)
    due.sort(([, a], [, b]) => Number(b.burstsLeft > 0) - Number(a.burstsLeft > 0) || a.dueAt - b.dueAt)
    return due.slice(0, limit).map(([address, entry]) => {
      entry.burstsLeft = Math.max(0, entry.burstsLeft - 1)
      entry.dueAt = entry.burstsLeft > 0 ? now + burstIntervalMs : this.#refreshAt(now)
      return address
    })
  }

  /** When the next address is due; undefined: nothing is. */
  next(): number | undefined {
    let next = Number.POSITIVE_INFINITY
    for (const entry of this.#entries.values()) next = Math.min(next, entry.dueAt)
    return Number.isFinite(next) ? next : undefined
  }

  #refreshAt(now: number): number {
    return this.#refreshMs === 0 ? Number.POSITIVE_INFINITY : now + this.#refreshMs
  }
}
