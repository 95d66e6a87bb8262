/**
 * One speaker among the others (pure: time and messages come in; messages, and which addresses to answer for, come
 * out). Membership says who is alive (membership.ts), the election whom to follow (election.ts, allegiance.ts), the
 * fence whether the right is fresh (fence.ts, quorum.ts); who is followed leads (leadership.ts): it knows who holds
 * what (ledger.ts), plans (plan.ts, placement.ts), and orders (orders.ts).
 *
 * A member holds what the coordinator has told it to take, until told to release it. It answers for what it holds
 * while its right is fresh. When the right lapsed it goes on holding, but is silent (suspended) until a coordinator
 * confirms, by digest, that it knows these very addresses to be held here; else that one has them released first. Who
 * holds nothing has nothing in doubt.
 */
import type { Body } from '../codec/bodies.ts'
import type { AddressKey } from '../codec/ethernet.ts'
import type { Following, Header, MemberState, Message } from '../codec/message.ts'
import { Allegiance } from './allegiance.ts'
import type { CoreOptions } from './core-options.ts'
import { beatTargets, liveHubs, nextExpiry } from './election.ts'
import { Fence } from './fence.ts'
import { headerTo, ownOf, type Standing } from './header.ts'
import { Holder } from './holder.ts'
import type { Holdings } from './holdings.ts'
import { Leadership, type Own } from './leadership.ts'
import { Membership, type Peer, type PeerAddress } from './membership.ts'
import type { Order } from './orders.ts'
import { emptyOutcome, type GrowingOutcome, type Outcome } from './outcome.ts'
import type { PlannedAddress } from './plan.ts'
import { confirmedBy, isEnoughAlone, type Side } from './quorum.ts'
import { type Deadlines, deadlinesOf } from './timing.ts'

const rebalanceAsks = 10
const farewells = 3

export class Layer2Core {
  readonly #options: CoreOptions
  readonly #deadlines: Deadlines
  readonly #membership: Membership
  readonly #fence: Fence
  readonly #leadership: Leadership
  readonly #holder = new Holder()
  readonly #allegiance: Allegiance
  readonly #side: Side
  #tickedAt = 0
  #ledAt = Number.NEGATIVE_INFINITY
  #rebalanceAsks = 0
  #heardCoordinator = false
  #outcome: GrowingOutcome = emptyOutcome()

  constructor(options: CoreOptions) {
    this.#options = options
    const { node, incarnation, timing, partition, preferAfterMs, rebalanceMs } = options
    this.#deadlines = deadlinesOf(timing, partition === 'fence')
    this.#membership = new Membership(node, incarnation, this.#deadlines)
    this.#fence = new Fence(this.#deadlines)
    this.#allegiance = new Allegiance(node, this.#membership, this.#deadlines)
    const { leaseMs } = this.#deadlines
    this.#side = { self: node, policy: partition, membership: this.#membership, leaseMs }
    const leadership = { deadlines: this.#deadlines, preferAfterMs, rebalanceMs }
    this.#leadership = new Leadership(this.#membership, leadership)
  }

  get membership(): Membership {
    return this.#membership
  }

  get ledger(): Leadership['ledger'] {
    return this.#leadership.ledger
  }

  get held(): Holdings {
    return this.#holder.held
  }

  get state(): MemberState {
    return this.#allegiance.state
  }

  get following(): Following {
    return this.#allegiance.following
  }

  get suspended(): boolean {
    return this.#fence.suspended
  }

  /** Whether something is still held, or to be given, that someone else could take. */
  isHandingOver(now: number): boolean {
    const gives = this.#holder.held.size > 0 || (this.#allegiance.leads && this.#leadership.isBusy)
    return gives && !this.#fence.suspended && this.#membership.hearsSomebody(now)
  }

  /** There are others, and none of them is heard. */
  isCutOff(now: number): boolean {
    return this.#membership.peers.size > 0 && !this.#membership.hearsSomebody(now)
  }

  /** Cheap: asked for each frame. */
  mayAnswer(now: number): boolean {
    return this.#fence.mayAnswer(now)
  }

  /** From now on the others can be heard. Only the first call counts. */
  begin(now: number): void {
    if (this.#allegiance.begun) return
    this.#allegiance.begin(now)
    this.#tickedAt = now
  }

  setPeers(peers: readonly PeerAddress[], now: number): void {
    this.#membership.setPeers(peers, now)
  }

  /** Whether the API server has been away for a while. */
  setBlind(blind: boolean): void {
    this.#allegiance.blind = blind
  }

  setAddress(address: PlannedAddress): void {
    this.#leadership.set(address)
  }

  deleteAddress(address: AddressKey): void {
    this.#leadership.delete(address)
  }

  /** Asks the coordinator to spread the addresses anew. */
  rebalance(): void {
    if (this.#allegiance.leads) this.#leadership.rebalance()
    else this.#rebalanceAsks = rebalanceAsks
  }

  /** Gives up what is held, to others, while there are any. */
  leave(now: number): void {
    if (this.#allegiance.state === 'left') return
    this.#allegiance.state = 'leaving'
    this.tick(now)
  }

  /** Is silent from now on, and says goodbye. */
  depart(now: number): void {
    this.#allegiance.state = 'left'
    this.#holder.releaseAll(this.#outcome)
    const testament = this.#leadership.testament(this.#own(), now)
    for (let i = 0; i < farewells; i++)
      for (const node of this.#membership.peers.keys()) this.#send(node, testament, false, now)
  }

  /** Once an interval; also whenever `wakeAt` says so, then without `beat`. */
  tick(now: number, beat = true): void {
    if (!this.#allegiance.begun || this.#allegiance.state === 'left') return
    this.#noteStall(now)
    this.#advance(now)
    const [{ node }, led] = [this.#options, this.#fence.isFresh(now)]
    if (beat)
      for (const to of beatTargets(node, this.#membership, led, now)) this.#send(to, undefined, true, now)
    this.#rebalanceAsks = Math.max(0, this.#rebalanceAsks - 1)
  }

  /** @returns why it was refused */
  receive(
    { header, body }: Message,
    source: string,
    authenticated: boolean,
    now: number,
  ): string | undefined {
    if (!this.#allegiance.begun || this.#allegiance.state === 'left') return undefined
    this.#noteStall(now)
    this.#lapse(now)
    const received = this.#membership.receive(header, source, authenticated, now)
    if (received.kind === 'refused') {
      if (received.reason === 'unknownMember' && header.wantsReply) this.#answerUnknown(header, source, now)
      return received.reason
    }
    if (received.kind === 'unconfirmed') {
      this.#send(received.node, undefined, header.wantsReply, now, received.incarnation)
      return undefined
    }
    const { peer } = received
    if (body?.kind === 'testament') this.#leadership.inherit(header, body.holders)
    if (received.kind === 'late') {
      const answered = this.#carry(peer, header, body, now)
      if (header.wantsReply && !answered) this.#send(peer.node, undefined, false, now)
      this.#advance(now)
      return undefined
    }
    this.#allegiance.heard(header, now)
    if (received.restarted || header.state === 'left') this.#leadership.gone(peer.node, now)
    const switched = this.#followFirst(now, peer)
    this.#takeRight(peer, header, now)
    if (header.state !== 'left') this.#hear(peer, header, body, switched, now)
    this.#advance(now)
    return undefined
  }

  /** A speaker at that address, which cannot be believed, says that it holds this (a digest). */
  overhear(source: string, held: bigint, now: number): void {
    this.#membership.overhear(source, held, now)
  }

  /** When to tick next, should nothing be heard. */
  wakeAt(now: number): number {
    const fence = this.#fence.suspended ? Number.POSITIVE_INFINITY : this.#fence.until
    const expiry = nextExpiry(this.#options.node, this.#membership, now)
    return Math.min(expiry, this.#leadership.wakeAt(now), Math.max(fence, now))
  }

  drain(): Outcome {
    const outcome = this.#outcome
    this.#outcome = emptyOutcome()
    return outcome
  }

  #own(): Own {
    return ownOf(this.#options.node, this.#allegiance, this.#fence)
  }

  #noteStall(now: number): void {
    const before = this.#tickedAt
    this.#tickedAt = now
    if (now - before <= this.#deadlines.stallMs) return
    this.#allegiance.stalled(now)
    this.#membership.spare(before, now)
  }

  #hear(peer: Peer, header: Header, body: Body | undefined, switched: boolean, now: number): void {
    const answered = this.#carry(peer, header, body, now)
    const own = this.#own()
    const wanted = this.#leadership.hear(peer, header, own, now)
    const watches = this.#allegiance.leads || liveHubs(own.node, this.#membership, now).has(own.node)
    const question = watches ? wanted : undefined
    if (header.rebalance && this.#allegiance.leads) this.#leadership.rebalance()
    if (question !== undefined) this.#send(peer.node, question, false, now)
    if (header.wantsReply && !answered && question === undefined) this.#send(peer.node, undefined, false, now)
    else if (switched && !header.wantsReply) this.#send(peer.node, undefined, true, now)
  }

  /** What a message carries beside its header. True: it was answered. */
  #carry(peer: Peer, header: Header, body: Body | undefined, now: number): boolean {
    if (body?.kind === 'order') this.#obey(body, header, now)
    if (body?.kind === 'delta')
      this.ledger.applyDelta(peer.node, body.from, body.to, body.removed, body.added)
    if (body?.kind === 'claims')
      this.ledger.applyClaims(peer.node, body.digest, body.part, body.parts, body.addresses)
    if (body?.kind === 'inquire') this.#send(peer.node, this.#holder.claims(body.part), false, now)
    else if (header.wantsReply && body?.kind === 'order') this.#send(peer.node, undefined, false, now)
    else return false
    return true
  }

  /**
   * Not only when the coordinator is heard: what kept this member from following goes with time, and by others' words.
   * @returns whether it follows the sender from now on, which hears it anyway
   */
  #followFirst(now: number, sender?: Peer): boolean {
    const following = this.#allegiance.toFollow(now)
    if (following === undefined) return false
    const testament = this.#allegiance.leads ? this.#leadership.end(this.#own(), now) : undefined
    this.#allegiance.following = following
    this.#holder.follow()
    const to = this.#membership.peers.get(following.coordinator)
    if (testament !== undefined) this.#send(following.coordinator, testament, false, now)
    if (to === sender) return true
    if (to?.header !== undefined) this.#takeRight(to, to.header, now)
    this.#send(following.coordinator, undefined, true, now)
    return false
  }

  #takeRight(peer: Peer, header: Header, now: number): void {
    const { coordinator, epoch } = this.#allegiance.following
    if (header.following.coordinator !== coordinator || header.following.epoch !== epoch) return
    if (this.#allegiance.leads) {
      const lapsed = this.#options.partition === 'fence' && !this.#fence.isFresh(now)
      if (header.hears) this.#fence.confirm(confirmedBy(this.#side, peer, epoch))
      if (lapsed && this.#fence.isFresh(now)) this.#leadership.backed(now)
      return
    }
    if (peer.node !== coordinator || header.grantMs === 0) return
    this.#fence.confirm(peer.confirmedAt, header.grantMs === 0xffff ? undefined : header.grantMs)
    if (header.settled) this.#allegiance.settled(header.backing, true)
    if (header.known === this.#holder.held.digest || this.#holder.held.size === 0) this.#resume(now)
  }

  /** Nobody else has what is held; of nothing that is sure. */
  #resume(now: number): void {
    if (this.#fence.resume(now)) this.#outcome.resumed = true
  }

  /** Carries out what the coordinator wants, once, and tells those that stand by. */
  #obey(order: Order, { node, following }: Header, now: number): void {
    const { coordinator, epoch } = this.#allegiance.following
    if (node !== coordinator || following.epoch !== epoch || following.coordinator !== coordinator) return
    if (this.#holder.accept(order)) this.#carryOut(order, now)
  }

  #carryOut(order: Order, now: number): void {
    const { node } = this.#options
    const delta = this.#holder.carryOut(order, this.#outcome)
    // So that whoever comes to coordinate knows what it holds itself.
    this.ledger.apply(node, order.release, order.take)
    for (const hub of liveHubs(node, this.#membership, now))
      if (hub !== node && hub !== this.#allegiance.following.coordinator) this.#send(hub, delta, false, now)
  }

  /** Everything that time alone, or what was just heard, brings about. */
  #advance(now: number): void {
    this.ledger.settle()
    this.#lapse(now)
    this.#allegiance.settle(now)
    this.#followFirst(now)
    this.#noteSilence(now)
    if (this.#allegiance.isSuperseded(now)) this.#stepDown(now)
    this.#elect(now)
    if (this.#allegiance.leads) this.#lead(now)
  }

  /** The next to coordinate, and whoever is to follow it, waits for the word of all that they hear the last no more. */
  #noteSilence(now: number): void {
    const heard = this.#allegiance.hearsCoordinator(now)
    if (this.#heardCoordinator && !heard)
      for (const one of this.#membership.peers.keys())
        if (this.#membership.alive(one, now)) this.#send(one, undefined, false, now)
    this.#heardCoordinator = heard
  }

  #lapse(now: number): void {
    if (this.#allegiance.leads && this.#allegiance.isAlone(now) && isEnoughAlone(this.#side))
      this.#fence.extendAlone(now)
    if (this.#allegiance.leads && this.#allegiance.isOnly) this.#fence.confirm(now)
    this.#fence.lapse(now)
    const isFollowed = this.#fence.isFresh(now) || now < this.#ledAt + this.#deadlines.leaseMs
    if (this.#allegiance.leads && !isFollowed) this.#stepDown(now)
  }

  #stepDown(now: number): void {
    if (this.#allegiance.leads) this.#leadership.end(this.#own(), now)
    this.#allegiance.stepDown()
    this.#fence.revoke()
  }

  #elect(now: number): void {
    if (!this.#allegiance.mustLead(now)) return
    const predecessor = this.#allegiance.lead(now)
    this.#holder.follow()
    this.#ledAt = now
    this.#leadership.begin(predecessor, now)
    this.ledger.restate(this.#options.node, this.#holder.held)
    for (const one of this.#membership.peers.keys()) this.#send(one, undefined, true, now)
  }

  #lead(now: number): void {
    const buried = this.#leadership.bury(this.#options.node, now)
    if (buried > 0 && !this.#fence.suspended) this.#allegiance.standApart(now)
    if (this.#holder.held.size === 0) this.#resume(now)
    if (this.#fence.isFresh(now)) this.#decide(now)
    if (!this.#leadership.isSettled(this.#own(), now)) return
    const backing = Math.max(this.#allegiance.backing, this.#allegiance.following.epoch)
    this.#allegiance.settled(backing, !this.#leadership.hasToBury(now))
    this.#resume(now)
  }

  /** What this member orders itself is carried out at once, and may be followed by more; the rest waits for a turn. */
  #decide(now: number): void {
    for (let round = 0; round < 2; round++) {
      this.#leadership.work(this.#own(), now)
      for (const [node, order] of this.#leadership.due(now)) {
        if (node !== this.#options.node) this.#send(node, order, true, now)
        else {
          this.#carryOut(order, now)
          this.#leadership.carriedOut(node, order)
        }
      }
    }
  }

  #send(node: string, body: Body | undefined, wantsReply: boolean, now: number, echo?: bigint): void {
    const peer = this.#membership.peers.get(node)
    if (peer === undefined) return
    const header = headerTo(node, this.#standing(), { wantsReply, echo }, now)
    this.#outcome.send.push({ node, to: peer.addresses, message: { header, body } })
  }

  /** One that is not listed here yet is to know that it is not alone. */
  #answerUnknown({ node, incarnation }: Header, source: string, now: number): void {
    const header = headerTo(node, this.#standing(), { wantsReply: false, echo: incarnation }, now)
    this.#outcome.send.push({ node, to: [source], message: { header, body: undefined } })
  }

  #standing(): Standing {
    return {
      options: this.#options,
      membership: this.#membership,
      allegiance: this.#allegiance,
      leadership: this.#leadership,
      fence: this.#fence,
      held: this.#holder.held.digest,
      own: this.#own(),
      orderAck: this.#holder.ack,
      rebalance: this.#rebalanceAsks > 0,
    }
  }
}
