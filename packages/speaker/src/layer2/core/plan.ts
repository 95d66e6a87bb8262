/**
 * The plan (pure): which node is to own each address, and the orders that bring about what is not so yet. An address
 * is given to a node only when nobody else holds it or may hold it; the coordinator's whole safety is in `#steer`.
 *
 * Precedence: eligible nodes alone; the heaviest by preference; of these the present holder; else the least loaded,
 * then the first by name. A holder that is outweighed only because a better node joined stays (see `preferAfterMs`).
 * The addresses of one unit (of a dual-stack Service, or shared by Services) stay on one node.
 */
import type { ChangeReason } from '../codec/bodies.ts'
import type { AddressKey } from '../codec/ethernet.ts'
import type { Ledger } from './ledger.ts'
import type { Orders } from './orders.ts'
import { type Candidate, heaviest, leastLoaded, otherWeights } from './placement.ts'

export interface PlannedAddress {
  readonly key: AddressKey
  /** Addresses of one unit have the same candidates. */
  readonly unit: string
  readonly candidates: readonly Candidate[]
}

/** Takes the orders that a plan makes. */
export type OrderBook = Pick<Orders, 'release' | 'take'>

/** The members as the coordinator sees them now. */
export interface Scene {
  readonly now: number
  /** Alive, follows, its holdings are known, and it stays. */
  readonly mayOwn: (node: string) => boolean
  /** Knows what is desired, too: comes first when something is given away. */
  readonly mayTake: (node: string) => boolean
  readonly isAlive: (node: string) => boolean
  readonly isLeaving: (node: string) => boolean
  /** Of two that hold one address, the higher keeps it. */
  readonly standing: (node: string) => number
  /** Addresses of which it is not known who held them may be given away. */
  readonly mayPlace: boolean
  /** undefined: a better-weighted node that joined takes nothing over. */
  readonly preferAfterMs: number | undefined
}

interface Unit {
  readonly id: string
  readonly addresses: Set<AddressKey>
  candidates: readonly Candidate[]
  target: string | undefined
  /** Why it is moved on purpose. */
  reason: ChangeReason
  /** Addresses whose holder was told, by this coordinator, to give them up, and why. */
  readonly released: Map<AddressKey, ChangeReason>
  /** Moved on purpose, although the holder could stay. */
  moveTo: string | undefined
  /** The preferences were changed: the heaviest takes over now. */
  reweighed: boolean
  outweighedSince: number | undefined
  /** The reset after which it was looked at; what was intended before counts no more. */
  resets: number
}

const strayMs = 5000

export class Plan {
  readonly #ledger: Ledger
  readonly #orders: OrderBook
  readonly #units = new Map<string, Unit>()
  readonly #unitOf = new Map<AddressKey, Unit>()
  readonly #load = new Map<string, number>()
  /** Their holders changed: somebody may wait. */
  readonly #urgent = new Set<Unit>()
  readonly #dirty = new Set<Unit>()
  /** All units that are still to be looked at, for something that concerns each. */
  #sweep: Iterator<Unit> | undefined
  #resets = 0
  #unplaced = new Set<Unit>()
  readonly #strays = new Map<AddressKey, number | undefined>()
  readonly #contested = new Set<AddressKey>()

  constructor(ledger: Ledger, orders: OrderBook) {
    this.#ledger = ledger
    this.#orders = orders
  }

  get size(): number {
    return this.#unitOf.size
  }

  has(address: AddressKey): boolean {
    return this.#unitOf.has(address)
  }

  /** Whether there is something to look at. */
  hasWork(mayPlace: boolean): boolean {
    const some = this.#urgent.size > 0 || this.#dirty.size > 0 || this.#sweep !== undefined
    return some || (mayPlace && this.#unplaced.size > 0)
  }

  /** Whether something waits only for `mayPlace`. */
  get waits(): boolean {
    return this.#unplaced.size > 0
  }

  set(address: PlannedAddress): void {
    const before = this.#unitOf.get(address.key)
    if (before !== undefined && before.id !== address.unit) this.#leaveUnit(address.key, before)
    let unit = this.#units.get(address.unit)
    if (unit === undefined) {
      unit = newUnit(address, this.#resets)
      this.#units.set(unit.id, unit)
    }
    this.#refresh(unit)
    if (unit.candidates !== address.candidates) {
      unit.reweighed ||= otherWeights(unit.candidates, address.candidates)
      unit.candidates = address.candidates
    }
    if (!unit.addresses.has(address.key)) {
      unit.addresses.add(address.key)
      this.#count(unit.target, 1)
    }
    this.#unitOf.set(address.key, unit)
    this.#strays.delete(address.key)
    this.#dirty.add(unit)
  }

  delete(address: AddressKey): void {
    const unit = this.#unitOf.get(address)
    if (unit === undefined) return
    this.#unitOf.delete(address)
    this.#leaveUnit(address, unit)
    if (this.#ledger.holdersOf(address).size > 0) this.#strays.set(address, undefined)
  }

  /** The holders of an address changed. */
  touch(address: AddressKey): void {
    const unit = this.#unitOf.get(address)
    if (unit !== undefined) this.#urgent.add(unit)
    else if (this.#ledger.holdersOf(address).size > 0) this.#strays.set(address, undefined)
  }

  /** Who may own what changed. */
  touchAll(): void {
    this.#sweep = this.#units.values()
  }

  /** Forgets what was intended: someone else coordinated meanwhile. */
  reset(): void {
    this.#resets++
    this.#load.clear()
    this.#contested.clear()
    this.touchAll()
  }

  /** Looks at up to `limit` units and makes the orders for them. */
  settle(scene: Scene, limit: number): void {
    let left = limit
    for (const queue of [this.#urgent, this.#dirty])
      for (const unit of queue) {
        if (left-- <= 0) return
        queue.delete(unit)
        this.#settleUnit(unit, scene)
      }
    while (this.#sweep !== undefined) {
      if (left-- <= 0) return
      const { done, value } = this.#sweep.next()
      if (done === true) this.#sweep = undefined
      else this.#settleUnit(value, scene)
    }
    // After all others: only then it is known who is loaded how much.
    for (const unit of this.#unplaced) {
      if (!scene.mayPlace && !this.#isKnownLoss(unit)) continue
      if (left-- <= 0) return
      this.#unplaced.delete(unit)
      this.#place(unit, scene)
    }
    this.#releaseStrays(scene)
  }

  /** One unit from the most to the least loaded, by hand-over. False: they are within one of each other. */
  rebalance(scene: Scene): boolean {
    const load = (node: string): number => this.#load.get(node) ?? 0
    const choices = new Map<readonly Candidate[], { equals: readonly string[]; to: string | undefined }>()
    const chooseOf = (candidates: readonly Candidate[]) => {
      const equals = heaviest(candidates, scene.mayOwn)
      const choice = { equals, to: leastLoaded(equals.filter(scene.mayTake), load) }
      choices.set(candidates, choice)
      return choice
    }
    let best: { readonly unit: Unit; readonly to: string; readonly gain: number } | undefined
    for (const unit of this.#units.values()) {
      const { target, candidates } = unit
      if (target === undefined || unit.moveTo !== undefined || !scene.mayOwn(target)) continue
      const { equals, to } = choices.get(candidates) ?? chooseOf(candidates)
      if (to === undefined || !equals.includes(target)) continue
      const gain = load(target) - load(to) - unit.addresses.size
      if (gain > (best?.gain ?? 0)) best = { unit, to, gain }
    }
    if (best === undefined) return false
    this.#move(best.unit, best.to, 'rebalanced')
    this.#settleUnit(best.unit, scene)
    return true
  }

  /** One unit to a node that outweighs its holder for long enough. */
  prefer(scene: Scene): void {
    const { preferAfterMs, now } = scene
    if (preferAfterMs === undefined) return
    for (const unit of this.#units.values()) {
      if (unit.outweighedSince === undefined || now - unit.outweighedSince < preferAfterMs) continue
      unit.reweighed = true
      this.#settleUnit(unit, scene)
      return
    }
  }

  #settleUnit(unit: Unit, scene: Scene): void {
    this.#refresh(unit)
    const present = this.#presentOf(unit, scene)
    if (present !== undefined) this.#unplaced.delete(unit)
    this.#aim(unit, this.#targetOf(unit, present, scene))
    for (const address of unit.addresses) this.#steer(address, unit, scene)
  }

  /** The holder that may go on, if there is one. */
  #presentOf(unit: Unit, scene: Scene): string | undefined {
    const allowed = new Set(unit.candidates.filter(({ node }) => scene.mayOwn(node)).map(({ node }) => node))
    let chosen: string | undefined
    for (const address of unit.addresses)
      for (const node of this.#ledger.holdersOf(address)) {
        if (!allowed.has(node) || node === chosen) continue
        if (chosen === undefined || outranks(node, chosen, unit.target, scene)) chosen = node
      }
    return chosen
  }

  #targetOf(unit: Unit, present: string | undefined, scene: Scene): string | undefined {
    const { moveTo } = unit
    if (moveTo !== undefined && moveTo !== present && mayHold(unit, moveTo, scene)) return moveTo
    unit.moveTo = undefined
    if (present !== undefined) return this.#preferredOver(present, unit, scene)
    const meant = unit.target
    if (meant !== undefined && mayHold(unit, meant, scene)) return meant
    const held = [...unit.addresses].some((address) => this.#ledger.holdersOf(address).size > 0)
    if (!held) {
      this.#unplaced.add(unit)
      return undefined
    }
    const leaves = [...unit.addresses].some((address) =>
      [...this.#ledger.holdersOf(address)].some((node) => scene.isAlive(node)),
    )
    // A dead holder is waited for; what it held is placed when its right has ended.
    return leaves ? this.#choose(unit, scene) : undefined
  }

  #preferredOver(present: string, unit: Unit, scene: Scene): string {
    const best = heaviest(unit.candidates, scene.mayOwn)
    if (best.includes(present)) {
      unit.outweighedSince = undefined
      unit.reweighed = false
      return present
    }
    unit.outweighedSince ??= scene.now
    if (!unit.reweighed) return present
    unit.reweighed = false
    const to = leastLoaded(best.filter(scene.mayTake), (node) => this.#load.get(node) ?? 0)
    if (to === undefined) return present
    this.#move(unit, to, 'preferred')
    return to
  }

  #move(unit: Unit, to: string, reason: ChangeReason): void {
    unit.moveTo = to
    unit.reason = reason
    unit.outweighedSince = undefined
  }

  #place(unit: Unit, scene: Scene): void {
    this.#refresh(unit)
    this.#aim(unit, this.#choose(unit, scene))
    if (unit.target === undefined) return
    for (const address of unit.addresses) this.#steer(address, unit, scene)
  }

  #refresh(unit: Unit): void {
    if (unit.resets === this.#resets) return
    unit.resets = this.#resets
    unit.target = undefined
    unit.moveTo = undefined
    unit.reweighed = false
    unit.outweighedSince = undefined
    unit.released.clear()
  }

  /** It is known of each of its addresses that nobody can hold it any more. */
  #isKnownLoss(unit: Unit): boolean {
    this.#refresh(unit)
    const { addresses, released } = unit
    for (const address of addresses)
      if (this.#ledger.lossOf(address) === undefined && !released.has(address)) return false
    return true
  }

  #choose(unit: Unit, scene: Scene): string | undefined {
    const able = heaviest(unit.candidates, scene.mayTake)
    const best = able.length > 0 ? able : heaviest(unit.candidates, scene.mayOwn)
    return leastLoaded(best, (node) => this.#load.get(node) ?? 0)
  }

  #steer(address: AddressKey, unit: Unit, scene: Scene): void {
    const { target } = unit
    const holders = this.#ledger.holdersOf(address)
    if (holders.size === 0) {
      if (target === undefined) this.#unplaced.add(unit)
      else if (scene.mayPlace || this.#ledger.lossOf(address) !== undefined || unit.released.has(address))
        this.#give(address, target, unit)
      else this.#unplaced.add(unit)
      return
    }
    for (const node of holders) {
      if (node === target || !scene.isAlive(node) || this.#ledger.isPending(node, address)) continue
      if (target === undefined && scene.isLeaving(node)) continue
      if (target !== undefined && holders.has(target)) this.#contested.add(address)
      unit.released.set(address, this.#whyReleased(unit, node, scene))
      this.#orders.release(node, address)
    }
    if (holders.size === 1 && target !== undefined && holders.has(target) && this.#contested.delete(address))
      this.#orders.take(target, address, { reason: 'conflict', silentSince: undefined })
  }

  #whyReleased(unit: Unit, node: string, scene: Scene): ChangeReason {
    if (unit.moveTo !== undefined) return unit.reason
    if (scene.isLeaving(node)) return 'ownerLeft'
    return unit.addresses.size > 1 && scene.mayOwn(node) ? 'grouped' : 'ownerNotEligible'
  }

  #give(address: AddressKey, node: string, unit: Unit): void {
    const loss = this.#ledger.lossOf(address)
    const lost = loss?.kind === 'dead' ? 'ownerDead' : loss?.kind === 'left' ? 'ownerLeft' : 'placed'
    const reason = unit.released.get(address) ?? lost
    const silentSince = loss?.kind === 'dead' ? loss.at : undefined
    this.#ledger.expect(node, address)
    this.#orders.take(node, address, { reason, silentSince })
    unit.released.delete(address)
  }

  #releaseStrays(scene: Scene): void {
    for (const [address, since] of this.#strays) {
      const holders = this.#ledger.holdersOf(address)
      if (since === undefined) this.#strays.set(address, scene.now)
      else if (holders.size === 0) this.#strays.delete(address)
      else if (scene.now - since > strayMs) {
        for (const node of holders) if (scene.mayOwn(node)) this.#orders.release(node, address)
        this.#strays.set(address, scene.now)
      }
    }
  }

  #leaveUnit(address: AddressKey, unit: Unit): void {
    this.#refresh(unit)
    if (unit.addresses.delete(address)) this.#count(unit.target, -1)
    if (unit.addresses.size > 0) return
    this.#units.delete(unit.id)
    for (const queue of [this.#urgent, this.#dirty, this.#unplaced]) queue.delete(unit)
  }

  #aim(unit: Unit, target: string | undefined): void {
    if (unit.target === target) return
    this.#count(unit.target, -unit.addresses.size)
    this.#count(target, unit.addresses.size)
    unit.target = target
  }

  #count(node: string | undefined, by: number): void {
    if (node !== undefined) this.#load.set(node, (this.#load.get(node) ?? 0) + by)
  }
}

function newUnit({ unit, candidates }: PlannedAddress, resets: number): Unit {
  return {
    id: unit,
    addresses: new Set(),
    candidates,
    target: undefined,
    reason: 'placed',
    released: new Map(),
    moveTo: undefined,
    reweighed: false,
    outweighedSince: undefined,
    resets,
  }
}

function mayHold(unit: Unit, node: string, scene: Scene): boolean {
  return scene.mayOwn(node) && unit.candidates.some((candidate) => candidate.node === node)
}

function outranks(node: string, other: string, meant: string | undefined, scene: Scene): boolean {
  const [a, b] = [scene.standing(node), scene.standing(other)]
  if (a !== b) return a > b
  return node === meant || (other !== meant && node < other)
}
