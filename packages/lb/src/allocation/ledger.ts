/**
 * Who holds which address, and on which terms. One address has several holders only where all of them share it.
 * The ledger knows no pools. What is free it looks up by slots, in the layout that it was last asked about: when that
 * is another one, as after a change of the configuration, it looks all slots up anew.
 */
import type { Key } from '@landfall/kube/model'
import { equalIP, type Family, formatIP, type IP, type Range } from '@landfall/netip'
import { Intervals } from './intervals.ts'
import { Layout, type Stretch } from './layout.ts'
import type { Sharing } from './request.ts'

export interface Holding {
  readonly ips: readonly IP[]
  readonly sharing: Sharing
}

/** What decisions read of it. */
export interface LedgerView {
  holding(key: Key): readonly IP[]
  /** Who, besides the Service, holds the address on terms that keep the Service out. */
  obstacles(ip: IP, key: Key, sharing: Sharing): readonly Key[]
  /** The first address of these pools that a Service without an address of this family may hold. */
  lowest(pools: Stretch, family: Family, sharing: Sharing): IP | undefined
  /** How many addresses of the range are held. */
  heldIn(range: Range): bigint
}

/** Addresses, or their slots. */
type AddressSet = Readonly<Record<Family, Intervals>>

/** Slots that are held on the same terms, by how many, and where a port is taken on them. */
interface Shared {
  readonly slots: AddressSet
  readonly holders: Readonly<Record<Family, Map<bigint, number>>>
  readonly ports: Map<string, AddressSet>
}

export class Ledger implements LedgerView {
  readonly #holdings = new Map<Key, Holding>()
  /** Most have one alone, for which a set would be large. */
  readonly #holders = new Map<string, Key | Set<Key>>()
  /** By key and backend: all holders of an address have the same. */
  readonly #shared = new Map<string, Shared>()
  readonly #used = emptySet()
  #usedSlots = emptySet()
  #layout = new Layout({ pools: [], peers: [] }, [])

  get size(): number {
    return this.#holdings.size
  }

  holding(key: Key): readonly IP[] {
    return this.#holdings.get(key)?.ips ?? []
  }

  holdings(): Iterable<readonly [Key, readonly IP[]]> {
    return [...this.#holdings].map(([key, { ips }]) => [key, ips] as const)
  }

  /** Replaces what the Service holds; [] releases. */
  set(key: Key, ips: readonly IP[], sharing: Sharing): void {
    const before = this.#holdings.get(key)
    if (before !== undefined && sameHolding(before, { ips, sharing })) return
    if (before !== undefined) this.#release(key, before)
    if (ips.length > 0) this.#hold(key, { ips, sharing })
  }

  /** Releases what the Service holds, and answers what that was. */
  take(key: Key): Holding | undefined {
    const holding = this.#holdings.get(key)
    if (holding !== undefined) this.#release(key, holding)
    return holding
  }

  /** Whether the Service holds exactly this. */
  holds(key: Key, holding: Holding): boolean {
    const now = this.#holdings.get(key)
    return now !== undefined && sameHolding(now, holding)
  }

  obstacles(ip: IP, key: Key, sharing: Sharing): readonly Key[] {
    const holders = this.#holders.get(formatIP(ip))
    if (holders === undefined || holders === key || this.#mayJoin(ip, sharing)) return []
    return (typeof holders === 'string' ? [holders] : [...holders]).filter((other) => {
      const terms = this.#holdings.get(other)?.sharing
      return other !== key && (terms === undefined || !mayShare(terms, sharing))
    })
  }

  lowest(pools: Stretch, family: Family, sharing: Sharing): IP | undefined {
    this.#arrange(pools.layout)
    const { first, end } = pools.layout.spanOf(pools, family)
    const free = this.#usedSlots[family].nextOutside(first)
    const shared = this.#lowestShared(first, end, family, sharing)
    const slot = shared !== undefined && shared < free ? shared : free
    return slot < end ? pools.layout.ipAt(slot, family) : undefined
  }

  heldIn(range: Range): bigint {
    return this.#used[range.first.family].countBetween(range.first.value, range.last.value)
  }

  #arrange(layout: Layout): void {
    if (layout === this.#layout) return
    this.#layout = layout
    this.#usedSlots = emptySet()
    this.#shared.clear()
    for (const { ips, sharing } of this.#holdings.values()) for (const ip of ips) this.#occupy(ip, sharing)
  }

  #lowestShared(first: bigint, end: bigint, family: Family, sharing: Sharing): bigint | undefined {
    const shared = this.#sharedOn(sharing)
    if (shared === undefined) return undefined
    const slots = shared.slots[family]
    const taken = sharing.ports.flatMap((port) => shared.ports.get(port)?.[family] ?? [])
    let slot = slots.nextInside(first)
    while (slot !== undefined && slot < end) {
      const past = taken.reduce((at, where) => where.nextOutside(at), slot)
      if (past === slot && this.#isOnTerms(shared, this.#layout.ipAt(slot, family), slot)) return slot
      slot = slots.nextInside(past === slot ? slot + 1n : past)
    }
    return undefined
  }

  #sharedOn(sharing: Sharing): Shared | undefined {
    return sharing.key === '' ? undefined : this.#shared.get(termsOf(sharing))
  }

  /** That it is held on the same terms, with all ports free. */
  #mayJoin(ip: IP, sharing: Sharing): boolean {
    const shared = this.#sharedOn(sharing)
    if (shared === undefined) return false
    const slot = this.#layout.slotOf(ip)
    if (!this.#isOnTerms(shared, ip, slot)) return false
    return !sharing.ports.some((port) => shared.ports.get(port)?.[ip.family].has(slot))
  }

  /** That each of its holders is on these terms: one of another class is on none. */
  #isOnTerms(shared: Shared, ip: IP | undefined, slot: bigint): boolean {
    if (ip === undefined) return false
    const holders = this.#holders.get(formatIP(ip))
    const all = typeof holders === 'object' ? holders.size : holders === undefined ? 0 : 1
    return shared.holders[ip.family].get(slot) === all
  }

  #hold(key: Key, holding: Holding): void {
    this.#holdings.set(key, holding)
    for (const ip of holding.ips) {
      const text = formatIP(ip)
      const others = this.#holders.get(text)
      this.#holders.set(text, others === undefined ? key : withAnother(others, key))
      this.#used[ip.family].add(ip.value)
      this.#occupy(ip, holding.sharing)
    }
  }

  /** Notes its slot. */
  #occupy(ip: IP, sharing: Sharing): void {
    const { family } = ip
    const slot = this.#layout.slotOf(ip)
    this.#usedSlots[family].add(slot)
    if (sharing.key === '') return
    const terms = termsOf(sharing)
    const shared = this.#shared.get(terms) ?? nothingShared()
    this.#shared.set(terms, shared)
    shared.slots[family].add(slot)
    shared.holders[family].set(slot, (shared.holders[family].get(slot) ?? 0) + 1)
    for (const port of sharing.ports) {
      const taken = shared.ports.get(port) ?? emptySet()
      shared.ports.set(port, taken)
      taken[family].add(slot)
    }
  }

  #release(key: Key, holding: Holding): void {
    this.#holdings.delete(key)
    for (const ip of holding.ips) {
      const text = formatIP(ip)
      const holders = this.#holders.get(text)
      if (typeof holders === 'object') holders.delete(key)
      const isLast = typeof holders !== 'object' || holders.size === 0
      if (isLast) {
        this.#holders.delete(text)
        this.#used[ip.family].delete(ip.value)
      }
      this.#vacate(ip, holding.sharing, isLast)
    }
  }

  #vacate(ip: IP, sharing: Sharing, isLast: boolean): void {
    const { family } = ip
    const slot = this.#layout.slotOf(ip)
    if (isLast) this.#usedSlots[family].delete(slot)
    const shared = this.#sharedOn(sharing)
    if (shared === undefined) return
    for (const port of sharing.ports) {
      const taken = shared.ports.get(port)
      taken?.[family].delete(slot)
      if (taken && isEmpty(taken)) shared.ports.delete(port)
    }
    const left = (shared.holders[family].get(slot) ?? 1) - 1
    if (left > 0) shared.holders[family].set(slot, left)
    else {
      shared.holders[family].delete(slot)
      shared.slots[family].delete(slot)
    }
    if (isEmpty(shared.slots)) this.#shared.delete(termsOf(sharing))
  }
}

function withAnother(holders: Key | Set<Key>, key: Key): Set<Key> {
  return typeof holders === 'string' ? new Set([holders, key]) : holders.add(key)
}

function nothingShared(): Shared {
  return { slots: emptySet(), holders: { 4: new Map(), 6: new Map() }, ports: new Map() }
}

function emptySet(): AddressSet {
  return { 4: new Intervals(), 6: new Intervals() }
}

function isEmpty(set: AddressSet): boolean {
  return set[4].isEmpty && set[6].isEmpty
}

/** What all that share an address have in common. */
function termsOf({ key, backend }: Sharing): string {
  return JSON.stringify([key, backend])
}

/** Same key, same backends, and no port in common. */
function mayShare(a: Sharing, b: Sharing): boolean {
  return (
    a.key !== '' &&
    a.key === b.key &&
    a.backend === b.backend &&
    !a.ports.some((port) => b.ports.includes(port))
  )
}

function sameHolding(a: Holding, b: Holding): boolean {
  return (
    a.ips.length === b.ips.length &&
    a.ips.every((ip, index) => b.ips[index] !== undefined && equalIP(ip, b.ips[index])) &&
    a.sharing.key === b.sharing.key &&
    a.sharing.backend === b.sharing.backend &&
    a.sharing.ports.join() === b.sharing.ports.join()
  )
}
