/** Waits between tries that failed, spread by a quarter to either side so that many do not come back together. */

export interface Backoff {
  readonly firstMs: number
  readonly ceilingMs: number
}

/** Doubles from the first to the ceiling. @param failures how often it failed before @param random in [0, 1) */
export function delayMs(backoff: Backoff, failures: number, random: () => number = Math.random): number {
  const wait = Math.min(backoff.firstMs * 2 ** Math.min(failures, 30), backoff.ceilingMs)
  return wait * (0.75 + random() / 2)
}

const early = { firstMs: 200, ceilingMs: 800 }
const late = { firstMs: 200, ceilingMs: 8_000 }
const earlyMs = 60_000

/** For connections: 0.2 → 1 s while it has failed for less than a minute, then up to 10 s. */
export function reconnectDelayMs(
  failingMs: number,
  failures: number,
  random: () => number = Math.random,
): number {
  return delayMs(failingMs < earlyMs ? early : late, failures, random)
}
