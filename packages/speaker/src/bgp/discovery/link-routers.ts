/**
 * The routers of the links that unnumbered sessions run over: on each interface we advertise ourselves and hear the
 * one router that is there (RFC 4861), which is asked for as long as none is. Others beside it, as the speakers of other nodes,
 * do not count while it is heard. What we said last is that we are going, unless we are back soon.
 */
import {
  type Interface,
  PacketSocket,
  type PacketSocketOptions,
  routerAdvertisements,
  SystemError,
} from '@landfall/net'
import { equalIP, type IP, isLinkLocal } from '@landfall/netip'
import type { Logger } from '@landfall/telemetry'
import { decodeAdvertisement, encodeAdvertisement, encodeSolicitation } from './router-discovery.ts'

const ipv6 = 0x86dd
const lifetimeSeconds = 30
const usualMs = 10_000
/** The first ones come quicker (§6.2.4), so that a session begins soon. */
const firstMs = 1000
const firstOnes = 3
/** Between an advertisement and one that answers another's (§6.2.6). */
const answerMs = 3000
/** A router that was not heard for so long gives way to one that is. */
const quietMs = 3 * usualMs
/** Of a router that wants to be nobody's default: AdvDefaultLifetime, as it names no other time (§6.2.1). */
const neighborOnlyMs = 1_800_000

export interface LinkRoutersOptions {
  readonly interfaces: () => readonly Interface[]
  readonly logger: Logger
  /** A router came, or another one, on the interface. */
  readonly onRouter: (name: string) => void
  /** Tests give a link of their own. */
  readonly open?: (options: PacketSocketOptions) => Pick<PacketSocket, 'send' | 'close'>
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

interface Heard {
  readonly address: IP
  /** By performance.now(), as `until`. */
  readonly at: number
  readonly until: number
  readonly isDefault: boolean
  readonly low: boolean
}

class Link {
  readonly #name: string
  readonly #options: LinkRoutersOptions
  #socket: { readonly index: number; readonly packets: Pick<PacketSocket, 'send' | 'close'> } | undefined
  #timer: NodeJS.Timeout | undefined
  #sent = 0
  /** Of advertisements, by performance.now(). */
  #sentAt = Number.NEGATIVE_INFINITY
  #nextAt = 0
  #heard: Heard | undefined

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
    this.#sentAt = performance.now()
    this.#sent++
    this.#send(lifetimeSeconds)
    this.#advertiseAt(this.#sentAt + (this.#sent <= firstOnes ? firstMs : usualMs))
  }

  #advertiseAt(at: number): void {
    clearTimeout(this.#timer)
    this.#nextAt = at
    this.#timer = setTimeout(() => this.#advertise(), at - performance.now())
  }

  #answer(): void {
    const at = this.#sentAt + answerMs
    if (at <= performance.now()) this.#advertise()
    else if (at < this.#nextAt) this.#advertiseAt(at)
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
  #open(index: number): Pick<PacketSocket, 'send' | 'close'> | undefined {
    this.#socket?.packets.close()
    this.#socket = undefined
    const { open = (options) => new PacketSocket(options) } = this.#options
    try {
      const packets = open({
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
    const advertisement = decodeAdvertisement(frame)
    if (advertisement === undefined) return
    const { address, lifetimeSeconds, low } = advertisement
    const known = this.router === undefined ? undefined : this.#heard
    const isKnown = known !== undefined && equalIP(known.address, address)
    const isDefault = lifetimeSeconds > 0
    // Of low preference nobody is just a neighbor: this is the goodbye of one of us.
    if (!isDefault && (low || (isKnown && known.isDefault))) {
      if (isKnown) this.#heard = undefined
      return
    }
    if (known !== undefined && !isKnown && !givesWay(known, low)) return
    const at = performance.now()
    const lastsMs = isDefault ? lifetimeSeconds * 1000 : neighborOnlyMs
    this.#heard = { address, at, until: at + lastsMs, isDefault, low }
    if (isKnown) return
    // A router that just came has to hear of us too.
    this.#answer()
    this.#options.onRouter(this.#name)
  }
}

/** The router there is, to one that came. */
function givesWay(known: Heard, low: boolean): boolean {
  if (known.low !== low) return known.low
  return performance.now() - known.at > quietMs
}
