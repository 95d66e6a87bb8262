/**
 * A UDP socket on one address and port, with what Node lacks: TTL and device from the start, DSCP CS6, and a filter
 * in the kernel for who may send to it, with what TTL. (IP_MINTTL is accepted on UDP sockets and does nothing.)
 */
import { createSocket, type Socket } from 'node:dgram'
import { formatIP, type IP, isLinkLocal } from '@landfall/netip'
import { type AllowedSender, allowedSenders } from './bpf.ts'
import { attachFilter, bindSocket, closeFd, openSocket } from './libc.ts'
import { AF_INET, AF_INET6, inetAddress } from './sockaddr.ts'
import { scopeOf, setSocketOptions } from './tcp.ts'

const SOCK_DGRAM = 2

export interface UdpOptions {
  readonly local: IP
  readonly port: number
  /** TTL or hop limit of what is sent. */
  readonly ttl: number
  /** Interface or VRF that the socket is bound to; it also gives link-local addresses their scope. */
  readonly device?: string | undefined
  /** Whom to hear; none until `setSenders` says otherwise. */
  readonly onDatagram?: (datagram: Uint8Array, source: string) => void
}

export class UdpSocket {
  readonly #options: UdpOptions
  readonly #fd: number
  readonly #socket: Socket

  /** Throws SystemError: EADDRINUSE, EADDRNOTAVAIL for an address that this host has not. */
  constructor(options: UdpOptions) {
    const { local, port, device, onDatagram } = options
    this.#options = options
    this.#fd = openSocket(local.family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0)
    try {
      setSocketOptions(this.#fd, local.family, options)
      attachFilter(this.#fd, allowedSenders(local.family, []))
      const address = inetAddress(local, port, scopeOf(local, device))
      bindSocket(this.#fd, address, `${formatIP(local)} port ${port}`)
    } catch (error) {
      closeFd(this.#fd)
      throw error
    }
    this.#socket = createSocket({ type: local.family === 4 ? 'udp4' : 'udp6', lookup: literal })
    // What ICMP says of a datagram is no news: silence is what counts.
    this.#socket.on('error', () => {})
    if (onDatagram !== undefined)
      this.#socket.on('message', (datagram, from) => onDatagram(datagram, from.address))
    this.#socket.bind({ fd: this.#fd })
  }

  /** All that are heard from now on. */
  setSenders(senders: readonly AllowedSender[]): void {
    attachFilter(this.#fd, allowedSenders(this.#options.local.family, senders))
  }

  /** What cannot be sent is lost. */
  send(datagram: Uint8Array, remote: IP, port: number): void {
    const { device } = this.#options
    const zone = remote.family === 6 && isLinkLocal(remote) && device !== undefined ? `%${device}` : ''
    this.#socket.send(datagram, port, `${formatIP(remote)}${zone}`, () => {})
  }

  close(): void {
    this.#socket.close()
  }
}

/** Addresses are literals already: no resolver, no thread. */
function literal(
  hostname: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, hostname, hostname.includes(':') ? 6 : 4)
}
