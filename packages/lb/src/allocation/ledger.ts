/**
 * Who holds which address, and on which terms. One address has several holders only where all of them share it.
 * The ledger knows no pools, so a change of the configuration does not touch it.
 */
import type { Key } from '@landfall/kube/model'
import { type Family, formatIP, type IP, type Range, rangeContains } from '@landfall/netip'
import { Intervals } from './intervals.ts'
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
  /** The lowest address of the range that the Service may hold. */
  lowest(range: Range, key: Key, sharing: Sharing, mayUse: (ip: IP) => boolean): IP | undefined
  /** How many addresses of the range are held. */
  heldIn(range: Range): bigint
}

export class Ledger implements LedgerView {
  readonly #holdings = new Map<Key, Holding>()
  readonly #holders = new Map<string, readonly Key[]>()
  /** Addresses that are held under a sharing key. */
  readonly #shared = new Map<string, Map<string, IP>>()
  readonly #used: Readonly<Record<Family, Intervals>> = { 4: new Intervals(), 6: new Intervals() }

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
    const holders = this.#holders.get(formatIP(ip)) ?? []
    return holders.filter((other) => {
      const terms = this.#holdings.get(other)?.sharing
      return other !== key && (terms === undefined || !mayShare(terms, sharing))
    })
  }

  lowest(range: Range, key: Key, sharing: Sharing, mayUse: (ip: IP) => boolean): IP | undefined {
    const free = this.#lowestFree(range, mayUse)
    let best = free
    const candidates = sharing.key === '' ? [] : (this.#shared.get(sharing.key)?.values() ?? [])
    for (const ip of candidates) {
      if (best !== undefined && ip.value >= best.value) continue
      if (rangeContains(range, ip) && mayUse(ip) && this.obstacles(ip, key, sharing).length === 0) best = ip
    }
    return best
  }

  heldIn(range: Range): bigint {
    return this.#used[range.first.family].countBetween(range.first.value, range.last.value)
  }

  #lowestFree(range: Range, mayUse: (ip: IP) => boolean): IP | undefined {
    const { family } = range.first
    const used = this.#used[family]
    let value = used.nextOutside(range.first.value)
    while (value <= range.last.value) {
      const ip = { family, value }
      if (mayUse(ip)) return ip
      value = used.nextOutside(value + 1n)
    }
    return undefined
  }

  #hold(key: Key, holding: Holding): void {
    this.#holdings.set(key, holding)
    for (const ip of holding.ips) {
      const text = formatIP(ip)
      this.#holders.set(text, [...(this.#holders.get(text) ?? []), key])
      this.#used[ip.family].add(ip.value)
      if (holding.sharing.key === '') continue
      const shared = this.#shared.get(holding.sharing.key) ?? new Map<string, IP>()
      this.#shared.set(holding.sharing.key, shared.set(text, ip))
    }
  }

  #release(key: Key, holding: Holding): void {
    this.#holdings.delete(key)
    for (const ip of holding.ips) {
      const text = formatIP(ip)
      const others = this.#holders.get(text)?.filter((other) => other !== key) ?? []
      if (others.length > 0) {
        this.#holders.set(text, others)
        continue
      }
      this.#holders.delete(text)
      this.#used[ip.family].delete(ip.value)
      const shared = this.#shared.get(holding.sharing.key)
      shared?.delete(text)
      if (shared?.size === 0) this.#shared.delete(holding.sharing.key)
    }
  }
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
    a.ips.map(formatIP).join() === b.ips.map(formatIP).join() &&
    a.sharing.key === b.sharing.key &&
    a.sharing.backend === b.sharing.backend &&
    a.sharing.ports.join() === b.sharing.ports.join()
  )
}
