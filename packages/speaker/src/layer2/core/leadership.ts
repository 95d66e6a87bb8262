/**
 * What a member does while it coordinates (pure): knows who holds what, waits out the rights of the dead, keeps the
 * plan and makes the orders. The ledger is kept while another coordinates, too: a successor knows at once.
 */
import { type Body, mostHolders } from '../codec/bodies.ts'
import type { AddressKey } from '../codec/ethernet.ts'
import { type Following, type Header, notKnown } from '../codec/message.ts'
import { digestOf } from './holdings.ts'
import { Ledger } from './ledger.ts'
import type { Membership, Peer } from './membership.ts'
import { type Order, Orders } from './orders.ts'
import { Plan, type PlannedAddress, type Scene } from './plan.ts'
import type { Predecessor, Reign, Testament } from './reign.ts'
import type { Deadlines } from './timing.ts'

/** Units looked at in one turn, so that no turn is long. */
const unitsPerTurn = 100
const buriedPerTurn = 500
const paceMs = 1000

/** What of this member itself the plan depends on. */
export interface Own {
  readonly node: string
  readonly following: Following
  readonly leaving: boolean
  /** It is silent from now on. */
  readonly departing: boolean
  readonly suspended: boolean
  readonly blind: boolean
  readonly backing: number
  /** Was of a side that was settled. */
  readonly wasSettled: boolean
}

export interface LeadershipOptions {
  readonly deadlines: Deadlines
  readonly preferAfterMs: number | undefined
  /** 0: never by itself. */
  readonly rebalanceMs: number
}

export class Leadership {
  readonly #options: LeadershipOptions
  readonly #membership: Membership
  readonly ledger: Ledger
  readonly plan: Plan
  #orders = new Orders()
  #reign: Reign | undefined
  /** The one before. */
  #ended: Reign | undefined
  #testament: Testament | undefined
  #owners = new Map<string, boolean>()
  #rebalancing = false
  /** The last turn left something for the next one. */
  #unfinished = false
  #movedAt = Number.NEGATIVE_INFINITY
  #rebalancedAt = 0

  constructor(membership: Membership, options: LeadershipOptions) {
    this.#membership = membership
    this.#options = options
    this.ledger = new Ledger((address) => this.plan.touch(address))
    this.plan = new Plan(this.ledger, {
      release: (node, address) => this.#orders.release(node, address),
      take: (node, address, take) => this.#orders.take(node, address, take),
    })
  }

  get leads(): boolean {
    return this.#reign !== undefined
  }

  set(address: PlannedAddress): void {
    this.plan.set(address)
  }

  delete(address: AddressKey): void {
    this.plan.delete(address)
  }

  begin(predecessor: Predecessor, now: number): void {
    const { leaseMs, detectMs, intervalMs, marginMs } = this.#slowest()
    const wait = { dead: leaseMs - detectMs + intervalMs + marginMs, alive: leaseMs + marginMs, none: 0 }
    const quiet = now + wait[predecessor.kind]
    const quietUntil = predecessor.kind === 'none' ? Math.max(now, predecessor.rightsUntil) : quiet
    const sharedUntil = predecessor.kind === 'dead' ? now + leaseMs - detectMs + marginMs : now
    const { kind } = predecessor
    const epoch = kind === 'alive' ? predecessor.epoch : undefined
    const before = this.#reign ?? this.#ended
    this.#reign = {
      predecessor,
      testator: kind === 'alive' && epoch !== undefined ? { node: predecessor.node, epoch } : undefined,
      whole: false,
      since: now,
      sharedUntil: Math.max(sharedUntil, before?.sharedUntil ?? now),
      // What was out then still is.
      quietUntil: Math.max(quietUntil, before === undefined || before.whole ? now : before.quietUntil),
      granted: before?.granted ?? new Map(),
      followers: new Set(),
    }
    this.#orders = new Orders()
    this.#owners = new Map()
    // What was lost when somebody else coordinated, or in an earlier reign, may have an owner that is not heard now.
    this.ledger.forgetLosses(
      ({ kind, node, at }) =>
        predecessor.kind === 'alive' && kind === 'left' && node === predecessor.node && now - at < detectMs,
    )
    this.plan.reset()
  }

  /** @returns the last word of this member, if it can be sure */
  end(own: Own, now: number): Body | undefined {
    const testament = this.testament(own, now)
    this.#ended = this.#reign ?? this.#ended
    this.#reign = undefined
    this.#rebalancing = false
    for (const node of this.ledger.nodes)
      for (const address of this.#orders.drop(node)) this.ledger.cancel(node, address)
    return testament
  }

  /** Who may hold anything, if that is sure and fits into a message. */
  testament(own: Own, now: number): Body | undefined {
    if (this.#reign === undefined || !this.#isQuiet(this.#reign, own, now)) return undefined
    const holders = new Set(this.ledger.nodes.filter((node) => this.ledger.load(node) > 0))
    if (own.departing) holders.delete(own.node)
    for (const node of this.#membership.peers.keys())
      if (this.#membership.alive(node, now) && !this.ledger.isKnown(node)) holders.add(node)
    if (holders.size > mostHolders) return undefined
    return { kind: 'testament', holders: [...holders].map(digestOf) }
  }

  /** Another one has ended its reign. */
  inherit({ node, following }: Header, holders: readonly bigint[]): void {
    this.#testament = { node, following, holders }
  }

  rebalance(): void {
    this.#rebalancing = true
  }

  /** It has a majority now that it had not: others may hold by rights of a side that had. */
  backed(now: number): void {
    const reign = this.#reign
    const { leaseMs, marginMs } = this.#slowest()
    if (reign === undefined || (reign.predecessor.kind !== 'none' && now - reign.since < leaseMs)) return
    this.#reign = { ...reign, whole: false, quietUntil: Math.max(reign.quietUntil, now + leaseMs + marginMs) }
    this.ledger.forgetLosses(() => false)
    this.plan.touchAll()
  }

  /** Our message to the node gives it a right, by what was last heard of it. */
  grants(node: string): void {
    const peer = this.#membership.peers.get(node)
    if (peer !== undefined) this.#reign?.granted.set(node, peer.heardAt)
  }

  /** The node holds nothing any more, by its own word or since it started anew. */
  gone(node: string, now: number): void {
    this.ledger.leave(node, { node, kind: 'left', at: now })
    this.#orders.drop(node)
  }

  /** Takes in what a peer's header says. @returns what to ask it */
  hear(peer: Peer, header: Header, own: Own, now: number): Body | undefined {
    const reign = this.#reign
    if (reign !== undefined && follows(header, own)) {
      // What an earlier epoch may have given it, it has by now, or never will.
      if (!reign.followers.has(peer.node)) this.ledger.cancelAll(peer.node)
      reign.followers.add(peer.node)
      const order = this.#orders.confirm(peer.node, header.orderAck)
      if (order !== undefined) this.ledger.apply(peer.node, order.release, order.take)
      const { predecessor } = reign
      if (predecessor.kind === 'alive' && predecessor.node === peer.node) this.#hasYielded(reign, now)
    }
    if (reign === undefined) this.ledger.cancelAll(peer.node)
    if (this.#orders.isOut(peer.node)) return undefined
    if (this.ledger.observe(peer.node, header.held)) return undefined
    return { kind: 'inquire', part: this.ledger.wantedPart(peer.node) }
  }

  /** Ends what the dead held, once their right has surely ended. @returns how many have died so */
  bury(self: string, now: number): number {
    const reign = this.#reign
    if (reign === undefined) return 0
    let buried = 0
    for (const node of this.ledger.nodes) {
      const peer = this.#membership.peers.get(node)
      if (node === self || this.#membership.alive(node, now)) continue
      if (peer !== undefined && now < this.#rightOf(peer, reign)) continue
      this.#orders.drop(node)
      // The rest in the next turn.
      const closed = this.ledger.close(node, { node, kind: 'dead', at: peer?.heardAt ?? now }, buriedPerTurn)
      // One that is heard again did not die just now: it is about to follow.
      const silent = peer === undefined || now - peer.heardAt >= peer.deadlines.detectMs
      if (closed && silent) buried++
    }
    return buried
  }

  /** Someone who is silent now may hold something still. */
  hasToBury(now: number): boolean {
    return this.ledger.nodes.some(
      (node) => this.#membership.peers.has(node) && !this.#membership.alive(node, now),
    )
  }

  /** Everyone alive follows, and it is known what each holds, those included who are gone. */
  isComplete(own: Own, now: number): boolean {
    if (this.ledger.hasEstates) return false
    for (const { node, header } of this.#membership.peers.values()) {
      if (header === undefined || !this.#membership.alive(node, now)) continue
      if (!follows(header, own) || !this.ledger.isKnown(node)) return false
    }
    return true
  }

  /**
   * Digest of what the node holds, when it is sure that nobody else holds any of it, or may; else `notKnown`.
   * It is what lets a member whose right lapsed answer again.
   */
  vouchFor(node: string, own: Own, now: number): bigint {
    const reign = this.#reign
    if (reign === undefined || !this.#isQuiet(reign, own, now) || !this.isComplete(own, now)) return notKnown
    return this.ledger.isDisputed(node) ? notKnown : this.ledger.digestOf(node)
  }

  /** Nobody holds what another holds, and nothing waits to be looked at. */
  isSettled(own: Own, now: number): boolean {
    return (
      this.#reign !== undefined &&
      this.#isQuiet(this.#reign, own, now) &&
      !this.plan.hasWork(true) &&
      this.ledger.conflicts.size === 0 &&
      this.isComplete(own, now)
    )
  }

  /** Something is being moved. */
  get isBusy(): boolean {
    return this.plan.hasWork(false) || this.#orders.isBusy
  }

  /** Looks at a part of what is to be decided. */
  work(own: Own, now: number): void {
    const reign = this.#reign
    if (reign === undefined) return
    this.#noteOwners(own, now)
    this.#prove(reign, own, now)
    this.#unfinished = false
    if (!this.plan.hasWork(this.#isQuiet(reign, own, now)) && now - this.#movedAt < paceMs) return
    if (now < reign.sharedUntil || !this.isComplete(own, now)) return
    const scene = this.#scene(own, reign, now)
    this.plan.settle(scene, unitsPerTurn)
    this.#unfinished = this.plan.hasWork(scene.mayPlace)
    if (this.#unfinished || now - this.#movedAt < paceMs) return
    this.#movedAt = now
    const { rebalanceMs } = this.#options
    if (rebalanceMs > 0 && now - this.#rebalancedAt >= rebalanceMs) {
      this.#rebalancedAt = now
      this.#rebalancing = true
    }
    if (this.#rebalancing) this.#rebalancing = this.plan.rebalance(scene)
    else this.plan.prefer(scene)
  }

  /** Orders that are to be sent now, each once. */
  due(now: number): readonly (readonly [string, Order])[] {
    const again = this.#options.deadlines.intervalMs / 2
    const orders: (readonly [string, Order])[] = []
    for (const node of this.#orders.nodes) {
      const order = this.#orders.next(node, now, again)
      if (order !== undefined) orders.push([node, order])
    }
    return orders
  }

  /** An order to this member itself was carried out, which the ledger knows. */
  carriedOut(node: string, { sequence }: Order): void {
    this.#orders.confirm(node, sequence)
  }

  /** When something is due without anything being heard. */
  wakeAt(now: number): number {
    if (this.ledger.hasEstates) return now
    const reign = this.#reign
    if (reign === undefined) return Number.POSITIVE_INFINITY
    let next = this.#unfinished ? now : this.#orders.nextAgain(this.#options.deadlines.intervalMs / 2)
    if (now < reign.sharedUntil) next = Math.min(next, reign.sharedUntil)
    if (this.plan.waits && reign.quietUntil > now) next = Math.min(next, reign.quietUntil)
    for (const node of this.ledger.nodes) {
      const peer = this.#membership.peers.get(node)
      if (peer !== undefined && !this.#membership.alive(node, now))
        next = Math.min(next, this.#rightOf(peer, reign))
    }
    return next
  }

  /** Nobody who is not heard can hold anything. One that has just come leaves to strangers what they hold. */
  #isQuiet({ whole, quietUntil }: Reign, own: Own, now: number): boolean {
    return (whole || now >= quietUntil) && (own.wasSettled || !this.#membership.isAmongStrangers(now))
  }

  /** By the predecessor's word, when all follow whom it named. */
  #prove(reign: Reign, own: Own, now: number): void {
    const { node, following, holders } = this.#testament ?? {}
    if (reign.whole || reign.testator?.node !== node || following === undefined) return
    const atGoodbye = following.coordinator === node && following.epoch === reign.testator?.epoch
    if (!atGoodbye && !isOwn(following, own)) return
    if (!this.isComplete(own, now)) return
    const heard = [...this.#membership.peers.keys()].filter((one) => this.#membership.alive(one, now))
    const known = new Set([own.node, ...heard].map(digestOf))
    reign.whole = holders?.every((holder) => known.has(holder)) === true
  }

  #hasYielded(reign: Reign, now: number): void {
    const { leaseMs, marginMs } = this.#slowest()
    reign.quietUntil = now + leaseMs + marginMs
    this.#reign = { ...reign, predecessor: { kind: 'none', rightsUntil: reign.quietUntil } }
  }

  /** Until when a member that is not heard may still answer. */
  #rightOf(peer: Peer, { predecessor, since, granted, quietUntil }: Reign): number {
    const { leaseMs, detectMs, marginMs } = peer.deadlines
    const ours = (granted.get(peer.node) ?? Number.NEGATIVE_INFINITY) + leaseMs + marginMs
    const foreign =
      predecessor.kind === 'dead' && predecessor.node === peer.node
        ? since + leaseMs - detectMs + marginMs
        : quietUntil
    return Math.max(ours, foreign)
  }

  /** Whoever became able to own, or ceased to be, makes the plan look at everything. */
  #noteOwners(own: Own, now: number): void {
    const owners = new Map([[own.node, !own.leaving]])
    for (const { node, header } of this.#membership.peers.values())
      if (header !== undefined && this.#membership.alive(node, now))
        owners.set(node, header.state !== 'leaving' && follows(header, own))
    const same =
      owners.size === this.#owners.size && [...owners].every(([node, may]) => this.#owners.get(node) === may)
    if (same) return
    this.#owners = owners
    this.plan.touchAll()
  }

  #scene(own: Own, reign: Reign, now: number): Scene {
    const headerOf = (node: string): Header | undefined => this.#membership.peers.get(node)?.header
    return {
      now,
      mayOwn: (node) => this.#owners.get(node) === true,
      mayTake: (node) => {
        const { blind } = node === own.node ? own : (headerOf(node) ?? own)
        return this.#owners.get(node) === true && !blind
      },
      isAlive: (node) => node === own.node || this.#membership.alive(node, now),
      isLeaving: (node) => (node === own.node ? own.leaving : headerOf(node)?.state === 'leaving'),
      standing: (node) => {
        const { suspended, backing } = node === own.node ? own : (headerOf(node) ?? own)
        return suspended ? backing - Number.MAX_SAFE_INTEGER : backing
      },
      mayPlace: this.#isQuiet(reign, own, now),
      preferAfterMs: this.#options.preferAfterMs,
    }
  }

  #slowest(): Deadlines {
    const all = [this.#options.deadlines, ...[...this.#membership.peers.values()].map((p) => p.deadlines)]
    return all.reduce((a, b) => (b.leaseMs > a.leaseMs ? b : a))
  }
}

function follows({ following }: Header, own: Own): boolean {
  return isOwn(following, own)
}

function isOwn(following: Following, own: Own): boolean {
  return following.coordinator === own.node && following.epoch === own.following.epoch
}
