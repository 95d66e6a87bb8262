/**
 * The routers of the links that unnumbered sessions run over: on each interface we advertise ourselves and hear the
 * one router that is there (RFC 4861). What we said last is that we are going.
 */
import { type Interface, PacketSocket, routerAdvertisements, SystemError } from '@landfall/net'
import { equalIP, type IP, isLinkLocal } from '@landfall/netip'
import type { Logger } from '@landfall/telemetry'
import { decodeAdvertisement, encodeAdvertisement } from './router-advertisement.ts'

const ipv6 = 0x86dd
const lifetimeSeconds = 30
const usualMs = 10_000
/** The first ones come quicker (§6.2.4), so that a session begins soon. */
const firstMs = 1000
const firstOnes = 3

export interface LinkRoutersOptions {
  readonly interfaces: () => readonly Interface[]
  readonly logger: Logger
}

export class LinkRouters {
  readonly #options: LinkRoutersOptions
  readonly #links = new Map<string, Link>()

  constructor(options: LinkRoutersOptions) {
    this.#options = options
  }

  setInterfaces(names: readonly string[]): void {
    for (const [name, link] of this.#links) {
      if (names.includes(name)) continue
      link.close()
      this.#links.delete(name)
    }
    for (const name of names) if (!this.#links.has(name)) this.#links.set(name, new Link(name, this.#options))
  }

  interfacesChanged(): void {
    for (const link of this.#links.values()) link.refresh()
  }

  /** The router heard there last, while it is alive. */
  of(name: string): IP | undefined {
    return this.#links.get(name)?.router
  }

  close(): void {
    this.setInterfaces([])
  }
}

class Link {
  readonly #name: string
  readonly #options: LinkRoutersOptions
  #socket: { readonly index: number; readonly packets: PacketSocket } | undefined
  #timer: NodeJS.Timeout | undefined
  #sent = 0
  #heard: { readonly address: IP; readonly until: number } | undefined

  constructor(name: string, options: LinkRoutersOptions) {
    this.#name = name
    this.#options = options
    this.#advertise()
  }

  get router(): IP | undefined {
    return this.#heard !== undefined && performance.now() < this.#heard.until
      ? this.#heard.address
      : undefined
  }

  refresh(): void {
    const home = this.#home()
    if (home?.index !== this.#socket?.index) this.#advertise()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#send(0)
    this.#socket?.packets.close()
    this.#socket = undefined
  }

  #advertise(): void {
    clearTimeout(this.#timer)
    this.#send(lifetimeSeconds)
    this.#sent++
    this.#timer = setTimeout(() => this.#advertise(), this.#sent <= firstOnes ? firstMs : usualMs)
  }

  #send(lifetime: number): void {
    const home = this.#home()
    const own = home?.addresses.find(({ ip, tentative }) => !tentative && ip.family === 6 && isLinkLocal(ip))
    if (home === undefined || own === undefined) return
    const socket = this.#socket?.index === home.index ? this.#socket.packets : this.#open(home.index)
    socket?.send(encodeAdvertisement(home.mac, own.ip, lifetime))
  }

  #home(): Interface | undefined {
    return this.#options.interfaces().find(({ name }) => name === this.#name)
  }

  /** An interface that is created anew has another index, and needs another socket. */
  #open(index: number): PacketSocket | undefined {
    this.#socket?.packets.close()
    this.#socket = undefined
    try {
      const packets = new PacketSocket({
        interfaceIndex: index,
        ethertype: ipv6,
        filter: routerAdvertisements,
        onFrame: (frame) => this.#onFrame(frame),
      })
      this.#socket = { index, packets }
      return packets
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      this.#options.logger.warn('linkNotHeard', { interface: this.#name, error }, 'routers cannot be heard')
      return undefined
    }
  }

  #onFrame(frame: Uint8Array): void {
    const heard = decodeAdvertisement(frame)
    if (heard === undefined) return
    const known = this.router
    const { address } = heard
    if (heard.lifetimeSeconds === 0) {
      if (known !== undefined && equalIP(known, address)) this.#heard = undefined
      return
    }
    this.#heard = { address, until: performance.now() + heard.lifetimeSeconds * 1000 }
    // A router that just came has to hear of us too.
    if (known === undefined || !equalIP(known, address)) this.#advertise()
  }
}
