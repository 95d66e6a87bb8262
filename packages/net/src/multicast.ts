/**
 * IPv6 multicast membership on one interface, so that the NIC and snooping switches let the group through.
 * Joins are counted: addresses that share a group share the join. A packet socket alone sends no MLD report.
 */
import { formatIP, type IP, ipBytes } from '@landfall/netip'
import { closeFd, openSocket, SystemError, setOption } from './libc.ts'
import { AF_INET6 } from './sockaddr.ts'

const SOCK_DGRAM = 2
const IPPROTO_IPV6 = 41
const IPV6_JOIN_GROUP = 20
const IPV6_LEAVE_GROUP = 21

export class MulticastGroups {
  readonly #interfaceIndex: number
  /** One socket takes some 300 to 2,300 groups (net.core.optmem_max); the next is opened when it is full. */
  readonly #sockets: number[] = []
  readonly #joined = new Map<string, { count: number; readonly fd: number }>()

  constructor(interfaceIndex: number) {
    this.#interfaceIndex = interfaceIndex
  }

  /** Throws SystemError, ENODEV for an interface that is gone. */
  join(group: IP): void {
    const key = formatIP(group)
    const known = this.#joined.get(key)
    if (known !== undefined) known.count++
    else this.#joined.set(key, { count: 1, fd: this.#add(group) })
  }

  leave(group: IP): void {
    const key = formatIP(group)
    const known = this.#joined.get(key)
    if (known === undefined || --known.count > 0) return
    this.#joined.delete(key)
    try {
      setOption(known.fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, this.#request(group))
    } catch (error) {
      // The interface went, and the membership with it.
      if (!(error instanceof SystemError)) throw error
    }
  }

  close(): void {
    for (const fd of this.#sockets.splice(0)) closeFd(fd)
    this.#joined.clear()
  }

  #add(group: IP): number {
    const last = this.#sockets.at(-1)
    if (last !== undefined) {
      try {
        setOption(last, IPPROTO_IPV6, IPV6_JOIN_GROUP, this.#request(group))
        return last
      } catch (error) {
        if (!(error instanceof SystemError && error.code === 'ENOMEM')) throw error
      }
    }
    const fd = openSocket(AF_INET6, SOCK_DGRAM, 0)
    this.#sockets.push(fd)
    setOption(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, this.#request(group))
    return fd
  }

  /** struct ipv6_mreq. */
  #request(group: IP): Uint8Array {
    const bytes = new Uint8Array(20)
    bytes.set(ipBytes(group))
    new DataView(bytes.buffer).setUint32(16, this.#interfaceIndex, true)
    return bytes
  }
}
