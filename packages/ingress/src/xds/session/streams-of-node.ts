/**
 * The streams of one Envoy, by what they ask for. With ADS it is one; on Contour's bootstrap there is one for each
 * type, and one for each name of endpoints and secrets, and what is sent on one waits for what another acknowledged.
 */
import type { ResourceType } from '../resource.ts'
import type { Subscription, SubscriptionRequest } from './subscription.ts'

/** What a stream asked for and holds. */
export interface Subscriber {
  readonly subscriptions: Readonly<Record<ResourceType, Subscription>>
}

const none: ReadonlySet<never> = new Set()

export class StreamsOfNode<Client extends Subscriber> {
  readonly #byType = new Map<ResourceType, Set<Client>>()
  /** Who asks for a name, as `type/name`. */
  readonly #byName = new Map<string, Set<Client>>()
  readonly #wake: ((client: Client) => void) | undefined

  /** `wake`: another stream may have something to send now; undefined: there is one stream, for everything. */
  constructor(wake?: (client: Client) => void) {
    this.#wake = wake
  }

  get isEmpty(): boolean {
    return this.#byType.size === 0
  }

  asked(client: Client, type: ResourceType, { subscribe, unsubscribe }: SubscriptionRequest): void {
    add(this.#byType, type, client)
    if (this.#wake === undefined || (type !== 'endpoints' && type !== 'secrets')) return
    for (const name of unsubscribe) remove(this.#byName, `${type}/${name}`, client)
    for (const name of subscribe) add(this.#byName, `${type}/${name}`, client)
  }

  left(client: Client): void {
    for (const type of this.#byType.keys()) remove(this.#byType, type, client)
    for (const name of this.#byName.keys()) remove(this.#byName, name, client)
  }

  of(type: ResourceType): ReadonlySet<Client> {
    return this.#byType.get(type) ?? none
  }

  /** Some stream has been told about the name. */
  answered(type: 'endpoints' | 'secrets', name: string): boolean {
    const asking = this.#wake === undefined ? this.of(type) : this.#byName.get(`${type}/${name}`)
    for (const { subscriptions } of asking ?? none) if (subscriptions[type].answered(name)) return true
    return false
  }

  /** Something of this client was settled, which others may have waited for. */
  wake(by: Client): void {
    if (this.#wake === undefined) return
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
