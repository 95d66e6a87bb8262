/**
 * The order of allocation as numbers. Every address that a usable pool gives out has its slot: pool after pool in the
 * order in which they are tried, in each pool its ranges as written, in each range the lower address first. So the
 * address that comes next is the lowest free slot, however many pools and ranges there are.
 */
import { type Config, mayUse, type Pool, usableRanges } from '@landfall/metallb'
import { compareIP, type Family, type IP, lastUpTo, type Range } from '@landfall/netip'
import { usableAt, usableBelow, usableIn } from './usable.ts'

/** Pools that are tried one after the other. */
export interface Stretch {
  readonly layout: Layout
  /** Places of the first and the last of them. */
  readonly first: number
  readonly last: number
}

/** From the first slot up to the end, which is not in it. */
export interface Span {
  readonly first: bigint
  readonly end: bigint
}

/** Consecutive addresses of a pool. */
interface Piece extends Range {
  readonly pool: Pool
  readonly place: number
  readonly slots: Span
}

export class Layout {
  /** Ascending by address. */
  readonly #pieces: readonly Piece[]
  /** Ascending by slot. */
  readonly #inOrder: Readonly<Record<Family, readonly Piece[]>>
  /** The first slot of each pool by its place, and at last the end. */
  readonly #starts: Readonly<Record<Family, readonly bigint[]>>
  readonly #places: ReadonlyMap<Pool, number>

  /** @param pools those of the configuration that are usable, in the order in which they are tried */
  constructor(config: Config, pools: readonly Pool[]) {
    const ranges = Map.groupBy(usableRanges(config), ({ pool }) => pool)
    const pieces: Piece[] = []
    const starts: Record<Family, bigint[]> = { 4: [], 6: [] }
    const ends: Record<Family, bigint> = { 4: 0n, 6: 0n }
    for (const [place, pool] of pools.entries()) {
      for (const family of [4, 6] as const) starts[family].push(ends[family])
      for (const { range } of ranges.get(pool) ?? []) {
        const { family } = range.first
        const slots = { first: ends[family], end: ends[family] + usableIn(pool, range) }
        pieces.push({ first: range.first, last: range.last, pool, place, slots })
        ends[family] = slots.end
      }
    }
    for (const family of [4, 6] as const) starts[family].push(ends[family])
    const of = (family: Family) => pieces.filter(({ first }) => first.family === family)
    this.#inOrder = { 4: of(4), 6: of(6) }
    this.#pieces = pieces.toSorted((a, b) => compareIP(a.first, b.first))
    this.#starts = starts
    this.#places = new Map(pools.map((pool, place) => [pool, place]))
  }

  /** undefined: the pool is not usable. */
  placeOf(pool: Pool): number | undefined {
    return this.#places.get(pool)
  }

  /** The place of the pool that has the address. */
  placeOfIP(ip: IP): number | undefined {
    return this.#pieceOf(ip)?.place
  }

  spanOf({ first, last }: Stretch, family: Family): Span {
    const starts = this.#starts[family]
    return { first: starts[first] ?? 0n, end: starts[last + 1] ?? 0n }
  }

  /** Every address has its own; those that no pool gives out have theirs behind all others. */
  slotOf(ip: IP): bigint {
    const piece = this.#pieceOf(ip)
    if (piece === undefined || !mayUse(piece.pool, ip))
      return (this.#starts[ip.family].at(-1) ?? 0n) + ip.value
    const { first, pool, slots } = piece
    return slots.first + usableBelow(pool, ip) - usableBelow(pool, first)
  }

  /** The address of a slot that a pool has. */
  ipAt(slot: bigint, family: Family): IP | undefined {
    const pieces = this.#inOrder[family]
    let low = 0
    let high = pieces.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((pieces[middle]?.slots.end ?? 0n) <= slot) low = middle + 1
      else high = middle
    }
    const piece = pieces[low]
    if (piece === undefined) return undefined
    return usableAt(piece.pool, family, usableBelow(piece.pool, piece.first) + slot - piece.slots.first)
  }

  #pieceOf(ip: IP): Piece | undefined {
    const piece = this.#pieces[lastUpTo(this.#pieces, ip)]
    return piece !== undefined && compareIP(ip, piece.last) <= 0 ? piece : undefined
  }
}
