/**
 * The streams of one Envoy, by what they ask for. With ADS it is one; on Contour's bootstrap there is one for each
 * type, and one for each name of endpoints and secrets, and what is sent on one waits for what another acknowledged.
 */
import type { ResourceType } from '../resource.ts'
import { isResource, type Subscription, type SubscriptionRequest } from './subscription.ts'

/** What a stream asked for and holds. */
export interface Subscriber {
  readonly subscriptions: Readonly<Record<ResourceType, Subscription>>
}

const none: ReadonlySet<never> = new Set()

/** All types of an Envoy come over one, or each thing over its own. */
export type Streams = 'aggregated' | 'separate'

export class StreamsOfNode<Client extends Subscriber> {
  readonly #byType = new Map<ResourceType, Set<Client>>()
  /** Who asks for a name, as `type/name`. */
  readonly #byName = new Map<string, Set<Client>>()
  readonly #wake: ((client: Client) => void) | undefined
  #counts: ReadonlyMap<string, number> | undefined
  #hasClusters = false

  /** `wake`: another stream may have something to send now; undefined: there is one stream, for everything. */
  constructor(wake?: (client: Client) => void) {
    this.#wake = wake
  }

  /** It has clusters by a stream that is not here, and will be again. */
  get missesClusters(): boolean {
    return this.#hasClusters && this.of('clusters').size === 0
  }

  get isEmpty(): boolean {
    return this.#byType.size === 0
  }

  asked(client: Client, type: ResourceType, { subscribe, unsubscribe, returns }: SubscriptionRequest): void {
    add(this.#byType, type, client)
    if (this.#wake === undefined) return
    this.#hasClusters ||= type === 'clusters' || returns === true
    if (type !== 'endpoints' && type !== 'secrets') return
    for (const name of unsubscribe) remove(this.#byName, `${type}/${name}`, client)
    for (const name of subscribe) add(this.#byName, `${type}/${name}`, client)
  }

  left(client: Client): void {
    for (const type of this.#byType.keys()) remove(this.#byType, type, client)
    for (const type of ['endpoints', 'secrets'] as const)
      for (const name of [...client.subscriptions[type].names, '*'])
        remove(this.#byName, `${type}/${name}`, client)
  }

  of(type: ResourceType): ReadonlySet<Client> {
    return this.#byType.get(type) ?? none
  }

  /** Some stream has been told about the name; of endpoints each, as every cluster with these has a stream of its own. */
  answered(type: 'endpoints' | 'secrets', name: string): boolean {
    const asking = (this.#wake === undefined ? this.of(type) : this.#byName.get(`${type}/${name}`)) ?? none
    const told = [...asking].filter(({ subscriptions }) => subscriptions[type].answered(name)).length
    if (this.#wake === undefined || type === 'secrets') return told > 0
    return told === asking.size && told >= (this.#clustersWith().get(name) ?? 1)
  }

  /** How many clusters there are with the same endpoints. */
  #clustersWith(): ReadonlyMap<string, number> {
    if (this.#counts !== undefined) return this.#counts
    const counts = new Map<string, number>()
    for (const { subscriptions } of this.of('clusters'))
      for (const held of subscriptions.clusters.held.values())
        for (const name of (isResource(held) ? held.references?.endpoints : undefined) ?? [])
          counts.set(name, (counts.get(name) ?? 0) + 1)
    this.#counts = counts
    return counts
  }

  /** Something of this client was settled, which others may have waited for. */
  wake(by: Client): void {
    if (this.#wake === undefined) return
    if (this.of('clusters').has(by)) this.#counts = undefined
    const woken = new Set<Client>()
    for (const type of ['clusters', 'routes', 'listeners'] as const)
      for (const client of this.of(type)) if (client !== by) woken.add(client)
    for (const client of woken) this.#wake(client)
  }
}

function add<K, V>(index: Map<K, Set<V>>, key: K, client: V): void {
  const found = index.get(key)
  if (found === undefined) index.set(key, new Set([client]))
  else found.add(client)
}

function remove<K, V>(index: Map<K, Set<V>>, key: K, client: V): void {
  const found = index.get(key)
  found?.delete(client)
  if (found?.size === 0) index.delete(key)
}
