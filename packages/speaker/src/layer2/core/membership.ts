/**
 * Who among the speakers is alive (pure: time and headers come in, headers to send come out).
 *
 * A message counts when it echoes our incarnation: the sender has heard this life of ours, so it is no recording
 * from before. Whoever echoes another one is answered once with the right one. Within an incarnation the counter
 * must grow, and an incarnation that was replaced never counts again. A peer is alive while it is heard *and* hears
 * us: one that is deaf to us cannot be led, and knows of no right that we would give it.
 */
import type { Header, MemberState } from '../codec/message.ts'
import { emptyDigest } from './holdings.ts'
import { type Deadlines, deadlinesOf } from './timing.ts'

export interface PeerAddress {
  readonly node: string
  /** Texts as the socket reports sources; the first of a family that the socket has is sent to. */
  readonly addresses: readonly string[]
}

export type Received =
  | { readonly kind: 'accepted'; readonly peer: Peer; readonly restarted: boolean; readonly revived: boolean }
  /** Overtaken by a newer one: what it carries counts, its header does not. */
  | { readonly kind: 'late'; readonly peer: Peer }
  /** Answer it, so that it learns this incarnation. */
  | { readonly kind: 'unconfirmed'; readonly node: string; readonly incarnation: bigint }
  | { readonly kind: 'refused'; readonly reason: 'unknownMember' | 'foreignAddress' | 'replayed' }

export interface Member {
  readonly node: string
  /** `stranger`: is there, and cannot be believed, or does not believe us. `unwatched`: alive or not, others watch it. */
  readonly state: MemberState | 'dead' | 'stranger' | 'unwatched'
  /** Since it was last heard; undefined: never. */
  readonly heardMs: number | undefined
}

/** What is known of another speaker. */
export interface Peer {
  readonly node: string
  readonly addresses: readonly string[]
  readonly listed: boolean
  /** Of the newest message that counted. */
  readonly header: Header | undefined
  /** By its own pace, or ours when that is slower. */
  readonly deadlines: Deadlines
  readonly heardAt: number
  /** When something was sent to it last. */
  readonly sentAt: number
  /** When the newest of our messages was sent that it has confirmed. */
  readonly confirmedAt: number
}

interface Known extends Peer {
  addresses: readonly string[]
  listed: boolean
  header: Header | undefined
  deadlines: Deadlines
  heardAt: number
  sentAt: number
  confirmedAt: number
  /** A message that does not count said that it holds something. */
  overheardAt: number
  /** The first of these since it was heard. */
  overheardSince: number
  /** Never judged dead before: it was alive when this process fell into a stall. */
  sparedUntil: number
  incarnation: bigint
  counter: bigint
  /** Counters that came last. */
  readonly recent: bigint[]
  readonly sent: { readonly counter: bigint; readonly at: number }[]
  readonly retired: Set<bigint>
}

export type Identity = Pick<Header, 'node' | 'incarnation' | 'counter' | 'echo' | 'ack'>

const never = Number.NEGATIVE_INFINITY
const retiredKept = 64
const sentKept = 128
const recentKept = 64
/** A message is not taken for overtaken that may be older. */
const lateIntervals = 2

export class Membership {
  readonly #self: string
  readonly #incarnation: bigint
  readonly #own: Deadlines
  readonly #peers = new Map<string, Known>()
  #counter = 0n

  constructor(self: string, incarnation: bigint, own: Deadlines) {
    this.#self = self
    this.#incarnation = incarnation
    this.#own = own
  }

  get peers(): ReadonlyMap<string, Peer> {
    return this.#peers
  }

  /** Those who should run a speaker. One that is no longer listed stays while it, or a right of its, may live. */
  setPeers(peers: readonly PeerAddress[], now: number): void {
    for (const peer of this.#peers.values()) peer.listed = false
    for (const { node, addresses } of peers) {
      if (node === this.#self || addresses.length === 0) continue
      const known = this.#peers.get(node)
      if (known !== undefined) Object.assign(known, { addresses, listed: true })
      else this.#peers.set(node, newPeer(node, addresses, this.#own))
    }
    for (const [node, peer] of this.#peers)
      if (!peer.listed && !(now < peer.heardAt + 2 * peer.deadlines.leaseMs)) this.#peers.delete(node)
  }

  /**
   * What identifies a message to the peer and confirms its newest one. To be called once for each that is sent.
   * `echo`: of a life of the peer's that is not believed yet.
   */
  identify(to: string, now: number, echo?: bigint): Identity {
    this.#counter++
    const peer = this.#peers.get(to)
    const believed = echo === undefined || echo === peer?.incarnation
    if (peer !== undefined) {
      peer.sentAt = now
      peer.sent.push({ counter: this.#counter, at: now })
      if (peer.sent.length > sentKept) peer.sent.shift()
    }
    return {
      node: this.#self,
      incarnation: this.#incarnation,
      counter: this.#counter,
      echo: echo ?? peer?.incarnation ?? 0n,
      ack: believed ? (peer?.counter ?? 0n) : 0n,
    }
  }

  /** `authenticated`: it carried the right HMAC; else its source must be an address of the node it names. */
  receive(header: Header, source: string, authenticated: boolean, now: number): Received {
    const peer = this.#peers.get(header.node)
    if (peer === undefined) return { kind: 'refused', reason: 'unknownMember' }
    if (!authenticated && !peer.addresses.includes(source))
      return { kind: 'refused', reason: 'foreignAddress' }
    if (peer.retired.has(header.incarnation)) return { kind: 'refused', reason: 'replayed' }
    if (header.echo !== this.#incarnation) {
      this.#overhear(peer, header.held, now)
      return { kind: 'unconfirmed', node: header.node, incarnation: header.incarnation }
    }
    const restarted = header.incarnation !== peer.incarnation && peer.header !== undefined
    if (header.incarnation === peer.incarnation && header.counter <= peer.counter)
      return this.#isLate(peer, header, now)
        ? { kind: 'late', peer }
        : { kind: 'refused', reason: 'replayed' }
    const wasAlive = this.alive(header.node, now)
    if (header.incarnation !== peer.incarnation) this.#replace(peer, header.incarnation)
    this.#heard(peer, header, now)
    const revived = !wasAlive && this.alive(header.node, now)
    return { kind: 'accepted', peer, restarted, revived }
  }

  /** Somebody who cannot be believed speaks from there: who holds something is to be reckoned with. */
  overhear(source: string, held: bigint, now: number): void {
    for (const peer of this.#peers.values())
      if (peer.addresses.includes(source)) this.#overhear(peer, held, now)
  }

  /** Whether someone seems to hold something who cannot be led. */
  isAmongStrangers(now: number): boolean {
    return [...this.#peers.values()].some((peer) => this.#isStranger(peer, now))
  }

  alive(node: string, now: number): boolean {
    const peer = this.#peers.get(node)
    if (peer?.header === undefined || peer.header.state === 'left') return false
    return now < Math.max(peer.sparedUntil, this.#expiryOf(peer))
  }

  hearsSomebody(now: number): boolean {
    return [...this.#peers.keys()].some((node) => this.alive(node, now))
  }

  /** After a stall: what was sent meanwhile may wait unread, so that nobody dies before another interval is over. */
  spare(aliveAt: number, now: number): void {
    for (const peer of this.#peers.values())
      if (this.alive(peer.node, aliveAt)) peer.sparedUntil = now + peer.deadlines.intervalMs
  }

  /** When the next living peer would be dead, if nothing is heard of it. */
  nextExpiry(now: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const peer of this.#peers.values()) {
      if (!this.alive(peer.node, now)) continue
      next = Math.min(next, Math.max(peer.sparedUntil, this.#expiryOf(peer)))
    }
    return next
  }

  /** `watched`: who is expected to beat to us. */
  members(now: number, watched: (node: string) => boolean): readonly Member[] {
    return [...this.#peers.values()]
      .map((peer) => ({
        node: peer.node,
        state: this.#stateOf(peer, now, watched),
        heardMs: peer.heardAt === never ? undefined : now - peer.heardAt,
      }))
      .toSorted((a, b) => (a.node < b.node ? -1 : 1))
  }

  #stateOf(peer: Known, now: number, watched: (node: string) => boolean): Member['state'] {
    // In its first exchange it cannot be believed yet.
    if (this.#isStranger(peer, now) && now - peer.overheardSince >= peer.deadlines.detectMs) return 'stranger'
    if (peer.header?.state === 'left') return 'left'
    if (this.alive(peer.node, now)) return peer.header?.state ?? 'dead'
    return watched(peer.node) ? 'dead' : 'unwatched'
  }

  #overhear(peer: Known, held: bigint, now: number): void {
    if (held === emptyDigest) return
    if (!this.#isStranger(peer, now)) peer.overheardSince = now
    peer.overheardAt = now
  }

  /** One that was heard since is none. */
  #isStranger({ overheardAt, heardAt, deadlines }: Known, now: number): boolean {
    return overheardAt > heardAt && now - overheardAt < 2 * deadlines.detectMs
  }

  #expiryOf({ heardAt, confirmedAt, deadlines }: Known): number {
    return Math.min(heardAt + deadlines.detectMs, confirmedAt + deadlines.leaseMs)
  }

  /** Not seen yet, and surely young: it was sent after what it confirms. */
  #isLate(peer: Known, header: Header, now: number): boolean {
    const after = peer.sent.find(({ counter }) => counter === header.ack)
    if (after === undefined || now - after.at > peer.deadlines.intervalMs * lateIntervals) return false
    if (peer.recent.includes(header.counter)) return false
    remember(peer, header.counter)
    return true
  }

  #replace(peer: Known, incarnation: bigint): void {
    if (peer.header !== undefined) retire(peer)
    peer.incarnation = incarnation
    peer.counter = 0n
    peer.recent.length = 0
    peer.confirmedAt = never
    peer.sparedUntil = never
  }

  #heard(peer: Known, header: Header, now: number): void {
    peer.counter = header.counter
    remember(peer, header.counter)
    peer.header = header
    peer.heardAt = now
    peer.deadlines = slower(this.#own, deadlinesOf(header.timing, header.fencing))
    const confirmed = peer.sent.findLast(({ counter }) => counter <= header.ack)
    if (confirmed?.counter === header.ack) peer.confirmedAt = Math.max(peer.confirmedAt, confirmed.at)
  }
}

function slower(own: Deadlines, theirs: Deadlines): Deadlines {
  return {
    intervalMs: Math.max(own.intervalMs, theirs.intervalMs),
    detectMs: Math.max(own.detectMs, theirs.detectMs),
    leaseMs: Math.max(own.leaseMs, theirs.leaseMs),
    marginMs: Math.max(own.marginMs, theirs.marginMs),
    stallMs: Math.max(own.stallMs, theirs.stallMs),
  }
}

function newPeer(node: string, addresses: readonly string[], deadlines: Deadlines): Known {
  return {
    node,
    addresses,
    listed: true,
    header: undefined,
    deadlines,
    heardAt: never,
    sentAt: never,
    confirmedAt: never,
    overheardAt: never,
    overheardSince: never,
    sparedUntil: never,
    incarnation: 0n,
    counter: 0n,
    recent: [],
    sent: [],
    retired: new Set(),
  }
}

function remember(peer: Known, counter: bigint): void {
  peer.recent.push(counter)
  if (peer.recent.length > recentKept) peer.recent.shift()
}

/** The oldest are forgotten: their echo is of a time long past. */
function retire(peer: Known): void {
  peer.retired.add(peer.incarnation)
  const [oldest] = peer.retired
  if (peer.retired.size > retiredKept && oldest !== undefined) peer.retired.delete(oldest)
}
