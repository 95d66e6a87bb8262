/**
 * Answers ARP requests and neighbor solicitations for the addresses it is given, with the MAC of the interface
 * that was asked. One ring for each protocol over all interfaces; the kernel hands over requests alone, of those
 * interfaces alone. A change costs what it changes: an address a few groups, an interface a filter.
 */
import { arpRequests, neighborSolicitations, OwnKernel, PacketRing } from '@landfall/net'
import { type IP, ipBytes } from '@landfall/netip'
import { decodeArpRequest, encodeArpReply, encodeArpRequest, encodeGratuitousArp } from './codec/arp.ts'
import { type AddressKey, bytesOfKey, ethertypeArp, ethertypeIPv6 } from './codec/ethernet.ts'
import {
  decodeNeighborSolicitation,
  encodeNeighborAdvertisement,
  encodeNeighborSolicitation,
  encodeUnsolicitedAdvertisement,
} from './codec/ndp.ts'
import { type AnsweringInterface, neighborOf } from './core/interface-rules.ts'
import { type LinkObserver, type Owned, ResponderLink } from './responder-link.ts'

const ipv4Length = 4
/** Where the ICMPv6 message of a frame starts. */
const icmpAt = 54

/** Interface names on which an address answers; undefined: all. */
export type OwnedMap = ReadonlyMap<AddressKey, ReadonlySet<string> | undefined>

export interface ResponderObserver extends LinkObserver {
  /**
   * Asked for each frame once it is made, so that nothing is between the word and the kernel's call: whether the right
   * to what is owned is still fresh. (A process that is stopped right there sends that one frame when it wakes.)
   */
  mayAnswer(): boolean
  request(address: AddressKey, answered: boolean): void
  gratuitous(address: AddressKey): void
}

export class Responder {
  readonly #observer: ResponderObserver
  readonly #links = new Map<number, ResponderLink>()
  readonly #owned = new Map<AddressKey, Owned>()
  #arp: PacketRing | undefined
  #ndp: PacketRing | undefined
  readonly #ownKernel = new OwnKernel()
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
      if (known === undefined) this.#links.set(index, new ResponderLink(want, this.#observer))
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

  /** Whether that is new: then those on the interfaces have to be told. */
  own(address: AddressKey, only: ReadonlySet<string> | undefined): boolean {
    const known = this.#owned.get(address)
    if (known !== undefined && sameSet(known.only, only)) return false
    const owned = { only, group: address.length === ipv4Length ? undefined : last24Bits(address) }
    this.#owned.set(address, owned)
    for (const link of this.#links.values()) {
      link.join(owned)
      if (known !== undefined) link.leave(known)
    }
    return true
  }

  disown(address: AddressKey): void {
    const known = this.#owned.get(address)
    if (known === undefined) return
    this.#owned.delete(address)
    for (const link of this.#links.values()) link.leave(known)
  }

  /** Names of the interfaces on which the address answers. One whose carrier was lost just now counts. */
  interfacesOf(address: AddressKey): readonly string[] {
    const owned = this.#owned.get(address)
    if (owned === undefined) return []
    const links = [...this.#links.values()].filter((link) => link.serves(owned) && !link.isCut)
    return links.map((link) => link.interface.name)
  }

  /**
   * Whether the kernel took every frame; false also where no interface has a carrier.
   * @param name of one interface; all unless given
   */
  announce(address: AddressKey, name?: string): boolean {
    const owned = this.#owned.get(address)
    if (owned === undefined) return false
    const on = [...this.#links.values()].filter((link) => link.interface.running && link.serves(owned))
    const those = on.filter((link) => name === undefined || link.interface.name === name)
    const sent = those.map((link) => this.#announceOn(link.interface, address))
    if (sent.includes(true)) this.#observer.gratuitous(address)
    return sent.length > 0 && !sent.includes(false)
  }

  /**
   * Has this host's kernel, and those of its neighbors, know each other again. A kernel that asked in vain while a link
   * was away asks again after up to a second.
   * @param names of interfaces; all unless given
   */
  reacquaint(hosts: readonly IP[], names?: readonly string[]): void {
    for (const { interface: i } of this.#links.values()) {
      if (names?.includes(i.name) === false || !i.running) continue
      for (const host of hosts) {
        const own = neighborOf(i, host)
        if (own !== undefined) this.#ask(i, ipBytes(own), ipBytes(host))
      }
    }
  }

  close(): void {
    this.#arp?.close()
    this.#ndp?.close()
    this.#ownKernel.close()
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
  }

  #ask({ index, mac, arp, ndp }: AnsweringInterface, own: Uint8Array, host: Uint8Array): void {
    if (host.length !== ipv4Length) {
      if (ndp) this.#ndp?.send(encodeNeighborSolicitation(mac, own, host), index)
    } else if (arp) this.#arp?.send(encodeArpRequest(mac, own, host), index)
  }

  #announceOn({ index, mac }: AnsweringInterface, address: AddressKey): boolean {
    const ip = bytesOfKey(address)
    if (ip.length === ipv4Length)
      return encodeGratuitousArp(mac, ip).every(
        (frame) => this.#observer.mayAnswer() && this.#arp?.send(frame, index),
      )
    const frame = encodeUnsolicitedAdvertisement(mac, ip)
    if (!this.#observer.mayAnswer()) return false
    // Packets of connections that were open when the address moved are nobody's here: this kernel redirects their
    // clients to whom it believes the owner to be (RFC 4861 §8), and they believe it.
    this.#ownKernel.advertise(frame.subarray(icmpAt), index)
    return this.#observer.mayAnswer() && (this.#ndp?.send(frame, index) ?? false)
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
      slotBytes: 160,
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
    const mac = this.#macFor(request.target, index)
    if (mac === undefined) return
    const reply = encodeArpReply(mac, bytesOfKey(request.target), request)
    if (!this.#observer.mayAnswer()) return
    this.#observer.request(request.target, this.#arp?.send(reply, index) ?? false)
  }

  #onNdp(frame: Uint8Array, index: number): void {
    const asked = decodeNeighborSolicitation(frame)
    if (asked === undefined) return
    const mac = this.#macFor(asked.target, index)
    if (mac === undefined) return
    const reply = encodeNeighborAdvertisement(mac, asked, bytesOfKey(asked.target))
    if (!this.#observer.mayAnswer()) return
    this.#observer.request(asked.target, this.#ndp?.send(reply, index) ?? false)
  }

  /** Of the interface that was asked; undefined: the address does not answer there. */
  #macFor(address: AddressKey, index: number): Uint8Array | undefined {
    const owned = this.#owned.get(address)
    const link = this.#links.get(index)
    return owned === undefined || !link?.serves(owned) ? undefined : link.interface.mac
  }
}

function last24Bits(address: AddressKey): number {
  return (address.charCodeAt(13) << 16) | (address.charCodeAt(14) << 8) | address.charCodeAt(15)
}

function sameSet(a: ReadonlySet<string> | undefined, b: ReadonlySet<string> | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a === b || (a.size === b.size && [...a].every((item) => b.has(item)))
}
