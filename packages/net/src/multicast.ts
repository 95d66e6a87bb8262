/**
 * IPv6 multicast membership on one interface, so that the NIC and snooping switches let the group through.
 * Joins are counted: addresses that share a group share the join. A packet socket alone sends no MLD report.
 * The kernel is asked in slices, since a join costs it more the more groups there are.
 */
import { closeFd, openSocket, SystemError, setOption } from './libc.ts'
import { AF_INET6 } from './sockaddr.ts'

const SOCK_DGRAM = 2
const IPPROTO_IPV6 = 41
const IPV6_JOIN_GROUP = 20
const IPV6_LEAVE_GROUP = 21
/** Asked for in one turn of the loop. */
const sliceMs = 1

interface GroupSocket {
  readonly fd: number
  groups: number
}

interface Membership {
  readonly group: Uint8Array
  count: number
  /** The one that joined it; undefined: not yet, or refused. */
  socket: GroupSocket | undefined
}

export class MulticastGroups {
  readonly #interfaceIndex: number
  readonly #onRefused: (error: SystemError) => void
  /** One socket takes some 300 to 2,300 groups (net.core.optmem_max); the next is opened when all are full. */
  readonly #sockets: GroupSocket[] = []
  readonly #wanted = new Map<string, Membership>()
  /** Keys whose state in the kernel is not as wanted. */
  readonly #due = new Map<string, Membership>()
  #slice: NodeJS.Immediate | undefined

  /** `onRefused`: a group could not be joined, for another reason than that the interface is gone. */
  constructor(interfaceIndex: number, onRefused: (error: SystemError) => void) {
    this.#interfaceIndex = interfaceIndex
    this.#onRefused = onRefused
  }

  /** `group`: sixteen bytes, kept. Joined in a later turn of the loop. */
  join(group: Uint8Array): void {
    const key = keyOf(group)
    const known = this.#wanted.get(key)
    if (known !== undefined) {
      known.count++
      return
    }
    const membership = this.#due.get(key) ?? { group, count: 0, socket: undefined }
    membership.count = 1
    this.#wanted.set(key, membership)
    this.#ask(key, membership)
  }

  leave(group: Uint8Array): void {
    const key = keyOf(group)
    const known = this.#wanted.get(key)
    if (known === undefined || --known.count > 0) return
    this.#wanted.delete(key)
    this.#ask(key, known)
  }

  close(): void {
    clearImmediate(this.#slice)
    for (const { fd } of this.#sockets.splice(0)) closeFd(fd)
    this.#wanted.clear()
    this.#due.clear()
  }

  #ask(key: string, membership: Membership): void {
    this.#due.set(key, membership)
    this.#slice ??= setImmediate(() => this.#settle())
  }

  #settle(): void {
    this.#slice = undefined
    const until = performance.now() + sliceMs
    for (const [key, membership] of this.#due) {
      if (performance.now() > until) {
        this.#slice = setImmediate(() => this.#settle())
        return
      }
      this.#due.delete(key)
      if (membership.count > 0) this.#joinNow(membership)
      else this.#leaveNow(membership)
    }
  }

  #joinNow(membership: Membership): void {
    if (membership.socket !== undefined) return
    try {
      membership.socket = this.#add(membership.group)
      membership.socket.groups++
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      if (error.code !== 'ENODEV') this.#onRefused(error)
    }
  }

  #leaveNow(membership: Membership): void {
    const { socket } = membership
    if (socket === undefined) return
    membership.socket = undefined
    socket.groups--
    try {
      setOption(socket.fd, IPPROTO_IPV6, IPV6_LEAVE_GROUP, this.#request(membership.group))
    } catch (error) {
      // The interface went, and the membership with it.
      if (!(error instanceof SystemError)) throw error
    }
  }

  #add(group: Uint8Array): GroupSocket {
    const emptiest = this.#sockets.reduce<GroupSocket | undefined>(
      (least, socket) => (least === undefined || socket.groups < least.groups ? socket : least),
      undefined,
    )
    if (emptiest !== undefined) {
      try {
        setOption(emptiest.fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, this.#request(group))
        return emptiest
      } catch (error) {
        if (!(error instanceof SystemError && error.code === 'ENOMEM')) throw error
      }
    }
    const added = { fd: openSocket(AF_INET6, SOCK_DGRAM, 0), groups: 0 }
    this.#sockets.push(added)
    setOption(added.fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, this.#request(group))
    return added
  }

  /** struct ipv6_mreq. */
  #request(group: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(20)
    bytes.set(group)
    new DataView(bytes.buffer).setUint32(16, this.#interfaceIndex, true)
    return bytes
  }
}

function keyOf(group: Uint8Array): string {
  return String.fromCharCode(...group)
}
