/**
 * The interfaces of this network namespace by netlink: a synchronous dump, and a watch that applies each change
 * as it comes (a fraction of a millisecond). An overrun is answered by a new dump, and a slow periodic dump mends
 * whatever was missed. Needs no capability.
 */
import { setInterval as every } from 'node:timers'
import type { IP } from '@landfall/netip'
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
  type Link,
  type LinkAddress,
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
const dumpAttempts = 5
const redumpMs = 30_000

export interface InterfaceAddress {
  readonly ip: IP
  readonly prefixLength: number
  readonly tentative: boolean
}

export interface Interface extends Link {
  readonly addresses: readonly InterfaceAddress[]
}

export interface InterfaceWatch {
  /** Sorted by index. */
  readonly current: readonly Interface[]
  close(): void
}

/** Sorted by index. */
export function listInterfaces(): readonly Interface[] {
  return new InterfaceTable().load().snapshot()
}

/** `onChange` gets all interfaces, after something about one of them changed; not called for the first state. */
export function watchInterfaces(onChange: (interfaces: readonly Interface[]) => void): InterfaceWatch {
  const fd = openSocket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)
  setOption(fd, SOL_SOCKET, SO_RCVBUF, receiveBufferBytes)
  bindSocket(fd, netlinkAddress(groups), 'netlink')
  // Subscribed before the dump: what changes in between is queued and applied after it.
  const table = new InterfaceTable().load()
  let current = table.snapshot()
  const publish = (): void => {
    const next = table.snapshot()
    if (fingerprint(next) === fingerprint(current)) return
    current = next
    onChange(next)
  }
  const buffer = Buffer.allocUnsafeSlow(datagramBytes)
  const drain = (): void => {
    if (!takeMessages(fd, buffer, (message) => table.apply(message))) table.load()
    publish()
  }
  const redump = (): void => {
    table.load()
    publish()
  }
  const watch = watchReadable(fd, drain, () => table.load())
  const timer = every(redump, redumpMs)
  timer.unref()
  return {
    get current() {
      return current
    },
    close: () => {
      clearInterval(timer)
      watch.close()
      closeFd(fd)
    },
  }
}

class InterfaceTable {
  readonly #links = new Map<number, Link>()
  readonly #addresses = new Map<number, Map<string, LinkAddress>>()

  load(): this {
    this.#links.clear()
    this.#addresses.clear()
    for (const message of [...dump(RTM_GETLINK), ...dump(RTM_GETADDR)]) this.apply(message)
    return this
  }

  apply(message: NetlinkMessage): void {
    switch (message.kind) {
      case 'link':
        this.#links.set(message.link.index, message.link)
        break
      case 'linkGone':
        this.#links.delete(message.link.index)
        this.#addresses.delete(message.link.index)
        break
      case 'address':
        this.#addressesOf(message.address.index).set(addressKey(message.address), message.address)
        break
      case 'addressGone':
        this.#addressesOf(message.address.index).delete(addressKey(message.address))
        break
      default:
    }
  }

  snapshot(): readonly Interface[] {
    return [...this.#links.values()]
      .toSorted((a, b) => a.index - b.index)
      .map((link) => ({ ...link, addresses: [...(this.#addresses.get(link.index)?.values() ?? [])] }))
  }

  #addressesOf(index: number): Map<string, LinkAddress> {
    let addresses = this.#addresses.get(index)
    if (addresses === undefined) this.#addresses.set(index, (addresses = new Map()))
    return addresses
  }
}

/** The kernel fills a dump's next datagram as the last is read, so that a non-blocking socket never has to wait. */
function dump(type: typeof RTM_GETLINK | typeof RTM_GETADDR): readonly NetlinkMessage[] {
  const buffer = Buffer.allocUnsafeSlow(datagramBytes)
  for (let attempt = 1; ; attempt++) {
    const fd = openSocket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)
    try {
      send(fd, dumpRequest(type, attempt))
      const messages: NetlinkMessage[] = []
      takeMessages(fd, buffer, (message) => messages.push(message))
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

/** Reads all that is queued. False: messages were lost to an overrun. */
function takeMessages(fd: number, buffer: Uint8Array, take: (message: NetlinkMessage) => void): boolean {
  let whole = true
  for (;;) {
    try {
      const length = receive(fd, buffer)
      if (length === undefined) return whole
      for (const message of decodeNetlink(buffer.subarray(0, length))) take(message)
    } catch (error) {
      if (!(error instanceof SystemError && error.code === 'ENOBUFS')) throw error
      whole = false
    }
  }
}

function netlinkAddress(multicastGroups: number): Uint8Array {
  const bytes = new Uint8Array(12)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, AF_NETLINK, true)
  view.setUint32(8, multicastGroups, true)
  return bytes
}

function addressKey(address: LinkAddress): string {
  return `${address.ip.family}-${address.ip.value}/${address.prefixLength}`
}

function fingerprint(interfaces: readonly Interface[]): string {
  return JSON.stringify(interfaces, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  )
}
