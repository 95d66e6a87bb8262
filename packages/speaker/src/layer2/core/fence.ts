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

  /** A message of ours, sent then, was confirmed by one that may give the right, for so long. */
  confirm(sentAt: number, grantMs = Number.POSITIVE_INFINITY): void {
    this.#until = Math.max(this.#until, sentAt + Math.min(this.#deadlines.leaseMs, grantMs))
  }

  /** On its own side: until the next ticks. */
  extendAlone(now: number): void {
    this.#until = Math.max(this.#until, now + this.#deadlines.stallMs)
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
 * Until when a coordinator may lead that `confirmedAt` others follow, of `total` members that should be there.
 * @param confirmedAt when each of the followers' newest confirmation was asked for
 * @param hasFirst whether the first of all names is on this side, which decides between equal halves
 */
export function majorityUntil(
  confirmedAt: readonly number[],
  total: number,
  hasFirst: boolean,
  leaseMs: number,
): number {
  const half = total / 2
  const wanted = hasFirst ? Math.ceil(half) : Math.floor(half) + 1
  if (wanted <= 1) return Number.POSITIVE_INFINITY
  const sorted = confirmedAt.toSorted((a, b) => b - a)
  return (sorted[wanted - 2] ?? Number.NEGATIVE_INFINITY) + leaseMs
}
