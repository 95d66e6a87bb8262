/**
 * Answers ARP requests and neighbor solicitations for the addresses it is given, with the MAC of the interface
 * that was asked. One ring for each protocol over all interfaces; the kernel hands over requests alone, of those
 * interfaces alone. A change costs what it changes: an address a few groups, an interface a filter.
 */
import { arpRequests, neighborSolicitations, PacketRing } from '@landfall/net'
import { decodeArpRequest, encodeArpReply, encodeGratuitousArp } from './codec/arp.ts'
import { type AddressKey, bytesOfKey, ethertypeArp, ethertypeIPv6 } from './codec/ethernet.ts'
import {
  decodeNeighborSolicitation,
  encodeNeighborAdvertisement,
  encodeUnsolicitedAdvertisement,
} from './codec/ndp.ts'
import type { AnsweringInterface } from './core/interface-rules.ts'
import { type LogResponder, type Owned, ResponderLink } from './responder-link.ts'

const ipv4Length = 4

/** Interface names on which an address answers; undefined: all. */
export type OwnedMap = ReadonlyMap<AddressKey, ReadonlySet<string> | undefined>

export interface ResponderObserver {
  /** Asked for each frame, just before it would go out: whether the right to what is owned is still fresh. */
  mayAnswer(): boolean
  request(address: AddressKey, answered: boolean): void
  gratuitous(address: AddressKey): void
  readonly log: LogResponder
}

export class Responder {
  readonly #observer: ResponderObserver
  readonly #links = new Map<number, ResponderLink>()
  readonly #owned = new Map<AddressKey, Owned>()
  #arp: PacketRing | undefined
  #ndp: PacketRing | undefined
  /** Indices that each ring's filter lets through. */
  #heard = { arp: '', ndp: '' }

  constructor(observer: ResponderObserver) {
    this.#observer = observer
  }

  /**
   * Names of interfaces that are new, renamed, have another MAC, or whose carrier came back: they have to be told
   * of what we own. Throws SystemError, EPERM without CAP_NET_RAW.
   */
  setInterfaces(interfaces: readonly AnsweringInterface[]): readonly string[] {
    const returned: string[] = []
    const wanted = new Map(interfaces.map((i) => [i.index, i]))
    for (const [index, link] of this.#links) {
      if (wanted.has(index)) continue
      this.#links.delete(index)
      link.close()
    }
    for (const [index, want] of wanted) {
      const known = this.#links.get(index)
      if (known === undefined) this.#links.set(index, new ResponderLink(want, this.#observer.log))
      if (known === undefined || known.become(want)) returned.push(want.name)
    }
    this.#listen(interfaces)
    this.#joinGroups()
    return returned
  }

  /** Everything that is owned; the difference to before is what costs. */
  setOwned(owned: OwnedMap): void {
    for (const address of this.#owned.keys()) if (!owned.has(address)) this.disown(address)
    for (const [address, only] of owned) this.own(address, only)
  }

  own(address: AddressKey, only: ReadonlySet<string> | undefined): void {
    const known = this.#owned.get(address)
    if (known !== undefined && sameSet(known.only, only)) return
    const owned = { only, group: address.length === ipv4Length ? undefined : last24Bits(address) }
    this.#owned.set(address, owned)
    for (const link of this.#links.values()) {
      link.join(owned)
      if (known !== undefined) link.leave(known)
    }
  }

  disown(address: AddressKey): void {
    const known = this.#owned.get(address)
    if (known === undefined) return
    this.#owned.delete(address)
    for (const link of this.#links.values()) link.leave(known)
  }

  /** Names of the interfaces on which the address answers. */
  interfacesOf(address: AddressKey): readonly string[] {
    const owned = this.#owned.get(address)
    if (owned === undefined) return []
    return [...this.#links.values()].filter((link) => link.serves(owned)).map((link) => link.interface.name)
  }

  /** Whether the kernel took every frame; false also where no interface has a carrier. */
  announce(address: AddressKey): boolean {
    const owned = this.#owned.get(address)
    if (owned === undefined) return false
    const on = [...this.#links.values()].filter((link) => link.interface.running && link.serves(owned))
    const sent = on.map((link) => this.#announceOn(link.interface, address))
    if (sent.includes(true)) this.#observer.gratuitous(address)
    return sent.length > 0 && !sent.includes(false)
  }

  close(): void {
    this.#arp?.close()
    this.#ndp?.close()
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
  }

  #announceOn({ index, mac }: AnsweringInterface, address: AddressKey): boolean {
    const ip = bytesOfKey(address)
    const [ring, frames] =
      ip.length === ipv4Length
        ? [this.#arp, encodeGratuitousArp(mac, ip)]
        : [this.#ndp, [encodeUnsolicitedAdvertisement(mac, ip)]]
    return frames.every((frame) => this.#observer.mayAnswer() && ring?.send(frame, index))
  }

  #listen(interfaces: readonly AnsweringInterface[]): void {
    const arp = interfaces.filter((i) => i.arp).map(({ index }) => index)
    const ndp = interfaces.filter((i) => i.ndp).map(({ index }) => index)
    if (arp.join() !== this.#heard.arp) {
      if (this.#arp === undefined) this.#arp = this.#openArp(arp)
      else this.#arp.setFilter(arpRequests(arp))
    }
    if (ndp.join() !== this.#heard.ndp) {
      if (this.#ndp === undefined) this.#ndp = this.#openNdp(ndp)
      else this.#ndp.setFilter(neighborSolicitations(ndp))
    }
    this.#heard = { arp: arp.join(), ndp: ndp.join() }
  }

  #openArp(interfaces: readonly number[]): PacketRing {
    return new PacketRing({
      ethertype: ethertypeArp,
      slotBytes: 128,
      filter: arpRequests(interfaces),
      onFrame: (frame, index) => this.#onArp(frame, index),
    })
  }

  #openNdp(interfaces: readonly number[]): PacketRing {
    return new PacketRing({
      ethertype: ethertypeIPv6,
      slotBytes: 256,
      filter: neighborSolicitations(interfaces),
      onFrame: (frame, index) => this.#onNdp(frame, index),
    })
  }

  #joinGroups(): void {
    if (this.#ndp === undefined) return
    for (const link of this.#links.values()) {
      if (!link.needsGroups(this.#ndp)) continue
      for (const owned of this.#owned.values()) link.join(owned)
    }
  }

  #onArp(frame: Uint8Array, index: number): void {
    const request = decodeArpRequest(frame)
    if (request === undefined) return
    const mac = this.#answerFor(request.target, index)
    if (mac === undefined) return
    const reply = encodeArpReply(mac, bytesOfKey(request.target), request)
    this.#observer.request(request.target, this.#arp?.send(reply, index) ?? false)
  }

  #onNdp(frame: Uint8Array, index: number): void {
    const asked = decodeNeighborSolicitation(frame)
    if (asked === undefined) return
    const mac = this.#answerFor(asked.target, index)
    if (mac === undefined) return
    const reply = encodeNeighborAdvertisement(mac, asked, bytesOfKey(asked.target))
    this.#observer.request(asked.target, this.#ndp?.send(reply, index) ?? false)
  }

  /** The MAC to answer with; undefined: not at all. */
  #answerFor(address: AddressKey, index: number): Uint8Array | undefined {
    const owned = this.#owned.get(address)
    const link = this.#links.get(index)
    if (owned === undefined || link === undefined || !link.serves(owned)) return undefined
    return this.#observer.mayAnswer() ? link.interface.mac : undefined
  }
}

function last24Bits(address: AddressKey): number {
  return (address.charCodeAt(13) << 16) | (address.charCodeAt(14) << 8) | address.charCodeAt(15)
}

function sameSet(a: ReadonlySet<string> | undefined, b: ReadonlySet<string> | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a === b || (a.size === b.size && [...a].every((item) => b.has(item)))
}
