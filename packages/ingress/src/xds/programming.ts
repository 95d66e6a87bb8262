/**
 * Whether the Envoys of this replica have what a host wants. In: Envoys that come, acknowledge and go. Out: an answer,
 * and word of those who wait for a better one. No IO, no clock but for the absence of all Envoys.
 */
import type { Key } from '@landfall/kube/model'
import type { Hubs } from './hubs.ts'
import { type Layout, layouts } from './layout.ts'
import { type ResourceType, resourceTypes } from './resource.ts'
import type { Client } from './session/client.ts'
import type { Hub } from './session/hub.ts'
import type { Flight, Subscription } from './session/subscription.ts'

/** `absent`: no Envoy is connected at the moment; `none`: nor was any for a while. */
export type Programmed = 'acknowledged' | 'pending' | 'absent' | 'none'

export interface ResourceName {
  readonly type: ResourceType
  readonly name: string
}

export interface ProgrammingEvents {
  /** What was said of these may not be true any more. */
  readonly onLook: (keys: Iterable<Key>) => void
  /** There is an Envoy, or none for a while: all that was said. */
  readonly onPresence: (present: boolean) => void
}

/** Envoys are restarted, and so is this program: that is no absence. */
const absenceMs = 10_000

export class Programming {
  readonly #hubs: Pick<Hubs, 'get' | 'isPublished'>
  readonly #events: ProgrammingEvents
  readonly #envoys = new Set<Client>()
  /** Who waits for an Envoy to acknowledge a resource, by `type name`. */
  readonly #waiting = new Map<Client, Map<string, Set<Key>>>()
  #timer: NodeJS.Timeout | undefined
  #none = false

  constructor(hubs: Pick<Hubs, 'get' | 'isPublished'>, events: ProgrammingEvents) {
    this.#hubs = hubs
    this.#events = events
    this.#away()
  }

  /**
   * Pending while the layout of some Envoy is yet to be published; who publishes it asks again.
   * @param wants what is to be acknowledged for it, by layout
   */
  state(key: Key, wants: (layout: Layout) => readonly ResourceName[]): Programmed {
    if (this.#envoys.size === 0) return this.#none ? 'none' : 'absent'
    for (const layout of layouts) {
      const hub = this.#hubs.get(layout)
      if (hub === undefined || hub.clients.size === 0) continue
      const isAwaited =
        !this.#hubs.isPublished(layout) && [...hub.clients].some((one) => this.#envoys.has(one))
      if (isAwaited) return 'pending'
      const lack = this.#lackOf(hub, layout, wants(layout))
      if (lack === undefined) continue
      this.#wait(lack.client, tagOf(lack), key)
      return 'pending'
    }
    return 'acknowledged'
  }

  /** An Envoy has yet to be sent something, or to acknowledge it. */
  get isBehind(): boolean {
    const lags = ({ flight, dirty }: Subscription) => flight !== undefined || dirty.size > 0
    return [...this.#envoys].some(({ subscriptions }) =>
      resourceTypes.some((type) => subscriptions[type].started && lags(subscriptions[type])),
    )
  }

  /** Something came from the client. */
  heard(client: Client, layout: Layout): void {
    if (this.#envoys.has(client) || !isEnvoy(client, layout)) return
    this.#envoys.add(client)
    clearTimeout(this.#timer)
    this.#none = false
    if (this.#envoys.size === 1) this.#events.onPresence(true)
  }

  accepted(client: Client, type: ResourceType, { resources, removed }: Flight): void {
    const waiting = this.#waiting.get(client)
    if (waiting === undefined) return
    const keys = new Set<Key>()
    for (const name of [...resources.map((one) => one.name), ...removed]) {
      const tag = tagOf({ type, name })
      for (const key of waiting.get(tag) ?? []) keys.add(key)
      waiting.delete(tag)
    }
    if (waiting.size === 0) this.#waiting.delete(client)
    if (keys.size > 0) this.#events.onLook(keys)
  }

  left(client: Client): void {
    const waiting = this.#waiting.get(client)
    this.#waiting.delete(client)
    if (this.#envoys.delete(client) && this.#envoys.size === 0) this.#away()
    if (waiting !== undefined)
      this.#events.onLook(new Set([...waiting.values()].flatMap((keys) => [...keys])))
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #away(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#none = true
      this.#events.onPresence(false)
    }, absenceMs)
    this.#timer.unref()
  }

  #lackOf(hub: Hub, layout: Layout, wanted: readonly ResourceName[]) {
    for (const client of hub.clients) {
      if (layout !== 'classic-streams' && !this.#envoys.has(client)) continue
      for (const { type, name } of wanted) {
        const subscription = client.subscriptions[type]
        // Not asked for on this stream; nor is a certificate that is fetched at the handshake.
        if (layout === 'classic-streams' && !subscription.started) continue
        if (type === 'secrets' && !subscription.covers(name)) continue
        const version = hub.store.get(type, name)?.version
        if (version === undefined || subscription.held.get(name)?.version === version) continue
        // A matter of that Envoy's machine, and nobody's who has a host.
        if (type === 'listeners' && subscription.hasRefused(name, version)) continue
        return { client, type, name }
      }
    }
    return undefined
  }

  #wait(client: Client, tag: string, key: Key): void {
    const waiting = this.#waiting.get(client) ?? new Map<string, Set<Key>>()
    this.#waiting.set(client, waiting)
    waiting.set(tag, (waiting.get(tag) ?? new Set()).add(key))
  }
}

function tagOf({ type, name }: ResourceName): string {
  return `${type} ${name}`
}

/** Others, such as `landfall cli`, follow one thing. */
function isEnvoy({ subscriptions: { listeners, clusters } }: Client, layout: Layout): boolean {
  return listeners.started && (clusters.started || layout === 'classic-streams')
}
