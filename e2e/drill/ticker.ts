/** How late this process runs its timers: what it measures is not better than that. */

export interface Ticker {
  /** The worst lateness since the last call. */
  take(): number
  stop(): void
}

const everyMs = 10

export function startTicker(): Ticker {
  let last = performance.now()
  let worst = 0
  const timer = setInterval(() => {
    const now = performance.now()
    worst = Math.max(worst, now - last - everyMs)
    last = now
  }, everyMs)
  return {
    take: () => {
      const taken = worst
      worst = 0
      return taken
    },
    stop: () => clearInterval(timer),
  }
}
