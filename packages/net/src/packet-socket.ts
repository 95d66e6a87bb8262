/**
 * A packet socket (packet(7)) on one interface for one ethertype: whole Ethernet frames in and out, filtered in
 * the kernel. Needs CAP_NET_RAW. Dies with its interface: a re-created one has another index and needs a new socket.
 */
import {
  attachFilter,
  bindSocket,
  closeFd,
  type FdWatch,
  openSocket,
  receive,
  SOL_SOCKET,
  SystemError,
  send,
  setOption,
  watchReadable,
} from './libc.ts'
import { AF_PACKET, linkAddress } from './sockaddr.ts'

const SOCK_RAW = 3
const SOL_PACKET = 263
const PACKET_IGNORE_OUTGOING = 23
const SO_RCVBUF = 8
const receiveBufferBytes = 4 << 20
const maxFrame = 2048
/** Frames taken in one turn of the loop, so that timers are never far behind. */
const framesPerTurn = 256
/** What a link that is down, leaving or congested answers. */
const transientErrors: ReadonlySet<string> = new Set(['ENETDOWN', 'ENXIO', 'ENODEV', 'ENOBUFS', 'EAGAIN'])

export interface PacketSocketOptions {
  readonly interfaceIndex: number
  readonly ethertype: number
  /** A program of `bpf.ts`. */
  readonly filter: Uint8Array
  /** The frame is a view of a reused buffer: valid during the call only. */
  readonly onFrame: (frame: Uint8Array) => void
}

export class PacketSocket {
  readonly #fd: number
  readonly #watch: FdWatch
  readonly #onFrame: (frame: Uint8Array) => void
  readonly #buffer = Buffer.allocUnsafeSlow(maxFrame)
  #closed = false

  /** Throws SystemError (EPERM without CAP_NET_RAW, ENODEV for an interface that is gone). */
  constructor(o: PacketSocketOptions) {
    this.#onFrame = o.onFrame
    // Protocol 0 receives nothing until bound: no frame slips in ahead of the filter.
    this.#fd = openSocket(AF_PACKET, SOCK_RAW, 0)
    try {
      setOption(this.#fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
      setOption(this.#fd, SOL_SOCKET, SO_RCVBUF, receiveBufferBytes)
      attachFilter(this.#fd, o.filter)
      bindSocket(this.#fd, linkAddress(o.ethertype, o.interfaceIndex), `interface ${o.interfaceIndex}`)
    } catch (error) {
      closeFd(this.#fd)
      throw error
    }
    this.#watch = watchReadable(this.#fd, () => this.#drain())
  }

  /** Whether the kernel took the frame; a link that is down or gone does not. */
  send(frame: Uint8Array): boolean {
    if (this.#closed) return false
    return transient(() => {
      send(this.#fd, frame)
      return true
    }, false)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#watch.close()
    closeFd(this.#fd)
  }

  #drain(): void {
    for (let i = 0; i < framesPerTurn && !this.#closed; i++) {
      const length = transient(() => receive(this.#fd, this.#buffer), undefined)
      if (length === undefined) return
      this.#onFrame(this.#buffer.subarray(0, length))
    }
  }
}

function transient<T>(call: () => T, otherwise: T): T {
  try {
    return call()
  } catch (error) {
    if (error instanceof SystemError && transientErrors.has(error.code)) return otherwise
    throw error
  }
}
