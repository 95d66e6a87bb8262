/**
 * Who among the speakers is alive (pure: time and datagrams come in, datagrams to send come out).
 *
 * A heartbeat counts when it echoes our incarnation: the sender has heard this life of ours, so it is no recording
 * from before. Whoever echoes another one is answered once with the right one. Within an incarnation the counter
 * must grow, and an incarnation that was replaced never counts again.
 */
import type { Heartbeat, MemberState } from '../codec/heartbeat.ts'

export interface PeerAddress {
  readonly node: string
  /** Texts as the socket reports sources; the first is sent to. */
  readonly addresses: readonly string[]
}

export interface Timing {
  readonly intervalMs: number
  /** Intervals without a heartbeat until a member is dead. */
  readonly misses: number
}

export interface OutgoingHeartbeat {
  readonly to: string
  readonly heartbeat: Heartbeat
}

export type Received =
  | { readonly kind: 'accepted'; readonly changed: boolean; readonly replies: readonly OutgoingHeartbeat[] }
  | { readonly kind: 'unconfirmed'; readonly replies: readonly OutgoingHeartbeat[] }
  | { readonly kind: 'refused'; readonly reason: 'unknownMember' | 'foreignAddress' | 'replayed' }

export interface Member {
  readonly node: string
  readonly state: MemberState | 'dead'
}

interface Peer {
  addresses: readonly string[]
  listed: boolean
  state: MemberState
  incarnation: bigint
  counter: bigint
  heardAt: number
  readonly retired: Set<bigint>
}

const retiredKept = 64

export class Membership {
  readonly #self: string
  readonly #incarnation: bigint
  readonly #detectMs: number
  readonly #peers = new Map<string, Peer>()
  #counter = 0n
  #state: MemberState = 'joining'
  /** When nobody would have gone unheard; until then we own nothing. */
  #settledAt = Number.POSITIVE_INFINITY

  constructor(self: string, incarnation: bigint, timing: Timing) {
    this.#self = self
    this.#incarnation = incarnation
    this.#detectMs = timing.intervalMs * timing.misses
  }

  /** From now on the peers are known and can be heard. Only the first call counts. */
  begin(now: number): void {
    this.#settledAt = Math.min(this.#settledAt, now + this.#detectMs)
  }

  get state(): MemberState {
    return this.#state
  }

  /** Those who should run a speaker. One that is no longer listed stays while it is alive. */
  setPeers(peers: readonly PeerAddress[], now: number): void {
    for (const peer of this.#peers.values()) peer.listed = false
    for (const { node, addresses } of peers) {
      if (node === this.#self || addresses.length === 0) continue
      const known = this.#peers.get(node)
      if (known !== undefined) Object.assign(known, { addresses, listed: true })
      else this.#peers.set(node, newPeer(addresses))
    }
    for (const [node, peer] of this.#peers)
      if (!peer.listed && !this.#alive(peer, now)) this.#peers.delete(node)
  }

  /** Joining ends one detection time after `begin`: whoever is there has been heard. True when it just ended. */
  settle(now: number): boolean {
    if (this.#state !== 'joining' || now < this.#settledAt) return false
    this.#state = 'serving'
    return true
  }

  leave(): void {
    this.#state = 'leaving'
  }

  /** One heartbeat to each peer. */
  beat(): readonly OutgoingHeartbeat[] {
    return [...this.#peers.values()].map((peer) => this.#to(peer, peer.incarnation))
  }

  /** `authenticated`: it carried the right HMAC; else its source must be an address of the node it names. */
  receive(heartbeat: Heartbeat, source: string, authenticated: boolean, now: number): Received {
    const peer = this.#peers.get(heartbeat.node)
    if (peer === undefined) return { kind: 'refused', reason: 'unknownMember' }
    if (!authenticated && !peer.addresses.includes(source))
      return { kind: 'refused', reason: 'foreignAddress' }
    if (peer.retired.has(heartbeat.incarnation)) return { kind: 'refused', reason: 'replayed' }
    if (heartbeat.echo !== this.#incarnation)
      return { kind: 'unconfirmed', replies: [this.#to(peer, heartbeat.incarnation)] }
    if (heartbeat.incarnation === peer.incarnation) {
      if (heartbeat.counter <= peer.counter) return { kind: 'refused', reason: 'replayed' }
      return { kind: 'accepted', changed: this.#heard(peer, heartbeat, now), replies: [] }
    }
    retire(peer)
    peer.incarnation = heartbeat.incarnation
    const changed = this.#heard(peer, heartbeat, now)
    return { kind: 'accepted', changed, replies: [this.#to(peer, peer.incarnation)] }
  }

  /** Nodes whose speaker may own an address, this one included. */
  serving(now: number): ReadonlySet<string> {
    const nodes = new Set<string>()
    if (this.#state === 'serving') nodes.add(this.#self)
    for (const [node, peer] of this.#peers)
      if (peer.state === 'serving' && this.#alive(peer, now)) nodes.add(node)
    return nodes
  }

  /** When the next living peer would be dead, if it stays silent. */
  nextExpiry(now: number): number | undefined {
    let next: number | undefined
    for (const peer of this.#peers.values()) {
      const at = peer.heardAt + this.#detectMs
      if (at > now && (next === undefined || at < next)) next = at
    }
    return next
  }

  members(now: number): readonly Member[] {
    return [...this.#peers]
      .map(([node, peer]) => ({ node, state: this.#alive(peer, now) ? peer.state : ('dead' as const) }))
      .toSorted((a, b) => (a.node < b.node ? -1 : 1))
  }

  #alive(peer: Peer, now: number): boolean {
    return now < peer.heardAt + this.#detectMs
  }

  /** Whether the peer's part in the ownership changed. */
  #heard(peer: Peer, heartbeat: Heartbeat, now: number): boolean {
    const changed = !this.#alive(peer, now) || peer.state !== heartbeat.state
    peer.state = heartbeat.state
    peer.counter = heartbeat.counter
    peer.heardAt = now
    return changed
  }

  #to(peer: Peer, echo: bigint): OutgoingHeartbeat {
    this.#counter++
    const { addresses } = peer
    return {
      to: addresses[0] ?? '',
      heartbeat: {
        state: this.#state,
        node: this.#self,
        incarnation: this.#incarnation,
        counter: this.#counter,
        echo,
      },
    }
  }
}

function newPeer(addresses: readonly string[]): Peer {
  return {
    addresses,
    listed: true,
    state: 'joining',
    incarnation: 0n,
    counter: 0n,
    heardAt: Number.NEGATIVE_INFINITY,
    retired: new Set(),
  }
}

/** The oldest are forgotten: their echo is of a time long past. */
function retire(peer: Peer): void {
  if (peer.incarnation === 0n) return
  peer.retired.add(peer.incarnation)
  const [oldest] = peer.retired
  if (peer.retired.size > retiredKept && oldest !== undefined) peer.retired.delete(oldest)
}
