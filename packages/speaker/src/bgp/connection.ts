/**
 * One TCP connection to a peer: bytes in become frames, messages out are written with an eye on how much is still
 * waiting. Everything that happens to the socket arrives as one of the four callbacks, and nothing after `close`.
 */
import type net from 'node:net'
import { shareConnection } from '@landfall/net'
import { type IP, parseIP } from '@landfall/netip'
import { type BgpError, nextFrame } from './codec/index.ts'

export interface ConnectionOptions {
  /** Connecting, or accepted. */
  readonly socket: net.Socket
  /** The longest message that may arrive; asked for each. */
  readonly messageLimit: () => number
  /** Not for an accepted one, which is connected from the start. */
  onConnected(): void
  onFrame(frame: Uint8Array): void
  /** The stream is out of step; nothing more is read. */
  onBroken(error: BgpError): void
  /** `message` is set when an error ended it, before or after it was connected. */
  onClosed(message: string | undefined): void
  /** Room for more, after `isFull` was true. */
  onDrain(): void
}

/** Bytes waiting in the process above which nothing more is written. */
const fullBytes = 256 * 1024
/** How long a closed connection may take to flush its last message and see the peer's end. */
const closeLimitMs = 800

const nothing = Buffer.alloc(0)

export class Connection {
  readonly #options: ConnectionOptions
  readonly #socket: net.Socket
  readonly #gone: Promise<void>
  #pending: Buffer = nothing
  #error: string | undefined
  #connected = false
  #closing = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    const socket = (this.#socket = options.socket)
    socket.setNoDelay(true)
    this.#connected = !socket.connecting && !socket.pending
    socket.on('connect', () => this.#onConnect())
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('drain', () => this.#closing || options.onDrain())
    socket.on('error', (error) => {
      this.#error = error.message
    })
    this.#gone = new Promise((resolve) => {
      socket.on('close', () => {
        resolve()
        if (!this.#closing) options.onClosed(this.#error)
      })
    })
  }

  /** Our end; undefined before it is connected, and when it broke at once. */
  get local(): IP | undefined {
    return parseIP(this.#socket.localAddress?.replace(/%.*$/, '') ?? '')
  }

  get remote(): IP | undefined {
    return parseIP(this.#socket.remoteAddress?.replace(/%.*$/, '') ?? '')
  }

  get isFull(): boolean {
    return this.#socket.writableLength >= fullBytes
  }

  /** A descriptor for another thread to end it by; the receiver closes it. */
  share(): number | undefined {
    return shareConnection(this.#socket)
  }

  /** Writes them in as few system calls as can be; gives their number. */
  write(messages: Iterable<Uint8Array>): number {
    let count = 0
    this.#socket.cork()
    for (const message of messages) {
      this.#socket.write(message)
      count++
    }
    this.#socket.uncork()
    return count
  }

  /** Flushes, says goodbye, and resolves when the connection is gone; at most 0.8 s. */
  async close(): Promise<void> {
    this.#closing = true
    if (!this.#connected) this.#socket.destroy()
    this.#socket.end()
    const timer = setTimeout(() => this.#socket.destroy(), closeLimitMs)
    await this.#gone
    clearTimeout(timer)
  }

  #onConnect(): void {
    this.#connected = true
    // Without an address the connection is gone already, and 'close' is on its way.
    if (!this.#closing && this.local !== undefined) this.#options.onConnected()
  }

  /** What arrives while closing is read and dropped: unread bytes would turn our end into a reset. */
  #onData(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    while (!this.#closing) {
      const framing = nextFrame(this.#pending, this.#options.messageLimit())
      if (framing.kind === 'incomplete') return
      if (framing.kind === 'error') {
        this.#pending = nothing
        return this.#options.onBroken(framing.error)
      }
      this.#pending = this.#pending.subarray(framing.frame.length)
      this.#options.onFrame(framing.frame)
    }
    this.#pending = nothing
  }
}
