/**
 * The times that safety rests on (pure). All are durations on the clock of one process; clocks are never compared.
 *
 * A member is dead when nothing was heard of it for the detection time. A right is a lease: it counts from when a
 * heartbeat was *sent* that the coordinator has confirmed, so that the coordinator, which counts from when it
 * *received* it, always sees it end later than its holder does. It outlives the detection time by a little more than
 * an interval, so that owners answer on while a coordinator that died is replaced.
 */
import type { Timing } from '../codec/message.ts'

export interface Deadlines {
  readonly intervalMs: number
  readonly detectMs: number
  readonly leaseMs: number
  /** Waited beyond a lease that is not our own: scheduling, and clocks that do not run quite alike. */
  readonly marginMs: number
  /** A pause of the own timers longer than this is a stall: what was not heard meanwhile may wait unread. */
  readonly stallMs: number
}

/** `fencing`: the coordinator's own right rests on a majority, which makes a chain of two leases. */
export function deadlinesOf({ intervalMs, misses }: Timing, fencing: boolean): Deadlines {
  const detectMs = intervalMs * misses
  return {
    intervalMs,
    detectMs,
    leaseMs: detectMs + intervalMs * (fencing ? 2.2 : 1.2),
    marginMs: intervalMs / 5,
    stallMs: intervalMs * 2.5,
  }
}
