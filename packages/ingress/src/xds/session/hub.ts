/**
 * The desired state and all clients that follow it. In: changes, requests, acknowledgements. Out: which clients
 * have something to be sent, and what became of refused content. No IO, no clock.
 */
import type { Resource, ResourceType, Snapshot } from '../resource.ts'
import { resourceTypes } from '../resource.ts'
import { Client, type Node, type Settlement, type World } from './client.ts'
import { Refusals, type RefusedContent, type TableRefused, type TableTaken } from './refusals.ts'
import { standIn } from './stand-in.ts'
import { type Change, type Foreseen, ResourceStore } from './store.ts'
import { type Streams, StreamsOfNode } from './streams-of-node.ts'
import { type Flight, isResource } from './subscription.ts'
import { makeWarmListener, type WarmListener, warmListenerName } from './warm-listener.ts'

/** An Envoy refused this content; the same content is reported once per build of Envoy. */
export interface Refused extends TableRefused {
  /** Id of the Envoy that refused it first. */
  readonly node: string
  /** Another Envoy of its build took it, or a tool refused it: this one goes without, and nothing is cleared later. */
  readonly heldElsewhere: boolean
}

export interface HubEvents {
  readonly onRefused: (refused: Refused) => void
  /** The name is well again: newer content was accepted, or it is gone. */
  readonly onCleared: (resource: { readonly type: ResourceType; readonly name: string }) => void
  /** The client has acknowledged these. */
  readonly onAccepted?: (client: Client, type: ResourceType, flight: Flight) => void
  readonly onTable?: (table: TableTaken) => void
  /** The client may have something to send, although nothing came from it. */
  readonly onWake?: (client: Client) => void
}

export class Hub {
  readonly store = new ResourceStore()
  readonly refusals = new Refusals()
  readonly clients = new Set<Client>()
  /** How many clients are of each, until it has left. */
  readonly #builds = new Map<string, number>()
  readonly #events: HubEvents
  readonly #world: World
  /** By id: the streams of Envoys that open one for each thing. */
  readonly #separate = new Map<string, StreamsOfNode<Client>>()
  #warm: WarmListener | undefined
  #nonce = 0
  #variant: number
  #foreseen = false

  /** @param variant where those of scopes begin (`World.variant`) */
  constructor(events: HubEvents, variant = 0) {
    this.#events = events
    this.#variant = variant
    this.#world = {
      store: this.store,
      refusals: this.refusals,
      isForeseen: () => this.#foreseen,
      warmListener: () => this.#warm,
      nonce: () => (++this.#nonce).toString(36),
      variant: () => ++this.#variant,
    }
  }

  /** There is something to be had, and nothing is published yet. */
  get isForeseen(): boolean {
    return this.#foreseen
  }

  /**
   * Clusters with their endpoints, of what will be published: a client that has nothing is given them, as they take it
   * long; and the runtime, before which it asks for nothing else. The rest, and anybody else, waits until all is known.
   */
  foresee(change: Foreseen): void {
    this.#foreseen = true
    this.#spread(this.store.apply(change))
  }

  publish(snapshot: Snapshot): void {
    this.#foreseen = false
    this.#spread(this.store.replace(snapshot))
  }

  apply(change: Change): void {
    this.#spread(this.store.apply(change))
  }

  /**
   * What was refused before this began is withheld as if it had been refused here, as far as it is still wanted.
   * To be called before anybody is served what was published.
   */
  recall(known: readonly RefusedContent[]): void {
    for (const { type, name, version, build, message } of known) {
      const resource = this.store.get(type, name)
      if (resource?.version !== version) continue
      this.refusals.add({ type, resource, message, build, fallback: undefined, pins: [] })
      this.#touch(type, name)
    }
  }

  connect(node: Node, kind: Streams = 'aggregated'): Client {
    const streams = kind === 'aggregated' ? new StreamsOfNode<Client>() : this.#streamsOf(node.id)
    const client = new Client(node, this.#world, streams)
    this.clients.add(client)
    this.#builds.set(node.build, (this.#builds.get(node.build) ?? 0) + 1)
    return client
  }

  disconnect(client: Client): void {
    if (!this.clients.delete(client)) return
    const { id, build } = client.node
    const streams = this.#separate.get(id)
    streams?.left(client)
    if (streams?.isEmpty === true) this.#separate.delete(id)
    this.#builds.set(build, (this.#builds.get(build) ?? 1) - 1)
  }

  /** The last client of the build has left: it may be for a moment. */
  isAway(build: string): boolean {
    return this.#builds.get(build) === 0
  }

  /** What only Envoys refused that are away, and will not come back, those who hold it refuse no more; others are asked. */
  left(build: string): void {
    if (!this.isAway(build)) return
    this.#builds.delete(build)
    if (build === '') return
    for (const { type, name, refusal } of this.refusals.entries())
      if (refusal.build === build) this.#back(type, this.store.get(type, name))
    const asked = new Set<string>()
    for (const client of this.#envoys())
      for (const [name, { version }] of client.subscriptions.routes.held) {
        if (!asked.has(name)) this.#holds(client, { name, version })
        asked.add(name)
      }
  }

  #streamsOf(node: string): StreamsOfNode<Client> {
    const streams =
      this.#separate.get(node) ?? new StreamsOfNode<Client>((client) => this.#events.onWake?.(client))
    this.#separate.set(node, streams)
    return streams
  }

  /** The first request of the type is in. What an Envoy comes with it took, be it in the last moment of its former stream. */
  began(client: Client, type: ResourceType): void {
    if (type !== 'routes') return
    for (const [name, { version }] of client.subscriptions.routes.held) this.#holds(client, { name, version })
  }

  /** These it took of a response in flight that it refuses, which is to be settled next. */
  took(client: Client, type: ResourceType, resources: readonly Resource[]): void {
    if (resources.length === 0) return
    client.subscriptions[type].took(resources, (name) => this.store.get(type, name)?.version)
    this.#taken(client, type, { nonce: '', resources, removed: [] })
  }

  #taken(client: Client, type: ResourceType, flight: Flight): void {
    for (const resource of flight.resources) this.#accepted(client, type, resource)
    this.#events.onAccepted?.(client, type, flight)
  }

  /** `error` is Envoy's words when it refused the response. */
  settle(client: Client, type: ResourceType, nonce: string, error: string | undefined): Settlement {
    const settlement = client.settle(type, nonce, error !== undefined)
    if (settlement.kind === 'accepted') {
      this.#taken(client, type, settlement.flight)
      if (type === 'routes') for (const table of settlement.flight.resources) this.#holds(client, table)
    }
    if (settlement.kind === 'refused' && settlement.culprit !== undefined) {
      const { culprit } = settlement
      const wanted = this.store.get(type, culprit.name)
      const isGone =
        wanted === undefined &&
        this.refusals.pinned(type, culprit.name) === undefined &&
        culprit.name !== warmListenerName
      if (isGone) client.subscriptions[type].gone(culprit.name)
      else this.#refused(client, type, culprit, error ?? '')
      this.#back(type, wanted)
    }
    return settlement
  }

  #spread(change: Change): void {
    if (change.listeners !== undefined) this.#warm = makeWarmListener(this.store.all('listeners'))
    for (const type of resourceTypes) {
      for (const [name, resource] of change[type] ?? []) {
        if (resource === undefined) this.#gone(type, name)
        this.#back(type, resource)
        this.#touch(type, name)
      }
    }
  }

  /** What is called so later is tried anew. */
  #gone(type: ResourceType, name: string): void {
    this.#clear(type, name)
    for (const { subscriptions } of this.clients) subscriptions[type].gone(name)
  }

  /** Who holds what is wanted again is sent nothing that it could accept: what it refused in between is over. */
  #back(type: ResourceType, wanted: Resource | undefined): void {
    if (wanted === undefined) return
    const { name, version } = wanted
    const isKnown = this.refusals.has(type, name)
    for (const client of this.clients) {
      const { held, refused } = client.subscriptions[type]
      if (!(isKnown || refused.has(name)) || held.get(name)?.version !== version) continue
      refused.delete(name)
      this.#accepted(client, type, wanted)
    }
  }

  /** That one build takes it says nothing of another that refused it, while there is an Envoy of that. */
  #accepted({ node }: Client, type: ResourceType, resource: Resource): void {
    const build = this.refusals.build(type, resource.name)
    if (build === undefined) return
    if (build !== node.build && this.#hasOf(build)) return
    if (this.store.get(type, resource.name)?.version === resource.version) this.#clear(type, resource.name)
  }

  #hasOf(build: string): boolean {
    return this.#builds.has(build)
  }

  /** Without tools, which say nothing of which build they are. */
  #envoys(): readonly Client[] {
    return [...this.clients].filter(({ node }) => node.build !== '')
  }

  #holds({ node: { build } }: Client, { name, version }: Pick<Resource, 'name' | 'version'>): void {
    if (build === '') return
    this.#events.onTable?.({ name, version, build, isAlone: () => this.#isAlone(build) })
  }

  #isAlone(build: string): boolean {
    return [...this.#builds.keys()].every((one) => one === build || one === '')
  }

  #refused(client: Client, type: ResourceType, resource: Resource, message: string): void {
    const { id, build } = client.node
    const others = [...this.clients].filter((other) => other !== client && other.node.build === build)
    const accepted =
      this.#isTool(client) ||
      others.some(
        ({ subscriptions }) => subscriptions[type].held.get(resource.name)?.version === resource.version,
      )
    const fallback = heldResource(client, type, resource.name)
    const holders = [client, ...(this.#separate.get(id)?.of('clusters') ?? [])]
    const pins = (fallback?.references?.clusters ?? [])
      .map(
        (name) =>
          holders.map((one) => heldResource(one, 'clusters', name)).find((one) => one !== undefined) ??
          this.refusals.pinned('clusters', name) ??
          this.store.get('clusters', name),
      )
      .filter((cluster) => cluster !== undefined)
    const known = [client, ...(type === 'routes' ? others : [])]
      .map((one) => versionHeld(one, type, resource.name))
      .find((version) => (version ?? '') !== '')
    // Accepted by another: then it is this one Envoy's affair, and its own subscription remembers.
    const freed = accepted ? [] : this.refusals.add({ type, resource, message, build, fallback, pins })
    if (freed === undefined) return
    this.#touch(type, resource.name)
    for (const name of [...freed, ...pins.map((one) => one.name)]) this.#touch('clusters', name)
    this.#events.onRefused({
      type,
      name: resource.name,
      version: resource.version,
      message,
      build,
      node: id,
      heldElsewhere: accepted,
      isAlone: this.#isAlone(build),
      holds: known ?? versionHeld(client, type, resource.name) ?? this.#anyOf(type, resource.name),
    })
  }

  /** '' where nobody has anything by the name that is known, but for what stands in. */
  #anyOf(type: ResourceType, name: string): '' | undefined {
    return this.#envoys().every((one) => (versionHeld(one, type, name) ?? '') === '') ? '' : undefined
  }

  /** `landfall cli --nack`: an Envoy says of which build it is. */
  #isTool({ node: { id, build } }: Client): boolean {
    return build === '' && this.#separate.has(id)
  }

  #clear(type: ResourceType, name: string): void {
    if (!this.refusals.has(type, name)) return
    for (const cluster of this.refusals.clear(type, name)) this.#touch('clusters', cluster)
    this.#events.onCleared({ type, name })
  }

  #touch(type: ResourceType, name: string): void {
    for (const client of this.clients) client.touch(type, name)
  }
}

/** '' of what stands in. */
function versionHeld(client: Client, type: ResourceType, name: string): string | undefined {
  const version = client.subscriptions[type].held.get(name)?.version
  return version !== undefined && version === standIn(type, name)?.version ? '' : version
}

/** What the client holds, if its content is known and not only its version. */
function heldResource(client: Client, type: ResourceType, name: string): Resource | undefined {
  const held = client.subscriptions[type].held.get(name)
  return held !== undefined && isResource(held) ? held : undefined
}
