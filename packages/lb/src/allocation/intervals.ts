/**
 * A set of numbers as sorted runs that never touch. Finds the lowest number outside of the set in O(log runs),
 * however many numbers there are: a pool that is handed out from its start is a single run.
 */

interface Run {
  readonly first: bigint
  readonly last: bigint
}

export class Intervals {
  readonly #runs: Run[] = []

  get isEmpty(): boolean {
    return this.#runs.length === 0
  }

  add(value: bigint): void {
    const at = this.#after(value)
    const before = this.#runs[at - 1]
    if (before !== undefined && value <= before.last) return
    const next = this.#runs[at]
    const joinsBefore = before !== undefined && before.last + 1n === value
    const joinsNext = next !== undefined && next.first === value + 1n
    const run = {
      first: joinsBefore ? before.first : value,
      last: joinsNext ? next.last : value,
    }
    this.#runs.splice(joinsBefore ? at - 1 : at, Number(joinsBefore) + Number(joinsNext), run)
  }

  delete(value: bigint): void {
    const at = this.#after(value) - 1
    const run = this.#runs[at]
    if (run === undefined || value > run.last) return
    const rest: Run[] = []
    if (run.first < value) rest.push({ first: run.first, last: value - 1n })
    if (value < run.last) rest.push({ first: value + 1n, last: run.last })
    this.#runs.splice(at, 1, ...rest)
  }

  has(value: bigint): boolean {
    const run = this.#runs[this.#after(value) - 1]
    return run !== undefined && value <= run.last
  }

  /** The lowest number from `from` on that is not in the set. */
  nextOutside(from: bigint): bigint {
    const run = this.#runs[this.#after(from) - 1]
    return run !== undefined && from <= run.last ? run.last + 1n : from
  }

  /** The lowest number from `from` on that is in the set. */
  nextInside(from: bigint): bigint | undefined {
    const at = this.#after(from)
    const run = this.#runs[at - 1]
    return run !== undefined && from <= run.last ? from : this.#runs[at]?.first
  }

  /** How many numbers between the two, both included, are in the set. */
  countBetween(first: bigint, last: bigint): bigint {
    let count = 0n
    for (let at = Math.max(0, this.#after(first) - 1); at < this.#runs.length; at++) {
      const run = this.#runs[at]
      if (run === undefined || run.first > last) break
      const from = run.first > first ? run.first : first
      const to = run.last < last ? run.last : last
      if (to >= from) count += to - from + 1n
    }
    return count
  }

  /** Index of the first run that begins above the value. */
  #after(value: bigint): number {
    let low = 0
    let high = this.#runs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const run = this.#runs[middle]
      if (run !== undefined && run.first <= value) low = middle + 1
      else high = middle
    }
    return low
  }
}
