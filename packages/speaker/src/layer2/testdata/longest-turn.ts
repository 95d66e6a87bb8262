/**
 * What a turn of this thread's event loop costs at most, by the CPU time between two firings of a timer: that of the turn,
 * and of no more than a millisecond of short ones before it.
 */

const everyMs = 1

export class LongestTurn {
  #busyAt = busyMs()
  #longest = 0

  constructor() {
    setInterval(() => this.#look(), everyMs).unref()
  }

  /** What was done until now is none of it. */
  skip(): void {
    this.#busyAt = busyMs()
  }

  /** In ms, since the last call. */
  take(): number {
    const longest = this.#longest
    this.#longest = 0
    return longest
  }

  #look(): void {
    const busy = busyMs()
    this.#longest = Math.max(this.#longest, busy - this.#busyAt)
    this.#busyAt = busy
  }
}

function busyMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
