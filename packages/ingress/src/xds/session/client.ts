/**
 * One client's stream as a state machine: requests and acknowledgements in, the next responses out. No IO, no clock.
 * An Envoy that opens a stream for each thing is several clients, which wait for each other (`streams-of-node.ts`).
 *
 * The order that keeps a route switch free of errors (design, section 7): clusters; the endpoints and secrets that
 * those subscribe to; listeners; tables of routes; scopes; removals last. A scope or listener waits until the clusters that it names
 * are acknowledged and their endpoints and secrets are on the wire before it, at most `gateMs`. One response of a
 * type is in flight; newer state replaces what was not sent.
 */
import {
  type References,
  type Resource,
  type ResourceType,
  removalOrder,
  resourceTypes,
} from '../resource.ts'
import { belongTogether, othersOfHost, responseBytes, responseCount, sentWhole } from './limits.ts'
import type { Refusals } from './refusals.ts'
import { standIn } from './stand-in.ts'
import type { ResourceStore } from './store.ts'
import { StreamsOfNode } from './streams-of-node.ts'
import {
  type Flight,
  type Held,
  isResource,
  Subscription,
  type SubscriptionRequest,
  type Verdict,
} from './subscription.ts'
import { type WarmListener, warmListenerName } from './warm-listener.ts'
import { WarmUp } from './warm-up.ts'

/** A response to be encoded and written; `variant` above 0 makes the bytes of a scope differ. */
export interface Outgoing extends Flight {
  readonly type: ResourceType
  readonly variant: number
}

export interface World {
  readonly store: ResourceStore
  readonly refusals: Refusals
  /** The store has the runtime, a part of the clusters with their endpoints, and nothing else yet. */
  readonly isForeseen: () => boolean
  readonly warmListener: () => WarmListener | undefined
  readonly nonce: () => string
  /** Above 0, and never the same, not even of another replica as far as that can be had. */
  readonly variant: () => number
}

export interface Node {
  readonly id: string
  /** Version of the Envoy, '' when it did not say. */
  readonly build: string
}

export type Settlement =
  | { readonly kind: 'stale' }
  | { readonly kind: 'accepted'; readonly flight: Flight }
  | { readonly kind: 'refused'; readonly flight: Flight; readonly culprit: Resource | undefined }

/** How long a scope or listener waits for what it refers to. */
export const gateMs = 2000

/**
 * How long tables and listeners of an Envoy that comes back wait for its stream of clusters, where it has one for each
 * thing: each tries again by itself, ever more seldom, and until then it serves as it did.
 */
export const returnMs = 10_000

const users: readonly ResourceType[] = ['scopes', 'routes', 'listeners']
const never = Number.POSITIVE_INFINITY

export class Client {
  readonly node: Node
  readonly subscriptions: Readonly<Record<ResourceType, Subscription>>
  /** Waits that a deadline ended, since the last look. */
  #timeouts = 0
  /** It came with something of ours: what it refused before, and remembers without having applied it, nobody knows. */
  #had = false
  /** It came with something that it holds on to, by the state of the world. */
  #returns = false
  readonly #world: World
  readonly #warmUp: WarmUp
  readonly #streams: StreamsOfNode<Client>

  /** `streams`: those of the same Envoy, this one added; alone when everything is on this one. */
  constructor(node: Node, world: World, streams = new StreamsOfNode<Client>()) {
    this.node = node
    this.#world = world
    this.#streams = streams
    this.subscriptions = {
      clusters: new Subscription('clusters'),
      endpoints: new Subscription('endpoints'),
      secrets: new Subscription('secrets'),
      listeners: new Subscription('listeners'),
      routes: new Subscription('routes'),
      scopes: new Subscription('scopes'),
      runtime: new Subscription('runtime'),
    }
    this.#warmUp = new WarmUp(this.subscriptions.listeners, this.subscriptions.scopes)
  }

  /** It came with nothing. */
  get isNew(): boolean {
    return !this.#had && !this.#returns
  }

  request(type: ResourceType, message: SubscriptionRequest): void {
    const { store, refusals } = this.#world
    this.#had ||= message.initialVersions.size > 0
    this.#returns ||= message.returns === true
    this.subscriptions[type].request(message, function* known() {
      yield* store.all(type).keys()
      yield* refusals.pinnedNames(type)
    })
    this.#streams.asked(this, type, message)
    this.#unblock(type)
  }

  /** All there is of a type, by name. */
  present(type: ResourceType): ReadonlyMap<string, Resource> {
    return this.#world.store.all(type)
  }

  /** An acknowledgement, or with `refused` its contrary, of the response with this nonce. */
  settle(type: ResourceType, nonce: string, refused: boolean): Settlement {
    const subscription = this.subscriptions[type]
    const flight = subscription.flight
    if (flight === undefined || flight.nonce !== nonce) return { kind: 'stale' }
    this.#warmUp.progress()
    const culprit = refused ? subscription.refuse(flight) : undefined
    if (!refused) subscription.accept(flight, (name) => this.#world.store.get(type, name)?.version)
    this.#unblock(type)
    return refused ? { kind: 'refused', flight, culprit } : { kind: 'accepted', flight }
  }

  touch(type: ResourceType, name: string): void {
    this.subscriptions[type].touch(name)
  }

  /** The responses to write now, in this order. To be called after every event and at `wakeAt()`. */
  next(now: number): readonly Outgoing[] {
    if (this.#world.isForeseen()) return this.#foreseen(now)
    const outgoing: Outgoing[] = []
    const warm = () => this.#warmUp.advance(now, this.#world.warmListener())
    const isBusy = () => users.some((type) => busy(this.subscriptions[type]))
    const wasBusy = isBusy()
    warm()
    this.#collect(outgoing, now)
    if (warm()) this.#collect(outgoing, now)
    if (wasBusy && !isBusy()) this.#streams.wake(this)
    return outgoing
  }

  /** Of a part nothing can be said but what is there: not even that something is not. */
  #foreseen(now: number): readonly Outgoing[] {
    const { runtime, clusters, endpoints } = this.subscriptions
    if (!this.isNew) return []
    return [runtime, clusters, endpoints].flatMap((one) => this.#additions(one, now, true) ?? [])
  }

  /** When a wait ends by itself. */
  wakeAt(): number | undefined {
    let at = this.#warmUp.until
    for (const type of users) {
      for (const until of this.subscriptions[type].blocked.values()) at = Math.min(at, until)
    }
    return at === never ? undefined : at
  }

  takeTimeouts(): number {
    const count = this.#timeouts + this.#warmUp.timeouts
    this.#timeouts = 0
    this.#warmUp.timeouts = 0
    return count
  }

  #collect(outgoing: Outgoing[], now: number): void {
    for (const type of users) {
      const { blocked, dirty } = this.subscriptions[type]
      for (const [name, until] of blocked) {
        if (until > now) continue
        dirty.add(name)
        this.#repeatEndpoints(this.#clustersOf(this.#world.store.get(type, name)))
      }
    }
    for (const type of resourceTypes) {
      const response = this.#additions(this.subscriptions[type], now)
      if (response !== undefined) outgoing.push(response)
    }
    for (const type of removalOrder) {
      const response = this.#removals(this.subscriptions[type])
      if (response !== undefined) outgoing.push(response)
    }
  }

  #additions(subscription: Subscription, now: number, foreseen = false): Outgoing | undefined {
    if (!subscription.started || subscription.flight !== undefined) return undefined
    const { type, dirty, suspects, spoilt } = subscription
    const alone = suspects.size > 0
    // The first response takes all away that it leaves out: what others left there until ours is whole.
    const entire = this.#returns && !alone && subscription.held.size === 0 && sentWhole.has(type)
    const loading = subscription.held.size === 0 || subscription.owesAnswer
    const most = alone ? 1 : responseCount(type, dirty.size, loading)
    const resources: Resource[] = []
    const removed: string[] = []
    let bytes = 0
    for (const name of inTurn(suspects, dirty)) {
      const count = resources.length + (alone ? removed.length : 0)
      const joins = !alone && belongTogether(type, resources[0]?.name, name)
      if (!entire && ((count >= most && !joins) || bytes >= responseBytes)) break
      const verdict = this.#judge(subscription, name, now)
      if (foreseen && verdict.kind !== 'send') continue
      subscription.file(name, verdict)
      if (verdict.kind === 'absent') removed.push(name)
      if (verdict.kind !== 'send') continue
      resources.push(verdict.resource)
      bytes += verdict.resource.bytes.length
    }
    if (entire && [...subscription.blocked.keys()].some((name) => !dirty.has(name))) return undefined
    const owesAnswer = subscription.owesAnswer && !foreseen
    if (resources.length === 0 && removed.length === 0 && !owesAnswer) return undefined
    const varied = type === 'scopes' && (this.#had || resources.some(({ name }) => spoilt.has(name)))
    return this.#depart(subscription, resources, removed, varied ? this.#world.variant() : 0)
  }

  #depart(
    subscription: Subscription,
    resources: readonly Resource[],
    removed: readonly string[],
    variant: number,
  ): Outgoing {
    const flight: Flight = { nonce: this.#world.nonce(), resources, removed }
    if (subscription.type === 'clusters') this.#repeatEndpoints(resources)
    subscription.depart(flight)
    if (subscription.type === 'endpoints' || subscription.type === 'secrets') this.#unblock(subscription.type)
    return { ...flight, type: subscription.type, variant }
  }

  /**
   * A cluster that is replaced warms up anew, and one that is new may share its endpoints with another: an Envoy
   * waits for them in either case, and does not ask again for what it follows already. So it may of one that is not
   * warm in time.
   */
  #repeatEndpoints(clusters: readonly Resource[]): void {
    const { endpoints } = this.subscriptions
    for (const cluster of clusters) {
      for (const name of cluster.references?.endpoints ?? []) {
        if (!endpoints.covers(name)) continue
        endpoints.forced.add(name)
        endpoints.dirty.add(name)
      }
    }
  }

  #judge(subscription: Subscription, name: string, now: number): Verdict {
    const held = subscription.held.get(name)
    const forced = subscription.forced.has(name)
    if (!subscription.covers(name)) return { kind: 'settled' }
    const target = this.#target(subscription.type, name, forced)
    if (target === 'keep') return { kind: 'kept' }
    if (target === undefined) {
      if (forced && (held === undefined || subscription.names.has(name))) return { kind: 'absent' }
      return { kind: held === undefined ? 'settled' : 'leave' }
    }
    if (!forced && held?.version === target.version) return { kind: 'settled', resource: target }
    return this.#gate(subscription, target, held, now)
  }

  /** What this client should hold under the name; 'keep' when the wanted content is withheld from it. */
  #target(type: ResourceType, name: string, forced: boolean): Resource | 'keep' | undefined {
    const { store, refusals, warmListener } = this.#world
    if (type === 'listeners' && name === warmListenerName) {
      return this.#warmUp.warming ? warmListener()?.resource : undefined
    }
    const wanted = store.get(type, name) ?? refusals.pinned(type, name)
    if (wanted === undefined) return undefined
    const own = this.subscriptions[type]
    const withheld = own.hasRefused(name, wanted.version) || refusals.withholds(type, wanted, this.node.build)
    if (!withheld) return wanted
    if (own.held.has(name) && !forced) return 'keep'
    const instead = [refusals.fallback(type, name, this.node.build), standIn(type, name)]
    return instead.find((one) => one !== undefined && !own.hasRefused(name, one.version))
  }

  #gate(subscription: Subscription, resource: Resource, held: Held | undefined, now: number): Verdict {
    const { type, blocked } = subscription
    if (
      type === 'listeners' &&
      this.#warmUp.warming &&
      held === undefined &&
      resource.name !== warmListenerName
    ) {
      return { kind: 'blocked', until: never }
    }
    const state = users.includes(type) ? this.#prerequisites(resource.references) : 'there'
    if (state === 'refused' && held !== undefined) return { kind: 'blocked', until: never }
    if (state !== 'pending' && state !== 'apart') {
      const until = type === 'scopes' ? this.#hostWaits(resource.name, now) : now
      return until > now ? { kind: 'blocked', until } : { kind: 'send', resource }
    }
    const until = endOf(blocked.get(resource.name), now + (state === 'apart' ? returnMs : gateMs))
    if (until > now) return { kind: 'blocked', until }
    this.#timeouts++
    return { kind: 'send', resource }
  }

  /** Until when another scope of the same host waits: they go together, a redirect with what it leads to. */
  #hostWaits(scope: string, now: number): number {
    const { dirty, blocked } = this.subscriptions.scopes
    for (const other of othersOfHost(scope)) {
      const wanted = dirty.has(other) || blocked.has(other) ? this.#target('scopes', other, false) : undefined
      const references = wanted === 'keep' ? undefined : wanted?.references
      if (this.#prerequisites(references) === 'pending') return endOf(blocked.get(other), now + gateMs)
    }
    return now
  }

  #clustersOf(user: Resource | undefined): readonly Resource[] {
    return (user?.references?.clusters ?? []).flatMap((name) => {
      const target = this.#target('clusters', name, false)
      return target === undefined || target === 'keep' ? [] : target
    })
  }

  /** `apart`: they will be asked for on a stream that is not here yet. */
  #prerequisites(references: References | undefined): 'there' | 'apart' | 'pending' | 'refused' {
    const asking = this.#streams.of('clusters')
    if (references?.clusters === undefined || references.clusters.length === 0) return 'there'
    if (asking.size === 0) return this.#streams.missesClusters ? 'apart' : 'there'
    let state: 'there' | 'refused' = 'there'
    for (const name of references.clusters) {
      const target = this.#target('clusters', name, false)
      if (target === 'keep') continue
      if (target === undefined) {
        if (this.#world.store.get('clusters', name) !== undefined) state = 'refused'
        continue
      }
      for (const { subscriptions } of asking)
        if (!subscriptions.clusters.keeps(name, target.version)) return 'pending'
      const { endpoints = [], secrets = [] } = target.references ?? {}
      if (!endpoints.every((needed) => this.#streams.answered('endpoints', needed))) return 'pending'
      if (!secrets.every((needed) => this.#streams.answered('secrets', needed))) return 'pending'
    }
    return state
  }

  #removals(subscription: Subscription): Outgoing | undefined {
    if (subscription.flight !== undefined || subscription.leaving.size === 0) return undefined
    if (!this.#mayRemove(subscription.type)) return undefined
    const removed = [...subscription.leaving].filter(
      (name) => subscription.type !== 'clusters' || !this.#stillUsed(name),
    )
    return removed.length === 0 ? undefined : this.#depart(subscription, [], removed, 0)
  }

  #mayRemove(type: ResourceType): boolean {
    if (type === 'runtime') return true
    if (this.#warmUp.warming || users.some((user) => this.#anyOf(user, busy))) return false
    if (users.includes(type)) return true
    if (users.some((user) => this.#anyOf(user, leaving)) || this.#anyOf('clusters', busy)) return false
    return type === 'clusters' || !this.#anyOf('clusters', leaving)
  }

  #anyOf(type: ResourceType, is: (subscription: Subscription) => boolean): boolean {
    for (const { subscriptions } of this.#streams.of(type)) if (is(subscriptions[type])) return true
    return false
  }

  /** A scope or listener that could not be replaced still needs this cluster, or may. */
  #stillUsed(cluster: string): boolean {
    return users.some((type) =>
      this.#anyOf(type, ({ blocked, held, kept }) =>
        [...blocked.keys(), ...kept].some((name) => {
          const user = held.get(name)
          if (user === undefined) return false
          return !isResource(user) || user.references?.clusters?.includes(cluster) === true
        }),
      ),
    )
  }

  /** What waits for this type is looked at again. */
  #unblock(type: ResourceType): void {
    if (type === 'clusters' || type === 'endpoints' || type === 'secrets')
      for (const user of users)
        for (const { subscriptions } of this.#streams.of(user)) subscriptions[user].unblock()
    this.#streams.wake(this)
  }
}

/** Of a wait that goes on, or begins. */
const endOf = (before = never, fresh: number): number => (before === never ? fresh : before)
const busy = (subscription: Subscription): boolean => subscription.busy()
const leaving = (subscription: Subscription): boolean => subscription.leaving.size > 0

function* inTurn(first: ReadonlySet<string>, then: ReadonlySet<string>): Iterable<string> {
  yield* first
  yield* then
}
