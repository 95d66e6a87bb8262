/**
 * Answers ARP requests and neighbor solicitations for the addresses it is given, with the MAC of the interface
 * that was asked. One InterfaceResponder an interface; a change of index or MAC replaces it.
 */
import { arpRequests, MulticastGroups, neighborSolicitations, PacketSocket, SystemError } from '@landfall/net'
import { ipFromBytes } from '@landfall/netip'
import { decodeArpRequest, encodeArpReply, encodeGratuitousArp } from './codec/arp.ts'
import { type AddressKey, bytesOfKey, ethertypeArp, ethertypeIPv6 } from './codec/ethernet.ts'
import {
  decodeNeighborSolicitation,
  encodeNeighborAdvertisement,
  encodeUnsolicitedAdvertisement,
  solicitedNodeGroup,
} from './codec/ndp.ts'
import type { AnsweringInterface } from './core/interface-rules.ts'

const ipv4Length = 4

/** Interface names on which an address answers; undefined: all. */
export type OwnedMap = ReadonlyMap<AddressKey, ReadonlySet<string> | undefined>

export interface ResponderObserver {
  /** Asked for each frame, just before it would go out: whether the right to what is owned is still fresh. */
  mayAnswer(): boolean
  request(address: AddressKey, answered: boolean): void
  gratuitous(address: AddressKey): void
  log(level: 'info' | 'warn', event: string, fields: Readonly<Record<string, string | number>>): void
}

export class Responder {
  readonly #observer: ResponderObserver
  readonly #open = new Map<number, InterfaceResponder>()
  #owned: OwnedMap = new Map()

  constructor(observer: ResponderObserver) {
    this.#observer = observer
  }

  /** Names of interfaces that were opened, or whose carrier came back: they have to be told of what we own. */
  setInterfaces(interfaces: readonly AnsweringInterface[]): readonly string[] {
    const returned: string[] = []
    const wanted = new Map(interfaces.map((i) => [i.index, i]))
    for (const [index, responder] of this.#open) {
      const want = wanted.get(index)
      if (want === undefined || !responder.sameAs(want)) this.#close(index, responder)
    }
    for (const [index, want] of wanted) {
      const known = this.#open.get(index)
      if (known !== undefined) {
        if (want.running && !known.interface.running) returned.push(want.name)
        known.interface = want
      } else if (this.#openOne(want)) returned.push(want.name)
    }
    return returned
  }

  setOwned(owned: OwnedMap): void {
    this.#owned = owned
    for (const responder of this.#open.values()) responder.setOwned(owned)
  }

  /** Names of the interfaces on which the address answers. */
  interfacesOf(address: AddressKey): readonly string[] {
    return [...this.#open.values()].filter((r) => r.serves(address)).map((r) => r.interface.name)
  }

  announce(address: AddressKey): void {
    let sent = false
    for (const responder of this.#open.values()) sent = responder.announce(address) || sent
    if (sent) this.#observer.gratuitous(address)
  }

  close(): void {
    for (const [index, responder] of this.#open) this.#close(index, responder)
  }

  #openOne(wanted: AnsweringInterface): boolean {
    let responder: InterfaceResponder
    try {
      responder = new InterfaceResponder(wanted, this.#observer)
    } catch (error) {
      // It went between the netlink message and now; the next message says so.
      if (error instanceof SystemError && (error.code === 'ENODEV' || error.code === 'ENXIO')) return false
      throw error
    }
    this.#open.set(wanted.index, responder)
    responder.setOwned(this.#owned)
    for (const kind of kindsOf(wanted))
      this.#observer.log('info', `create${kind}Responder`, { interface: wanted.name })
    return true
  }

  #close(index: number, responder: InterfaceResponder): void {
    this.#open.delete(index)
    responder.close()
    for (const kind of kindsOf(responder.interface))
      this.#observer.log('info', `delete${kind}Responder`, { interface: responder.interface.name })
  }
}

function kindsOf(i: AnsweringInterface): readonly ('ARP' | 'NDP')[] {
  return [...(i.arp ? (['ARP'] as const) : []), ...(i.ndp ? (['NDP'] as const) : [])]
}

class InterfaceResponder {
  interface: AnsweringInterface
  readonly #observer: ResponderObserver
  readonly #sockets: PacketSocket[] = []
  readonly #groups: MulticastGroups | undefined
  readonly #arp: PacketSocket | undefined
  readonly #ndp: PacketSocket | undefined
  readonly #joined = new Map<AddressKey, Uint8Array>()
  #owned: OwnedMap = new Map()

  constructor(i: AnsweringInterface, observer: ResponderObserver) {
    this.interface = i
    this.#observer = observer
    try {
      if (i.arp) this.#arp = this.#socket(ethertypeArp, arpRequests, (frame) => this.#onArp(frame))
      if (i.ndp) {
        this.#groups = new MulticastGroups(i.index)
        this.#ndp = this.#socket(ethertypeIPv6, neighborSolicitations, (frame) => this.#onNdp(frame))
      }
    } catch (error) {
      this.close()
      throw error
    }
  }

  sameAs(other: AnsweringInterface): boolean {
    const { name, mac, arp, ndp } = this.interface
    return name === other.name && arp === other.arp && ndp === other.ndp && equalBytes(mac, other.mac)
  }

  serves(address: AddressKey): boolean {
    if (!this.#owned.has(address)) return false
    const only = this.#owned.get(address)
    if (only !== undefined && !only.has(this.interface.name)) return false
    return (address.length === ipv4Length ? this.#arp : this.#ndp) !== undefined
  }

  setOwned(owned: OwnedMap): void {
    this.#owned = owned
    if (this.#groups === undefined) return
    for (const [address, group] of this.#joined) if (!this.serves(address)) this.#leave(address, group)
    for (const address of owned.keys())
      if (address.length !== ipv4Length && this.serves(address) && !this.#joined.has(address))
        this.#join(address)
  }

  announce(address: AddressKey): boolean {
    if (!this.interface.running || !this.serves(address) || !this.#observer.mayAnswer()) return false
    const { mac } = this.interface
    const ip = bytesOfKey(address)
    if (address.length === ipv4Length) return encodeGratuitousArp(mac, ip).every((f) => this.#arp?.send(f))
    return this.#ndp?.send(encodeUnsolicitedAdvertisement(mac, ip)) ?? false
  }

  close(): void {
    for (const socket of this.#sockets) socket.close()
    this.#groups?.close()
  }

  #socket(ethertype: number, filter: Uint8Array, onFrame: (frame: Uint8Array) => void): PacketSocket {
    const socket = new PacketSocket({ interfaceIndex: this.interface.index, ethertype, filter, onFrame })
    this.#sockets.push(socket)
    return socket
  }

  #onArp(frame: Uint8Array): void {
    const request = decodeArpRequest(frame)
    if (request === undefined || !this.serves(request.target) || !this.#observer.mayAnswer()) return
    const reply = encodeArpReply(this.interface.mac, bytesOfKey(request.target), request)
    this.#observer.request(request.target, this.#arp?.send(reply) ?? false)
  }

  #onNdp(frame: Uint8Array): void {
    const asked = decodeNeighborSolicitation(frame)
    if (asked === undefined || !this.serves(asked.target) || !this.#observer.mayAnswer()) return
    const reply = encodeNeighborAdvertisement(this.interface.mac, asked, bytesOfKey(asked.target))
    this.#observer.request(asked.target, this.#ndp?.send(reply) ?? false)
  }

  #join(address: AddressKey): void {
    const bytes = solicitedNodeGroup(bytesOfKey(address))
    const group = ipFromBytes(bytes)
    if (group === undefined) return
    try {
      this.#groups?.join(group)
      this.#joined.set(address, bytes)
    } catch (error) {
      // A link that just went; when it returns, it has a responder of its own.
      if (!(error instanceof SystemError)) throw error
      this.#observer.log('warn', 'joinGroupFailed', { interface: this.interface.name, error: error.message })
    }
  }

  #leave(address: AddressKey, bytes: Uint8Array): void {
    const group = ipFromBytes(bytes)
    if (group !== undefined) this.#groups?.leave(group)
    this.#joined.delete(address)
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
