/**
 * Membership of solicited-node groups (RFC 4291 §2.7.1) on one interface, so that the NIC and snooping switches let
 * solicitations through: a packet socket alone sends no MLD report. A group goes by the last 24 bits of the addresses
 * that share it; their joins are counted. The kernel is asked in slices: it goes through the groups that it has for
 * each that it joins or leaves, the latest first.
 */
import { closeFd, openSocket, SystemError, setOption } from './libc.ts'
import { AF_INET6 } from './sockaddr.ts'

const SOCK_DGRAM = 2
const IPPROTO_IPV6 = 41
const IPV6_JOIN_GROUP = 20
const IPV6_LEAVE_GROUP = 21
const solicitedNodePrefix = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff]
/** Asked for in one turn of the loop. */
const sliceMs = 1

interface GroupSocket {
  readonly fd: number
  groups: number
}

interface Membership {
  readonly group: number
  count: number
  /** The one that joined it; undefined: not yet, or refused. */
  socket: GroupSocket | undefined
}

export class SolicitedNodeGroups {
  readonly #interfaceIndex: number
  readonly #onRefused: (error: SystemError) => void
  /** One socket takes some 300 to 2,300 groups (net.core.optmem_max); the next is opened when all are full. */
  readonly #sockets: GroupSocket[] = []
  readonly #wanted = new Map<number, Membership>()
  /** Those whose state in the kernel is not as wanted. */
  readonly #due = new Map<number, Membership>()
  #settling = false
  #closed = false

  /** `onRefused`: a group could not be joined, for another reason than that the interface is gone. */
  constructor(interfaceIndex: number, onRefused: (error: SystemError) => void) {
    this.#interfaceIndex = interfaceIndex
    this.#onRefused = onRefused
  }

  /** In a later turn of the loop. */
  join(group: number): void {
    const known = this.#wanted.get(group)
    if (known !== undefined) {
      known.count++
      return
    }
    const membership = this.#due.get(group) ?? { group, count: 0, socket: undefined }
    membership.count = 1
    this.#wanted.set(group, membership)
    this.#ask(membership)
  }

  leave(group: number): void {
    const known = this.#wanted.get(group)
    if (known === undefined || --known.count > 0) return
    this.#wanted.delete(group)
    this.#ask(known)
  }

  /** Leaves everything, in slices too. */
  close(): void {
    this.#closed = true
    for (const membership of [...this.#wanted.values()].toReversed()) {
      membership.count = 0
      this.#ask(membership)
    }
    this.#wanted.clear()
    this.#settleSoon()
  }

  #ask(membership: Membership): void {
    this.#due.set(membership.group, membership)
    this.#settleSoon()
  }

  #settleSoon(): void {
    if (this.#settling) return
    this.#settling = true
    setImmediate(() => this.#settle())
  }

  #settle(): void {
    this.#settling = false
    const until = performance.now() + sliceMs
    for (const [group, membership] of this.#due) {
      if (performance.now() > until) return this.#settleSoon()
      this.#due.delete(group)
      if (membership.count > 0) this.#joinNow(membership)
      else this.#leaveNow(membership)
    }
    if (this.#closed) for (const { fd } of this.#sockets.splice(0)) closeFd(fd)
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

  #add(group: number): GroupSocket {
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
  #request(group: number): Uint8Array {
    const bytes = new Uint8Array(20)
    bytes.set(solicitedNodePrefix)
    const view = new DataView(bytes.buffer)
    view.setUint32(12, (0xff000000 | group) >>> 0)
    view.setUint32(16, this.#interfaceIndex, true)
    return bytes
  }
}
