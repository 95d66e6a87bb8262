/**
 * Many ranges by address. Where several have an address, it belongs to the first of them in the list. Built in
 * O(n log n); an address is found in O(log n), whatever overlaps.
 */
import { compareIP, type Family, type IP } from './ip.ts'
import type { Range } from './range.ts'

/** Consecutive addresses that belong to the same range of the list. */
export interface OwnedRange extends Range {
  /** Index of that range. */
  readonly owner: number
}

export class RangeIndex {
  /** Ascending, without overlaps. */
  readonly parts: readonly OwnedRange[]

  constructor(ranges: readonly Range[]) {
    this.parts = [...partsOf(ranges, 4), ...partsOf(ranges, 6)]
  }

  /** The first range of the list that has the address. */
  find(ip: IP): number | undefined {
    const part = this.parts[lastUpTo(this.parts, ip)]
    return part !== undefined && compareIP(ip, part.last) <= 0 ? part.owner : undefined
  }

  /** The first range of the list that has an address in common with this one. */
  findOverlap(range: Range): number | undefined {
    let found: number | undefined
    for (const { owner } of this.overlapping(range)) {
      found = Math.min(found ?? owner, owner)
      if (found === 0) break
    }
    return found
  }

  /** The parts that have an address in common with the range, ascending. */
  *overlapping(range: Range): Generator<OwnedRange> {
    for (let at = Math.max(0, lastUpTo(this.parts, range.first)); at < this.parts.length; at++) {
      const part = this.parts[at]
      if (part === undefined || compareIP(part.first, range.last) > 0) break
      if (compareIP(part.last, range.first) >= 0) yield part
    }
  }
}

/** Of ranges that ascend, the last one that begins at the address or below; -1 for none. */
export function lastUpTo(ranges: readonly Range[], ip: IP): number {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const range = ranges[middle]
    if (range !== undefined && compareIP(range.first, ip) <= 0) low = middle + 1
    else high = middle
  }
  return low - 1
}

function partsOf(ranges: readonly Range[], family: Family): readonly OwnedRange[] {
  const own: OwnedRange[] = []
  for (const [owner, { first, last }] of ranges.entries()) {
    if (first.family === family) own.push({ first, last, owner })
  }
  const sorted = own.toSorted((a, b) => compareIP(a.first, b.first))
  const isDisjoint = sorted.every(({ first }, at) => first.value > (sorted[at - 1]?.last.value ?? -1n))
  return isDisjoint ? sorted : divided(own, family)
}

/** Between two neighbouring edges all addresses are in the same ranges: each such cell goes to the first that has it. */
function divided(own: readonly OwnedRange[], family: Family): readonly OwnedRange[] {
  const values = own.flatMap(({ first, last }) => [first.value, last.value + 1n])
  const edges = [...new Set(values)].toSorted((a, b) => (a < b ? -1 : 1))
  const cellAt = new Map(edges.map((edge, cell) => [edge, cell]))
  const owners = new Int32Array(edges.length).fill(-1)
  const free = new NextFree(edges.length)
  for (const { first, last, owner } of own) {
    const end = cellAt.get(last.value + 1n) ?? 0
    for (let cell = free.from(cellAt.get(first.value) ?? 0); cell < end; cell = free.from(cell)) {
      owners[cell] = owner
      free.take(cell)
    }
  }
  const parts: OwnedRange[] = []
  for (const [cell, edge] of edges.entries()) {
    const owner = owners[cell] ?? -1
    if (owner < 0) continue
    const isContinued = cell > 0 && owners[cell - 1] === owner
    const before = isContinued ? parts.pop() : undefined
    const last = { family, value: (edges[cell + 1] ?? edge) - 1n }
    parts.push({ first: before?.first ?? { family, value: edge }, last, owner })
  }
  return parts
}

/** Which cells are not taken yet; a taken one points to a later one (paths are halved as they are walked). */
class NextFree {
  readonly #next: Int32Array

  constructor(cells: number) {
    this.#next = Int32Array.from({ length: cells + 1 }, (_, cell) => cell)
  }

  take(cell: number): void {
    this.#next[cell] = cell + 1
  }

  /** The lowest from the cell on. */
  from(cell: number): number {
    let at = cell
    for (let next = this.#at(at); next !== at; next = this.#at(at)) {
      this.#next[at] = this.#at(next)
      at = next
    }
    return at
  }

  #at(cell: number): number {
    return this.#next[cell] ?? cell
  }
}
