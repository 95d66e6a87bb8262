/**
 * The right to answer (pure): a lease on the own clock, asked for each frame. It is fresh while the coordinator keeps
 * confirming our heartbeats; for the coordinator itself, while followers do, as many as the partition policy wants.
 * A member that hears nobody is its own side: its right then reaches no further than its own next ticks, so that a
 * process that was frozen wakes without any.
 */
import type { Deadlines } from './timing.ts'

/** What a side does that lost contact to others: serve on, or be silent unless it has the majority. */
export type PartitionPolicy = 'serve' | 'fence'

export class Fence {
  readonly #deadlines: Deadlines
  #until = Number.NEGATIVE_INFINITY
  #suspended = true

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines
  }

  get until(): number {
    return this.#until
  }

  /** The right lapsed: what is held may have been given to others, until the coordinator says it was not. */
  get suspended(): boolean {
    return this.#suspended
  }

  mayAnswer(now: number): boolean {
    return !this.#suspended && now < this.#until
  }

  isFresh(now: number): boolean {
    return now < this.#until
  }

  /** For how long a coordinator lets others answer, in ms from now; 0xffff: for a whole lease. */
  grantMs(policy: PartitionPolicy, now: number): number {
    if (!this.isFresh(now)) return 0
    return policy === 'serve' ? 0xffff : Math.min(this.#until - now, 0xfffe)
  }

  /** A message of ours, sent then, was confirmed by one that may give the right, for so long. */
  confirm(sentAt: number, grantMs = Number.POSITIVE_INFINITY): void {
    this.#until = Math.max(this.#until, sentAt + Math.min(this.#deadlines.leaseMs, grantMs))
  }

  /** On its own side: until the next ticks. */
  extendAlone(now: number): void {
    this.#until = Math.max(this.#until, now + this.#deadlines.stallMs)
  }

  revoke(): void {
    this.#until = Number.NEGATIVE_INFINITY
    this.#suspended = true
  }

  /** True: the right lapsed just now. */
  lapse(now: number): boolean {
    if (this.#suspended || now < this.#until) return false
    this.#suspended = true
    return true
  }

  /** What is held is known to be still ours. True: it was in doubt. */
  resume(now: number): boolean {
    if (!this.#suspended || now >= this.#until) return false
    this.#suspended = false
    return true
  }
}

/**
 * Until when a coordinator may lead that others follow, of `total` members that should be there.
 * @param confirmedAt when each of the followers' newest confirmation was asked for
 * @param first when that of the first of all names was, which decides between equal halves; Infinity: it coordinates
 */
export function majorityUntil(
  confirmedAt: readonly number[],
  total: number,
  first: number,
  leaseMs: number,
): number {
  const sorted = confirmedAt.toSorted((a, b) => b - a)
  /** So many, the coordinator among them, follow until then. */
  const until = (members: number): number =>
    members <= 1 ? Number.POSITIVE_INFINITY : (sorted[members - 2] ?? Number.NEGATIVE_INFINITY) + leaseMs
  const half = Math.min(until(Math.ceil(total / 2)), first + leaseMs)
  return Math.max(until(Math.floor(total / 2) + 1), half)
}
