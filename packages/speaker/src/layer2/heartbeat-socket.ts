/** The UDP socket of the speakers' messages: authenticated datagrams in and out, failures to send are silence. */
import { createSocket, type Socket } from 'node:dgram'
import { isIPv4, isIPv6 } from 'node:net'
import {
  decodeMessage,
  encodeMessage,
  type Message,
  type MessageRefusal,
  maxMessage,
  notKnown,
} from './codec/message.ts'
import type { KeyRing } from './core/key-ring.ts'
import type { Outgoing } from './core/outcome.ts'

export interface HeartbeatSocketOptions {
  readonly port: number
  /** '': every address of both families. */
  readonly bindAddress: string
  readonly keys: KeyRing
  readonly onMessage: (message: Message, source: string) => void
  readonly onRefused: (reason: string) => void
  /** A speaker that cannot be believed is at that address, and says that it holds this (a digest). */
  readonly onOverheard: (source: string, held: bigint) => void
  /** The port is taken; it is tried again until it is had. */
  readonly onWaiting: (error: Error) => void
  readonly onError: (error: Error) => void
}

const retryMs = 500

export class HeartbeatSocket {
  readonly #options: HeartbeatSocketOptions
  #socket: Socket
  #family: 4 | 6 = 6
  #bound = false
  #retry: NodeJS.Timeout | undefined

  constructor(options: HeartbeatSocketOptions) {
    this.#options = options
    this.#socket = this.#open(isIPv4(options.bindAddress) ? 'udp4' : 'udp6')
  }

  /** Whether messages can be heard. */
  get bound(): boolean {
    return this.#bound
  }

  send(messages: readonly Pick<Outgoing, 'to' | 'message'>[]): void {
    if (!this.#bound) return
    for (const { to, message } of messages) {
      const near = to.find((address) => this.#reachable(address) !== undefined) ?? ''
      const address = this.#reachable(near)
      if (address === undefined) continue
      // A peer that cannot be reached is seen by its silence.
      const key = this.#options.keys.signing(near, performance.now())
      this.#socket.send(encodeMessage(message, key), this.#options.port, address, () => {})
    }
  }

  close(): Promise<void> {
    clearTimeout(this.#retry)
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }

  #open(type: 'udp4' | 'udp6'): Socket {
    const { bindAddress, port } = this.#options
    const socket = createSocket({ type, lookup: literal })
    socket.on('message', (datagram, from) => this.#receive(datagram, from.address))
    socket.on('listening', () => {
      this.#family = type === 'udp4' ? 4 : 6
      this.#bound = true
    })
    socket.on('error', (error: NodeJS.ErrnoException) => this.#failed(error, type))
    socket.bind({ port, ...(bindAddress === '' ? {} : { address: bindAddress }) })
    return socket
  }

  #failed(error: NodeJS.ErrnoException, type: 'udp4' | 'udp6'): void {
    const retryable = error.code === 'EADDRINUSE' || error.code === 'EADDRNOTAVAIL'
    if (this.#bound || (!retryable && type === 'udp4')) return this.#options.onError(error)
    if (retryable) this.#options.onWaiting(error)
    else if (this.#options.bindAddress !== '') return this.#options.onError(error)
    // Without IPv6 in the kernel, IPv4 alone.
    const next = retryable ? type : 'udp4'
    this.#socket.close()
    this.#retry = setTimeout(
      () => {
        this.#socket = this.#open(next)
      },
      retryable ? retryMs : 0,
    )
  }

  #receive(datagram: Uint8Array, from: string): void {
    const source = from.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
    const message = datagram.length > maxMessage ? 'malformed' : this.#decode(datagram, source)
    if (typeof message !== 'string') return this.#options.onMessage(message, source)
    this.#options.onRefused(message)
    if (message === 'otherVersion') this.#options.onOverheard(source, notKnown)
    const said = message === 'notAuthentic' ? decodeMessage(datagram, undefined) : message
    if (typeof said !== 'string') this.#options.onOverheard(source, said.header.held)
  }

  #decode(datagram: Uint8Array, source: string): Message | MessageRefusal {
    const { keys } = this.#options
    let refusal: MessageRefusal = 'notAuthentic'
    for (const key of keys.accepted(performance.now())) {
      const message = decodeMessage(datagram, key)
      if (typeof message !== 'string') {
        keys.heard(source, key)
        return message
      }
      refusal = message
    }
    return refusal
  }

  /** The address in the form that the socket's family takes; undefined: the other family. */
  #reachable(address: string): string | undefined {
    if (isIPv6(address)) return this.#family === 4 ? undefined : address
    if (!isIPv4(address)) return undefined
    if (this.#family === 4) return address
    return this.#options.bindAddress === '' ? `::ffff:${address}` : undefined
  }
}

/** Addresses are literals already: no resolver, no thread. */
function literal(
  hostname: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, hostname, isIPv6(hostname) ? 6 : 4)
}
