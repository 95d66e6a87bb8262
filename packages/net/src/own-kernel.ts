/**
 * Neighbor advertisements (RFC 4861 §4.4) for this host's own kernel alone: to all nodes of the interface itself
 * (ff01::1), which comes back and never leaves. A packet socket's frames do leave and do not come back, and to write the
 * table of neighbors would take NET_ADMIN.
 */
import { type IP, parseIP } from '@landfall/netip'
import { closeFd, openSocket, SystemError, sendTo, setOption } from './libc.ts'
import { AF_INET6, inetAddress } from './sockaddr.ts'

const SOCK_RAW = 3
const IPPROTO_IPV6 = 41
const IPPROTO_ICMPV6 = 58
const IPV6_MULTICAST_HOPS = 18
const ICMPV6_FILTER = 1
/** What has come through a router is not believed. */
const hopLimit = 255
/** Offset of sin6_scope_id. */
const scopeAt = 24
/** Nobody is told then: no interface, no IPv6, no descriptor left. */
const harmlessErrors: ReadonlySet<string> = new Set([
  'ENETDOWN',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENXIO',
  'ENODEV',
  'ENOBUFS',
  'EAGAIN',
  'EAFNOSUPPORT',
  'EMFILE',
  'ENFILE',
])

export class OwnKernel {
  #fd: number | undefined
  readonly #to = inetAddress(allNodes(), 0)
  readonly #scope = new DataView(this.#to.buffer)

  /**
   * The ICMPv6 message, whose checksum the kernel makes. An interface that is down or has no IPv6 takes none.
   * Throws SystemError, EPERM without CAP_NET_RAW.
   */
  advertise(message: Uint8Array, interfaceIndex: number): void {
    this.#scope.setUint32(scopeAt, interfaceIndex, true)
    try {
      this.#fd ??= open()
      sendTo(this.#fd, message, this.#to)
    } catch (error) {
      if (!(error instanceof SystemError && harmlessErrors.has(error.code))) throw error
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeFd(this.#fd)
    this.#fd = undefined
  }
}

function open(): number {
  const fd = openSocket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)
  setOption(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hopLimit)
  // Nothing is to be received.
  setOption(fd, IPPROTO_ICMPV6, ICMPV6_FILTER, new Uint8Array(32).fill(0xff))
  return fd
}

function allNodes(): IP {
  const ip = parseIP('ff01::1')
  if (ip === undefined) throw new Error('no address')
  return ip
}
