/**
 * The interfaces of this network namespace by netlink: a synchronous dump, and a watch that applies each change
 * as it comes (a fraction of a millisecond). An overrun is answered by a new dump, and a slow periodic dump mends
 * whatever was missed; those are read in slices, so that a node with thousands of addresses stalls nothing. Needs
 * no capability.
 */
import { setInterval as every } from 'node:timers'
import { type Interface, InterfaceTable } from './interface-table.ts'
import {
  bindSocket,
  closeFd,
  openSocket,
  receive,
  SOL_SOCKET,
  SystemError,
  send,
  setOption,
  watchReadable,
} from './libc.ts'
import {
  decodeNetlink,
  dumpRequest,
  type NetlinkMessage,
  RTM_GETADDR,
  RTM_GETLINK,
} from './netlink-messages.ts'
import { AF_NETLINK } from './sockaddr.ts'

const SOCK_RAW = 3
const NETLINK_ROUTE = 0
const SO_RCVBUF = 8
/** RTMGRP_LINK, RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR. */
const groups = 0x1 | 0x10 | 0x100
const receiveBufferBytes = 1 << 20
const datagramBytes = 1 << 16
/** Changes are read for that long in one turn of the loop. */
const sliceMs = 2
const dumpAttempts = 5
const redumpMs = 30_000

export type { Interface } from './interface-table.ts'

export interface InterfaceWatch {
  /** Sorted by index; the same value until something changed. */
  readonly current: readonly Interface[]
  close(): void
}

/** Sorted by index. */
export function listInterfaces(): readonly Interface[] {
  return loadTable().snapshot()
}

/** `onChange` gets all interfaces, after something about one of them changed; not called for the first state. */
export function watchInterfaces(onChange: (interfaces: readonly Interface[]) => void): InterfaceWatch {
  return new Watch(onChange)
}

class Watch implements InterfaceWatch {
  readonly #onChange: (interfaces: readonly Interface[]) => void
  readonly #fd = openSocket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)
  readonly #buffer = Buffer.allocUnsafeSlow(datagramBytes)
  readonly #table: InterfaceTable
  readonly #stop: () => void
  /** What came in since the running dump began: newer than what the dump may have read. */
  #meanwhile: NetlinkMessage[] | undefined
  /** A dump begins as soon as all that is older has been read. */
  #dumpDue = false
  #closed = false

  constructor(onChange: (interfaces: readonly Interface[]) => void) {
    this.#onChange = onChange
    setOption(this.#fd, SOL_SOCKET, SO_RCVBUF, receiveBufferBytes)
    bindSocket(this.#fd, netlinkAddress(groups), 'netlink')
    // Subscribed before the dump: what changes in between is queued and applied after it.
    this.#table = loadTable()
    const watch = watchReadable(
      this.#fd,
      () => this.#drain(),
      () => void (this.#dumpDue = true),
    )
    const timer = every(() => this.#redump(), redumpMs)
    timer.unref()
    this.#stop = () => {
      clearInterval(timer)
      watch.close()
      closeFd(this.#fd)
    }
  }

  get current(): readonly Interface[] {
    return this.#table.snapshot()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#stop()
  }

  #drain(): void {
    let changed = false
    const take = (message: NetlinkMessage): void => {
      this.#meanwhile?.push(message)
      changed = this.#table.apply(message) || changed
    }
    const { lost, more } = takeMessages(this.#fd, this.#buffer, take)
    this.#dumpDue ||= lost
    if (changed) this.#onChange(this.current)
    if (!this.#dumpDue || more || this.#meanwhile !== undefined || this.#closed) return
    this.#dumpDue = false
    this.#meanwhile = []
    this.#step(dumpAll())
  }

  #redump(): void {
    this.#dumpDue = true
    this.#drain()
  }

  #step(dump: Generator<void, readonly NetlinkMessage[]>): void {
    const step = dump.next()
    if (step.done !== true) {
      setImmediate(() => (this.#closed ? dump.return([]) : this.#step(dump)))
      return
    }
    const fresh = new InterfaceTable()
    for (const message of [...step.value, ...(this.#meanwhile ?? [])]) fresh.apply(message)
    this.#meanwhile = undefined
    if (this.#dumpDue) this.#drain()
    else if (this.#table.become(fresh)) this.#onChange(this.current)
  }
}

function loadTable(): InterfaceTable {
  const dump = dumpAll()
  for (;;) {
    const step = dump.next()
    if (step.done !== true) continue
    const table = new InterfaceTable()
    for (const message of step.value) table.apply(message)
    return table
  }
}

function* dumpAll(): Generator<void, readonly NetlinkMessage[]> {
  const links = yield* dump(RTM_GETLINK)
  return [...links, ...(yield* dump(RTM_GETADDR))]
}

/**
 * Pauses after each datagram. The kernel fills the next one as the last is read, so that a non-blocking socket never
 * has to wait.
 */
function* dump(type: typeof RTM_GETLINK | typeof RTM_GETADDR): Generator<void, readonly NetlinkMessage[]> {
  const buffer = Buffer.allocUnsafeSlow(datagramBytes)
  for (let attempt = 1; ; attempt++) {
    const fd = openSocket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)
    try {
      send(fd, dumpRequest(type, attempt))
      const messages: NetlinkMessage[] = []
      for (let length = receive(fd, buffer); length !== undefined; length = receive(fd, buffer)) {
        messages.push(...decodeNetlink(buffer.subarray(0, length)))
        yield
      }
      const failed = messages.find((message) => message.kind === 'error')
      if (failed !== undefined) throw new SystemError('netlink', failed.errno, `dump ${type}`)
      const whole = messages.some((message) => message.kind === 'done')
      const interrupted = messages.some((message) => message.kind === 'interrupted')
      if (whole && (!interrupted || attempt === dumpAttempts)) return messages
      if (attempt === dumpAttempts) throw new SystemError('netlink', 4, `dump ${type} ended early`)
    } finally {
      closeFd(fd)
    }
  }
}

/** Reads for a slice. `lost`: messages went in an overrun; `more`: some are still queued. */
function takeMessages(
  fd: number,
  buffer: Uint8Array,
  take: (message: NetlinkMessage) => void,
): { readonly lost: boolean; readonly more: boolean } {
  const until = performance.now() + sliceMs
  let lost = false
  do {
    try {
      const length = receive(fd, buffer)
      if (length === undefined) return { lost, more: false }
      for (const message of decodeNetlink(buffer.subarray(0, length))) take(message)
    } catch (error) {
      if (!(error instanceof SystemError && error.code === 'ENOBUFS')) throw error
      lost = true
    }
  } while (performance.now() < until)
  return { lost, more: true }
}

function netlinkAddress(multicastGroups: number): Uint8Array {
  const bytes = new Uint8Array(12)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, AF_NETLINK, true)
  view.setUint32(8, multicastGroups, true)
  return bytes
}
