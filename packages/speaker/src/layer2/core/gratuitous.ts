/**
 * When owned addresses announce themselves (pure): at once when acquired, repeated soon, as a broadcast may be lost, and
 * for some five seconds, then refreshed slowly for switches that forget. A first one that did not go out is tried again
 * shortly. The caller bounds how many go out at a time.
 *
 * All that waits in a queue waits equally long, so that each queue stays in the order of what is due, whatever
 * the number of addresses. `now` never goes back.
 */
import type { AddressKey } from '../codec/ethernet.ts'

/** Between the bursts: they go out after 0, 100, 300, 1100, 2200, 3300 and 4400 ms. */
const burstGapsMs = [100, 200, 800, 1100, 1100, 1100]
/** As long as a card takes that was full, or has just come up. */
const retryMs = 20
const mostRetries = 10
/** On average refreshes are that far apart; after a pause up to this much of them goes out at once. */
const refreshSpacingMs = 2
const refreshBacklogMs = 10

interface Entry {
  readonly dueAt: number
  readonly retriesLeft: number
}

type Queue = Map<AddressKey, Entry>

export class GratuitousSchedule {
  readonly #refreshMs: number
  /** Never announced since they were acquired. */
  readonly #first: Queue = new Map()
  /** Their first announcement did not go out. */
  readonly #retried: Queue = new Map()
  /** By the bursts that went out, beginning with one. */
  readonly #repeated: readonly Queue[] = burstGapsMs.map(() => new Map())
  /** In the order in which they are taken. */
  readonly #bursts: readonly Queue[] = [this.#first, this.#retried, ...this.#repeated]
  readonly #refreshed: Queue = new Map()
  #refreshFrom = Number.NEGATIVE_INFINITY

  /** `refreshMs` 0: no refresh. */
  constructor(refreshMs: number) {
    this.#refreshMs = refreshMs
  }

  /** How many wait for their first announcement: the next ones to go out, without a pause. */
  get first(): number {
    return this.#first.size
  }

  /** Starts the bursts, also anew: an interface that returned has to be told again. */
  acquire(address: AddressKey, now: number): void {
    this.release(address)
    this.#first.set(address, { dueAt: now, retriesLeft: mostRetries })
  }

  release(address: AddressKey): void {
    for (const queue of this.#bursts) queue.delete(address)
    this.#refreshed.delete(address)
  }

  /** What was taken just now did not go out. */
  refused(address: AddressKey, now: number): void {
    const [once] = this.#repeated
    const entry = once?.get(address)
    if (entry === undefined || entry.retriesLeft === 0) return
    once?.delete(address)
    this.#retried.set(address, { dueAt: now + retryMs, retriesLeft: entry.retriesLeft - 1 })
  }

  /** At most `limit` addresses to announce now: those never announced, those in their bursts, those to refresh. */
  take(now: number, limit: number): readonly AddressKey[] {
    const taken: AddressKey[] = []
    for (const queue of this.#bursts)
      for (const [address, entry] of queue) {
        if (entry.dueAt > now || taken.length >= limit) break
        queue.delete(address)
        this.#wait(address, entry, this.#repeated.indexOf(queue) + 1, now)
        taken.push(address)
      }
    for (const [address, entry] of this.#refreshed) {
      if (this.#refreshAt(entry) > now || taken.length >= limit) break
      this.#refreshed.delete(address)
      this.#refreshFrom = Math.max(this.#refreshFrom, now - refreshBacklogMs) + refreshSpacingMs
      this.#wait(address, entry, burstGapsMs.length, now)
      taken.push(address)
    }
    return taken
  }

  /** When the next address is due; undefined: nothing is. */
  next(): number | undefined {
    const waiting = this.#bursts.map((queue) => head(queue)?.dueAt)
    const refreshed = head(this.#refreshed)
    const due = [...waiting, refreshed && this.#refreshAt(refreshed)]
    const times = due.filter((time) => time !== undefined)
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** @param repeats of the bursts, that went out */
  #wait(address: AddressKey, entry: Entry, repeats: number, now: number): void {
    const gapMs = burstGapsMs[repeats]
    if (gapMs !== undefined) this.#repeated[repeats]?.set(address, { ...entry, dueAt: now + gapMs })
    else if (this.#refreshMs > 0) this.#refreshed.set(address, { ...entry, dueAt: now + this.#refreshMs })
  }

  #refreshAt(entry: Entry): number {
    return Math.max(entry.dueAt, this.#refreshFrom)
  }
}

function head(queue: Queue): Entry | undefined {
  for (const entry of queue.values()) return entry
  return undefined
}
