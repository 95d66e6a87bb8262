/**
 * The routers of the links that unnumbered sessions run over: on each interface we advertise ourselves and hear the
 * one router that is there (RFC 4861), which is asked for as long as none is. What we said last is that we are going, unless
 * we are back soon.
 */
import { type Interface, PacketSocket, routerAdvertisements, SystemError } from '@landfall/net'
import { equalIP, type IP, isLinkLocal } from '@landfall/netip'
import type { Logger } from '@landfall/telemetry'
import { decodeAdvertisement, encodeAdvertisement, encodeSolicitation } from './router-discovery.ts'

const ipv6 = 0x86dd
const lifetimeSeconds = 30
const usualMs = 10_000
/** The first ones come quicker (§6.2.4), so that a session begins soon. */
const firstMs = 1000
const firstOnes = 3
/** Of a router that wants to be nobody's default: AdvDefaultLifetime, as it names no other time (§6.2.1). */
const neighborOnlyMs = 1_800_000

export interface LinkRoutersOptions {
  readonly interfaces: () => readonly Interface[]
  readonly logger: Logger
  /** A router came, or another one, on the interface. */
  readonly onRouter: (name: string) => void
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

  /** `restart`: without a word, as the routers keep what goes by us. */
  close(restart: boolean): void {
    for (const link of this.#links.values()) link.close(restart)
    this.#links.clear()
  }
}

class Link {
  readonly #name: string
  readonly #options: LinkRoutersOptions
  #socket: { readonly index: number; readonly packets: PacketSocket } | undefined
  #timer: NodeJS.Timeout | undefined
  #sent = 0
  #heard: { readonly address: IP; readonly until: number; readonly isDefault: boolean } | undefined

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

  close(quietly = false): void {
    clearTimeout(this.#timer)
    if (!quietly) this.#send(0)
    this.#socket?.packets.close()
    this.#socket = undefined
  }

  #advertise(): void {
    clearTimeout(this.#timer)
    this.#send(lifetimeSeconds)
    this.#sent++
    this.#timer = setTimeout(() => this.#advertise(), this.#sent <= firstOnes ? firstMs : usualMs)
  }

  /** Asks for a router, too, where none is known. */
  #send(lifetime: number): void {
    const home = this.#home()
    const own = home?.addresses.find(({ ip, tentative }) => !tentative && ip.family === 6 && isLinkLocal(ip))
    if (home === undefined || own === undefined) return
    const socket = this.#socket?.index === home.index ? this.#socket.packets : this.#open(home.index)
    socket?.send(encodeAdvertisement(home.mac, own.ip, lifetime))
    if (lifetime > 0 && this.router === undefined) socket?.send(encodeSolicitation(home.mac, own.ip))
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
    const { address, lifetimeSeconds } = heard
    const isKnown = known !== undefined && equalIP(known, address)
    const isDefault = lifetimeSeconds > 0
    if (!isDefault && isKnown && this.#heard?.isDefault === true) {
      this.#heard = undefined
      return
    }
    const lastsMs = isDefault ? lifetimeSeconds * 1000 : neighborOnlyMs
    this.#heard = { address, until: performance.now() + lastsMs, isDefault }
    if (isKnown) return
    // A router that just came has to hear of us too.
    this.#advertise()
    this.#options.onRouter(this.#name)
  }
}
