/**
 * A packet socket (packet(7)) over all interfaces for one ethertype, with its frames in a ring that it shares with
 * the kernel (PACKET_RX_RING, TPACKET_V2): whole Ethernet frames in and out. The ring holds a burst that no socket
 * buffer would (net.core.rmem_max counts not) and, bound to no interface, it outlives them all. Needs CAP_NET_RAW.
 */
import {
  attachFilter,
  bindSocket,
  closeFd,
  type FdWatch,
  type Mapping,
  mapSocket,
  openSocket,
  receive,
  SystemError,
  sendTo,
  setOption,
  watchReadable,
} from './libc.ts'
import { AF_PACKET, linkAddress } from './sockaddr.ts'

const SOCK_RAW = 3
const SOL_PACKET = 263
const PACKET_ADD_MEMBERSHIP = 1
const PACKET_DROP_MEMBERSHIP = 2
const PACKET_RX_RING = 5
const PACKET_COPY_THRESH = 7
const PACKET_VERSION = 10
const TPACKET_V2 = 1
const PACKET_MR_ALLMULTI = 2
const TP_STATUS_KERNEL = 0
const TP_STATUS_USER = 1
const TP_STATUS_COPY = 2

/** At least: a burst of ten thousand requests, and what comes in meanwhile. The ring is resident memory from the start. */
const leastFrames = 12_000
/** A multiple of every page size. */
const blockBytes = 1 << 16
const maxFrame = 1 << 16
/** Frames are taken for that long in one turn of the loop, so that timers are never far behind. */
const sliceMs = 2
const framesPerLook = 16
/** What a link that is down, leaving or congested answers. */
const transientErrors: ReadonlySet<string> = new Set(['ENETDOWN', 'ENXIO', 'ENODEV', 'ENOBUFS', 'EAGAIN'])

export interface PacketRingOptions {
  readonly ethertype: number
  /** A multiple of 16, 66 of them for the kernel's own. A longer frame is taken too, at a higher price. */
  readonly slotBytes: 128 | 160 | 256
  /** A program of `bpf.ts`. */
  readonly filter: Uint8Array
  /** The frame is a view of memory that is reused: valid during the call only. */
  readonly onFrame: (frame: Uint8Array, interfaceIndex: number) => void
}

export class PacketRing {
  readonly #fd: number
  readonly #watch: FdWatch
  readonly #mapping: Mapping
  readonly #words: Uint32Array
  readonly #bytes: Uint8Array
  readonly #options: PacketRingOptions
  readonly #to: Uint8Array
  readonly #toIndex: DataView
  /** No slot reaches over the end of a block. */
  readonly #blockSlots: number
  readonly #slots: number
  #longFrame: Buffer | undefined
  #slot = 0
  #closed = false

  /** Throws SystemError: EPERM without CAP_NET_RAW. */
  constructor(o: PacketRingOptions) {
    this.#options = o
    this.#to = linkAddress(o.ethertype, 0)
    this.#toIndex = new DataView(this.#to.buffer, 4, 4)
    this.#blockSlots = Math.floor(blockBytes / o.slotBytes)
    const blocks = Math.ceil(leastFrames / this.#blockSlots)
    this.#slots = blocks * this.#blockSlots
    // Protocol 0 receives nothing until bound: no frame slips in ahead of the filter.
    this.#fd = openSocket(AF_PACKET, SOCK_RAW, 0)
    try {
      setOption(this.#fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2)
      setOption(this.#fd, SOL_PACKET, PACKET_COPY_THRESH, 1)
      setOption(this.#fd, SOL_PACKET, PACKET_RX_RING, words(blockBytes, blocks, o.slotBytes, this.#slots))
      attachFilter(this.#fd, o.filter)
      this.#mapping = mapSocket(this.#fd, blocks * blockBytes)
      bindSocket(this.#fd, linkAddress(o.ethertype, 0), `ethertype ${o.ethertype.toString(16)}`)
    } catch (error) {
      closeFd(this.#fd)
      throw error
    }
    this.#words = new Uint32Array(this.#mapping.memory)
    this.#bytes = new Uint8Array(this.#mapping.memory)
    this.#watch = watchReadable(this.#fd, () => this.#drain())
  }

  /** Takes effect for the next frame; none is lost over it. */
  setFilter(program: Uint8Array): void {
    attachFilter(this.#fd, program)
  }

  /** When the kernel got the frame that `onFrame` is called with, in milliseconds since the epoch. */
  get frameTime(): number {
    const word = this.#slotAt() >> 2
    return (this.#words[word + 4] ?? 0) * 1000 + (this.#words[word + 5] ?? 0) / 1e6
  }

  /** Whether the kernel took the frame; a link that is down, gone or congested does not. */
  send(frame: Uint8Array, interfaceIndex: number): boolean {
    if (this.#closed) return false
    this.#toIndex.setInt32(0, interfaceIndex, true)
    return transient(() => sendTo(this.#fd, frame, this.#to))
  }

  /** Opens the card's filter for every group, or leaves it again. The membership goes with the interface. */
  receiveAllMulticast(interfaceIndex: number, on: boolean): boolean {
    if (this.#closed) return false
    const request = words(interfaceIndex, PACKET_MR_ALLMULTI, 0, 0)
    return transient(() =>
      setOption(this.#fd, SOL_PACKET, on ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, request),
    )
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#watch.close()
    closeFd(this.#fd)
    this.#mapping.unmap()
  }

  #drain(): void {
    const until = performance.now() + sliceMs
    for (let taken = 1; ; taken++) {
      const at = this.#slotAt()
      const status = Atomics.load(this.#words, at >> 2)
      if ((status & TP_STATUS_USER) === 0) return
      this.#options.onFrame(this.#frameAt(at, status), this.#words[(at >> 2) + 9] ?? 0)
      if (this.#closed) return
      Atomics.store(this.#words, at >> 2, TP_STATUS_KERNEL)
      this.#slot = (this.#slot + 1) % this.#slots
      if (taken % framesPerLook === 0 && performance.now() > until) return
    }
  }

  /** Where the next frame's slot starts. */
  #slotAt(): number {
    const inBlock = this.#slot % this.#blockSlots
    return ((this.#slot - inBlock) / this.#blockSlots) * blockBytes + inBlock * this.#options.slotBytes
  }

  /**
   * struct tpacket2_hdr: status, length, length in the slot, where the frame starts, seconds, nanoseconds; 32 bytes,
   * then sockaddr_ll.
   */
  #frameAt(at: number, status: number): Uint8Array {
    if ((status & TP_STATUS_COPY) !== 0) {
      this.#longFrame ??= Buffer.allocUnsafeSlow(maxFrame)
      const length = receive(this.#fd, this.#longFrame)
      if (length !== undefined) return this.#longFrame.subarray(0, length)
    }
    const start = at + ((this.#words[(at >> 2) + 3] ?? 0) & 0xffff)
    return this.#bytes.subarray(start, start + (this.#words[(at >> 2) + 2] ?? 0))
  }
}

function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer)
}

function transient(call: () => void): boolean {
  try {
    call()
    return true
  } catch (error) {
    if (error instanceof SystemError && transientErrors.has(error.code)) return false
    throw error
  }
}
