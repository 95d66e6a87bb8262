/**
 * Sends and takes back the echoes of one session, as frames on the interface of its local address: the datagram in
 * them is for this host, so that no socket of the kernel would send it to the peer.
 */
import { bfdEchoes, ethernetNeighbor, listInterfaces, PacketSocket } from '@landfall/net'
import { equalIP, type IP, ipBytes } from '@landfall/netip'
import { decodeEcho, type EchoAddresses, encodeEcho } from './codec/index.ts'

const ipv4 = 0x0800
/** How long the peer's MAC address is believed. */
const refreshMs = 2000

export interface EchoPortOptions {
  readonly local: IP
  readonly remote: IP
  readonly discriminator: number
  readonly onEcho: () => void
}

export class EchoPort {
  readonly #options: EchoPortOptions
  #socket: PacketSocket | undefined
  #addresses: EchoAddresses | undefined
  #resolvedAt = -Infinity
  #sequence = 0

  constructor(options: EchoPortOptions) {
    this.#options = options
  }

  /** Whether it left; not while the interface or the peer's MAC address is unknown. */
  send(): boolean {
    if (performance.now() - this.#resolvedAt >= refreshMs) this.#resolve()
    if (this.#addresses === undefined || this.#socket === undefined) return false
    const { discriminator } = this.#options
    const sequence = (this.#sequence = (this.#sequence + 1) >>> 0)
    const sent = this.#socket.send(encodeEcho(this.#addresses, { discriminator, sequence }))
    if (!sent) this.close()
    return sent
  }

  close(): void {
    this.#socket?.close()
    this.#socket = undefined
    this.#resolvedAt = -Infinity
  }

  #resolve(): void {
    const { local, remote } = this.#options
    const home = listInterfaces().find(({ addresses }) => addresses.some(({ ip }) => equalIP(ip, local)))
    const peerMac = ethernetNeighbor(remote)
    this.#addresses =
      home !== undefined && home.ethernet && peerMac !== undefined
        ? { ownMac: home.mac, peerMac, ownIp: ipBytes(local) }
        : undefined
    this.#resolvedAt = this.#addresses === undefined ? -Infinity : performance.now()
    if (home !== undefined) this.#socket ??= this.#open(home.index)
  }

  #open(interfaceIndex: number): PacketSocket {
    const { discriminator, onEcho } = this.#options
    const onFrame = (frame: Uint8Array): void => {
      if (decodeEcho(frame)?.discriminator === discriminator) onEcho()
    }
    return new PacketSocket({ interfaceIndex, ethertype: ipv4, filter: bfdEchoes, onFrame })
  }
}
