/**
 * The interfaces that netlink messages tell of. Knows what a message changes, so that what changes nothing (a
 * counter, a repeated dump) costs nothing, and keeps the value of an interface that did not change.
 */
import { equalIP } from '@landfall/netip'
import type { Link, LinkAddress, NetlinkMessage } from './netlink-messages.ts'

export type InterfaceAddress = Omit<LinkAddress, 'index'>

export interface Interface extends Link {
  readonly addresses: readonly InterfaceAddress[]
}

export class InterfaceTable {
  #links = new Map<number, Link>()
  #addresses = new Map<number, Map<string, LinkAddress>>()
  readonly #built = new Map<number, Interface>()
  #snapshot: readonly Interface[] | undefined

  /** Whether it changed anything. */
  apply(message: NetlinkMessage): boolean {
    switch (message.kind) {
      case 'link': {
        const { link } = message
        if (sameLink(this.#links.get(link.index), link)) return false
        this.#links.set(link.index, link)
        return this.#changed(link.index)
      }
      case 'linkGone':
        this.#addresses.delete(message.link.index)
        return this.#links.delete(message.link.index) && this.#changed(message.link.index)
      case 'address': {
        const { address } = message
        const addresses = this.#addressesOf(address.index)
        if (sameAddress(addresses.get(keyOf(address)), address)) return false
        addresses.set(keyOf(address), address)
        return this.#changed(address.index)
      }
      case 'addressGone': {
        const { address } = message
        return this.#addressesOf(address.index).delete(keyOf(address)) && this.#changed(address.index)
      }
      default:
        return false
    }
  }

  /** Takes over the content of a fresh table; whether there was a difference. */
  become(fresh: InterfaceTable): boolean {
    let changed = false
    for (const index of new Set([...this.#links.keys(), ...fresh.#links.keys()])) {
      const same =
        sameLink(this.#links.get(index), fresh.#links.get(index)) &&
        sameAddresses(this.#addresses.get(index), fresh.#addresses.get(index))
      if (!same) changed = this.#changed(index)
    }
    this.#links = fresh.#links
    this.#addresses = fresh.#addresses
    return changed
  }

  /** Sorted by index. */
  snapshot(): readonly Interface[] {
    this.#snapshot ??= [...this.#links.values()]
      .toSorted((a, b) => a.index - b.index)
      .map((link) => this.#build(link))
    return this.#snapshot
  }

  #build(link: Link): Interface {
    let built = this.#built.get(link.index)
    if (built === undefined) {
      built = { ...link, addresses: [...(this.#addresses.get(link.index)?.values() ?? [])] }
      this.#built.set(link.index, built)
    }
    return built
  }

  #changed(index: number): true {
    this.#built.delete(index)
    this.#snapshot = undefined
    return true
  }

  #addressesOf(index: number): Map<string, LinkAddress> {
    let addresses = this.#addresses.get(index)
    if (addresses === undefined) this.#addresses.set(index, (addresses = new Map()))
    return addresses
  }
}

function keyOf(address: LinkAddress): string {
  return `${address.ip.family}-${address.ip.value}/${address.prefixLength}`
}

function sameLink(a: Link | undefined, b: Link | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  const { mac: macA, ...restA } = a
  const { mac: macB, ...restB } = b
  const keys = Object.keys(restA) as (keyof typeof restA)[]
  return Buffer.compare(macA, macB) === 0 && keys.every((key) => restA[key] === restB[key])
}

function sameAddress(a: LinkAddress | undefined, b: LinkAddress): boolean {
  if (a === undefined) return false
  return equalIP(a.ip, b.ip) && a.tentative === b.tentative && a.duplicate === b.duplicate
}

function sameAddresses(
  a: ReadonlyMap<string, LinkAddress> = new Map(),
  b: ReadonlyMap<string, LinkAddress> = new Map(),
): boolean {
  return a.size === b.size && [...b].every(([key, address]) => sameAddress(a.get(key), address))
}
