/**
 * The allocator: batches of changes in, decisions out. It owns the ledger and remembers what each Service asked
 * for, so that a change touches the Service that changed, and, if something came free, those that wait.
 *
 * Within a batch the order of the changes does not matter: first whoever holds addresses keeps or loses them,
 * the older before the younger; then those without get some, again by age.
 */

import type { Key } from '@landfall/kube/model'
import type { Config } from '@landfall/metallb'
import type { IP } from '@landfall/netip'
import type { World } from './choose.ts'
import { decide, type Review, reviewHolding } from './decide.ts'
import { besidesYounger } from './foreign.ts'
import { type Holding, Ledger, type LedgerView } from './ledger.ts'
import { type Orphan, Orphans } from './orphans.ts'
import type { Decision, Event } from './outcome.ts'
import {
  type BalancedService,
  byRequestAge,
  heldIn,
  type Request,
  readRequest,
  sharesNothing,
} from './request.ts'
import { Waiting } from './waiting.ts'

export interface Batch {
  /** undefined: unchanged. */
  readonly config?: Config
  /** Services of ours that are new or changed. */
  readonly changed: readonly BalancedService[]
  /** Services of other classes that are new or changed: what their statuses name is taken. Default none. */
  readonly foreign?: readonly BalancedService[]
  /** Services that are gone, or no longer ours. */
  readonly gone: readonly Key[]
  /** The time in milliseconds; counts only where a pool was removed. Default 0. */
  readonly now?: number
}

/** What a Service had before it is looked at again. */
interface Held {
  readonly ips: readonly IP[]
  /** A controller gave it that. */
  readonly given: boolean
  /** Since when its pool is gone, as its condition says, where nothing else is known of what it had. */
  readonly orphanedSince?: number | undefined
}

export interface Decided {
  readonly key: Key
  readonly request: Request
  readonly decision: Decision
}

export class Allocator {
  readonly #ledger = new Ledger()
  readonly #requests = new Map<Key, Request>()
  /** Services of other classes that hold addresses. */
  readonly #foreign = new Map<Key, Request>()
  /** Those that would take an address if there were one. */
  readonly #waiting = new Waiting()
  /** What was said last about a Service, so that nothing is said twice. */
  readonly #told = new Map<Key, readonly Event[]>()
  /** Whose pool is gone, since when and what is said about it. */
  readonly #orphans = new Orphans()
  readonly #graceMs: number
  #config: Config = { pools: [], peers: [] }

  /** @param graceMs how long a Service keeps an address whose pool was removed */
  constructor(graceMs = 0) {
    this.#graceMs = graceMs
  }

  get ledger(): LedgerView {
    return this.#ledger
  }

  /** How many Services of ours hold an address. */
  get holders(): number {
    return this.#ledger.size - this.#foreign.size
  }

  get waiting(): ReadonlySet<Key> {
    return this.#waiting.keys()
  }

  /** When the next address has to go that has no pool; a batch is wanted then. */
  get nextDeadline(): number | undefined {
    const since = this.#orphans.first
    return since === undefined ? undefined : since + this.#graceMs
  }

  /** Which of ours holds what. */
  *holdings(): Iterable<readonly [Key, readonly IP[]]> {
    for (const holding of this.#ledger.holdings()) if (!this.#foreign.has(holding[0])) yield holding
  }

  /** Answers for every Service that was looked at again, and for those that waited and got something. */
  apply(batch: Batch): readonly Decided[] {
    if (batch.config !== undefined) this.#config = batch.config
    const released: [Key, Holding][] = []
    for (const key of batch.gone) released.push(...this.#forget(key))
    const now = batch.now ?? 0
    const review = new Map<Key, Held>()
    for (const service of batch.foreign ?? []) released.push(...this.#block(service, review))
    for (const service of batch.changed) {
      const request = readRequest(service)
      if (this.#isAnother(request)) {
        released.push(...this.#forget(request.key))
        review.delete(request.key)
      }
      const holding = this.#ledger.take(request.key)
      if (holding !== undefined) released.push([request.key, holding])
      this.#requests.set(request.key, request)
      const known = holding?.ips ?? review.get(request.key)?.ips
      const ips = known ?? heldIn(service)
      const { orphanedSince } = request
      const isMarked = request.allocatedFrom !== '' || orphanedSince !== undefined
      const given = holding !== undefined || isMarked
      // Of what was kept the condition may tell of a removal that is over.
      review.set(request.key, { ips, given, ...(known === undefined && { orphanedSince }) })
      if (holding === undefined) released.push(...this.#rivals(request, ips, review))
    }
    if (batch.config !== undefined) {
      for (const key of this.#requests.keys()) {
        if (!review.has(key)) review.set(key, { ips: this.#ledger.holding(key), given: true })
      }
    }
    for (const key of this.#orphans.since(now - this.#graceMs)) {
      if (!review.has(key)) review.set(key, { ips: this.#ledger.holding(key), given: true })
    }
    const lost = this.#keepOrLose(review, now)
    for (const [key, { ips }] of review) {
      const sharing = this.#requests.get(key)?.sharing
      if (lost.has(key) && sharing !== undefined) released.push([key, { ips, sharing }])
    }
    for (const key of review.keys()) this.#waiting.delete(key)
    const decided: Decided[] = []
    for (const request of this.#inTurn(review, released)) decided.push(...this.#settle(request, lost, review))
    return decided
  }

  /** Those to look at again, and, if something came free, those that wait for it; all by age. */
  *#inTurn(
    review: ReadonlyMap<Key, Held>,
    released: readonly (readonly [Key, Holding])[],
  ): Generator<Request> {
    const freed = released.flatMap(([key, holding]) => (this.#ledger.holds(key, holding) ? [] : holding.ips))
    const waiting = freed.length === 0 ? undefined : this.#waiting.turnsFor(freed)
    for (const request of this.#byAge(review.keys())) {
      for (let older = waiting?.next(request); older !== undefined; older = waiting?.next(request)) {
        // It had its turn, and waits since.
        if (!review.has(older.key)) yield older
      }
      yield request
    }
    for (let next = waiting?.next(); next !== undefined; next = waiting?.next()) {
      if (!review.has(next.key)) yield next
    }
  }

  /** Nobody gets anything new before everybody has what they may keep. Answers who lost what they had. */
  #keepOrLose(held: ReadonlyMap<Key, Held>, now: number): ReadonlyMap<Key, Event> {
    const lost = new Map<Key, Event>()
    for (const request of this.#byAge(held.keys())) {
      const { key } = request
      const had = held.get(key) ?? { ips: [], given: false }
      const { ips } = had
      const left = ips.length === 0 ? ({ kind: 'kept', ips } as const) : this.#review(request, had, now)
      if (ips.length === 0) this.#orphans.delete(key)
      if (left.kind === 'lost') lost.set(key, left.event)
      this.#ledger.set(key, left.kind === 'kept' ? left.ips : [], request.sharing)
    }
    return lost
  }

  /** `kept`: for good or as an orphan. */
  #review(
    request: Request,
    { ips, given, orphanedSince }: Held,
    now: number,
  ): Exclude<Review, { kind: 'orphaned' }> {
    const { key } = request
    const review = reviewHolding(request, ips, this.#world(request, ips), given)
    const since = this.#orphans.get(key)?.since ?? orphanedSince ?? now
    this.#orphans.delete(key)
    if (review.kind !== 'orphaned') return review
    const { message } = review.refusal
    if (now >= since + this.#graceMs)
      return { kind: 'lost', event: { type: 'Normal', reason: 'ClearAssignment', message } }
    this.#orphans.set(key, { since, refusal: review.refusal })
    return { kind: 'kept', ips: review.ips }
  }

  /** The younger Services that hold an address which the status of an older one names: their right to it is in doubt. */
  #rivals(request: Request, ips: readonly IP[], review: Map<Key, Held>): readonly [Key, Holding][] {
    const rivals: [Key, Holding][] = []
    for (const key of ips.flatMap((ip) => this.#ledger.obstacles(ip, request.key, request.sharing))) {
      const rival = this.#requests.get(key)
      if (rival === undefined || byRequestAge(rival, request) < 0) continue
      const holding = this.#ledger.take(key)
      if (holding === undefined) continue
      rivals.push([key, holding])
      review.set(key, { ips: holding.ips, given: true })
    }
    return rivals
  }

  #settle(
    request: Request,
    lost: ReadonlyMap<Key, Event>,
    reviewed: ReadonlyMap<Key, Held>,
  ): readonly Decided[] {
    const { key } = request
    const before = this.#ledger.holding(key)
    const orphan = this.#orphans.get(key)
    const decision =
      orphan === undefined ? decide(request, before, this.#world(request, before)) : stay(before, orphan)
    const ips = decision.kind === 'refused' ? [] : decision.ips
    this.#ledger.set(key, ips, request.sharing)
    if (decision.kind === 'refused' || (decision.kind === 'assigned' && decision.incomplete))
      this.#waiting.set(request, ips, this.#config)
    else this.#waiting.delete(key)

    const loss = lost.get(key)
    const events = loss === undefined ? decision.events : [loss, ...decision.events]
    const told = this.#told.get(key) ?? []
    if (events.length > 0) this.#told.set(key, events)
    else this.#told.delete(key)
    const news = events.filter((event) => !told.some((old) => sameEvent(old, event)))
    if (!reviewed.has(key) && news.length === 0) return []
    return [{ key, request, decision: { ...decision, events: news.map((event) => inFull(event, decision)) } }]
  }

  /** Not the one that was known by this name: it was deleted and made again, or comes over from another class. */
  #isAnother({ key, uid }: Request): boolean {
    return this.#foreign.has(key) || (this.#requests.get(key)?.uid ?? uid) !== uid
  }

  /** Takes what the status of a Service of another class names. Answers who has lost or may lose it. */
  #block(service: BalancedService, review: Map<Key, Held>): readonly [Key, Holding][] {
    const request = { ...readRequest(service), sharing: sharesNothing }
    const ips = heldIn(service)
    const released = this.#forget(request.key)
    if (ips.length === 0) return released
    this.#foreign.set(request.key, request)
    this.#ledger.set(request.key, ips, request.sharing)
    return [...released, ...this.#rivals(request, ips, review)]
  }

  #forget(key: Key): readonly [Key, Holding][] {
    this.#requests.delete(key)
    this.#foreign.delete(key)
    this.#waiting.delete(key)
    this.#told.delete(key)
    this.#orphans.delete(key)
    const holding = this.#ledger.take(key)
    return holding === undefined ? [] : [[key, holding]]
  }

  /** As it is for a Service that holds these addresses. */
  #world(request: Request, held: readonly IP[]): World {
    return { config: this.#config, ledger: besidesYounger(this.#foreign, this.#ledger, request, held) }
  }

  #byAge(keys: Iterable<Key>): readonly Request[] {
    return [...keys].flatMap((key) => this.#requests.get(key) ?? []).toSorted(byRequestAge)
  }
}

function stay(ips: readonly IP[], orphan: Orphan): Decision {
  const { reason, message } = orphan.refusal
  return { kind: 'orphaned', ips, ...orphan, events: [{ type: 'Warning', reason, message }] }
}

/** The Event of a refusal says also how it is for now. */
function inFull(event: Event, decision: Decision): Event {
  const detail = decision.kind === 'refused' ? decision.refusal.detail : undefined
  if (detail === undefined || event.type === 'Normal') return event
  return { ...event, message: `${event.message}: ${detail}` }
}

function sameEvent(a: Event, b: Event): boolean {
  return a.reason === b.reason && a.message === b.message
}
