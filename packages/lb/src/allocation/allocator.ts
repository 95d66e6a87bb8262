/**
 * The allocator: batches of changes in, decisions out. It owns the ledger and remembers what each Service asked
 * for, so that a change touches the Service that changed, and, if something came free, those that wait.
 *
 * Within a batch the order of the changes does not matter: first whoever holds addresses keeps or loses them,
 * the older before the younger; then those without get some, again by age.
 */

import type { Key, Service } from '@landfall/kube/model'
import type { Config } from '@landfall/metallb'
import type { IP } from '@landfall/netip'
import type { World } from './choose.ts'
import { decide, reviewHolding } from './decide.ts'
import { type Holding, Ledger, type LedgerView } from './ledger.ts'
import type { Decision, Event } from './outcome.ts'
import { byRequestAge, heldIn, type Request, readRequest } from './request.ts'

export interface Batch {
  /** undefined: unchanged. */
  readonly config?: Config
  /** Services of ours that are new or changed. */
  readonly changed: readonly Service[]
  /** Services that are gone, or no longer ours. */
  readonly gone: readonly Key[]
}

export interface Decided {
  readonly key: Key
  readonly request: Request
  readonly decision: Decision
}

export class Allocator {
  readonly #ledger = new Ledger()
  readonly #requests = new Map<Key, Request>()
  /** Those that would take an address if there were one. */
  readonly #waiting = new Set<Key>()
  /** What was said last about a Service, so that nothing is said twice. */
  readonly #told = new Map<Key, readonly Event[]>()
  #config: Config = { pools: [], peers: [] }

  get ledger(): LedgerView {
    return this.#ledger
  }

  /** How many Services hold an address. */
  get holders(): number {
    return this.#ledger.size
  }

  get waiting(): ReadonlySet<Key> {
    return this.#waiting
  }

  /** Answers for every Service that was looked at again, and for those that waited and got something. */
  apply(batch: Batch): readonly Decided[] {
    if (batch.config !== undefined) this.#config = batch.config
    const released: [Key, Holding][] = []
    for (const key of batch.gone) released.push(...this.#forget(key))
    const review = new Map<Key, readonly IP[]>()
    for (const service of batch.changed) {
      const request = readRequest(service)
      const holding = this.#ledger.take(request.key)
      if (holding !== undefined) released.push([request.key, holding])
      this.#requests.set(request.key, request)
      review.set(request.key, holding?.ips ?? heldIn(service))
    }
    if (batch.config !== undefined) {
      for (const key of this.#requests.keys()) {
        if (!review.has(key)) review.set(key, this.#ledger.holding(key))
      }
    }
    const lost = this.#keepOrLose(review)
    const freed = lost.size > 0 || released.some(([key, holding]) => !this.#ledger.holds(key, holding))
    const candidates = new Set([...review.keys(), ...(freed ? this.#waiting : [])])
    return this.#byAge(candidates).flatMap((request) => this.#settle(request, lost, review))
  }

  /** Nobody gets anything new before everybody has what they may keep. Answers who lost what they had. */
  #keepOrLose(held: ReadonlyMap<Key, readonly IP[]>): ReadonlyMap<Key, Event> {
    const lost = new Map<Key, Event>()
    for (const request of this.#byAge(held.keys())) {
      const ips = held.get(request.key) ?? []
      const loss = ips.length === 0 ? undefined : reviewHolding(request, ips, this.#world())
      if (loss !== undefined) lost.set(request.key, loss)
      this.#ledger.set(request.key, loss === undefined ? ips : [], request.sharing)
    }
    return lost
  }

  #settle(
    request: Request,
    lost: ReadonlyMap<Key, Event>,
    reviewed: ReadonlyMap<Key, readonly IP[]>,
  ): readonly Decided[] {
    const { key } = request
    const before = this.#ledger.holding(key)
    const decision = decide(request, before, this.#world())
    const ips = decision.kind === 'assigned' ? decision.ips : []
    this.#ledger.set(key, ips, request.sharing)
    if (decision.kind === 'refused' || decision.incomplete) this.#waiting.add(key)
    else this.#waiting.delete(key)

    const loss = lost.get(key)
    const events = loss === undefined ? decision.events : [loss, ...decision.events]
    const told = this.#told.get(key) ?? []
    if (events.length > 0) this.#told.set(key, events)
    else this.#told.delete(key)
    const news = events.filter((event) => !told.some((old) => sameEvent(old, event)))
    if (!reviewed.has(key) && news.length === 0) return []
    return [{ key, request, decision: { ...decision, events: news } }]
  }

  #forget(key: Key): readonly [Key, Holding][] {
    this.#requests.delete(key)
    this.#waiting.delete(key)
    this.#told.delete(key)
    const holding = this.#ledger.take(key)
    return holding === undefined ? [] : [[key, holding]]
  }

  #world(): World {
    return { config: this.#config, ledger: this.#ledger }
  }

  #byAge(keys: Iterable<Key>): readonly Request[] {
    return [...keys].flatMap((key) => this.#requests.get(key) ?? []).toSorted(byRequestAge)
  }
}

function sameEvent(a: Event, b: Event): boolean {
  return a.reason === b.reason && a.message === b.message
}
