/**
 * The routes of every peer, kept up to date Service by Service: a change costs what it changes, and the outcome is
 * that of merging everything anew. Equal prefixes are one route.
 */
import type { Key } from '@landfall/kube/model'
import { formatPrefix, type Prefix } from '@landfall/netip'
import type { BgpRoute, RouteChange, RouteChanges, Routes } from './bgp-plan.ts'
import { unionOf } from './bgp-routes.ts'
import type { ServicePlan } from './service-plan.ts'

type Held = ReadonlyMap<string, readonly BgpRoute[]>

const nothing: Held = new Map()
const noRoutes: readonly BgpRoute[] = []
/** So many changes are remembered, or as many as there are routes: who knows less takes them all. */
const leastRemembered = 4096

export class RouteTable {
  readonly #tables = new Map<string, PeerRoutes>()
  readonly #held = new Map<Key, Held>()

  /** `plan` undefined: the Service is gone. */
  set(service: Key, plan: ServicePlan | undefined): void {
    const before = this.#held.get(service) ?? nothing
    const after = plan?.bgp.kind === 'announced' ? plan.bgp.routes : nothing
    if (before === after) return
    if (after.size === 0) this.#held.delete(service)
    else this.#held.set(service, after)
    for (const peer of new Set([...before.keys(), ...after.keys()]))
      this.#of(peer).replace(service, before.get(peer) ?? noRoutes, after.get(peer) ?? noRoutes)
  }

  /** As they are now and will be: always the same for a peer. */
  of(peer: string): Routes {
    return this.#of(peer)
  }

  /** Forgets the peers that are gone. */
  keep(peers: ReadonlySet<string>): void {
    for (const [peer, { length }] of this.#tables)
      if (length === 0 && !peers.has(peer)) this.#tables.delete(peer)
  }

  #of(peer: string): PeerRoutes {
    let table = this.#tables.get(peer)
    if (table === undefined) this.#tables.set(peer, (table = new PeerRoutes()))
    return table
  }
}

class PeerRoutes implements Routes {
  /** By prefix text: what each Service wants there. */
  readonly #wishes = new Map<string, Map<Key, BgpRoute>>()
  /** By prefix text: what comes of it. */
  readonly #merged = new Map<string, BgpRoute>()
  /** Sorted by prefix text; undefined: to be made anew. */
  #sorted: readonly BgpRoute[] | undefined = noRoutes
  /** Where something changed, the oldest first. */
  #log: Prefix[] = []
  /** Changes before the log. */
  #forgotten = 0

  get length(): number {
    return this.#merged.size
  }

  [Symbol.iterator](): Iterator<BgpRoute> {
    this.#sorted ??= [...this.#merged].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, route]) => route)
    return this.#sorted[Symbol.iterator]()
  }

  readonly changes: RouteChanges = {
    count: () => this.#forgotten + this.#log.length,
    since: (count) => (count < this.#forgotten ? undefined : this.#since(count - this.#forgotten)),
  }

  replace(service: Key, before: readonly BgpRoute[], after: readonly BgpRoute[]): void {
    if (before === after) return
    const touched = new Map<string, Prefix>()
    for (const { prefix } of before) {
      const text = formatPrefix(prefix)
      touched.set(text, prefix)
      this.#wishes.get(text)?.delete(service)
    }
    for (const route of after) {
      const text = formatPrefix(route.prefix)
      touched.set(text, route.prefix)
      const wishes = this.#wishes.get(text)
      if (wishes === undefined) this.#wishes.set(text, new Map([[service, route]]))
      else wishes.set(service, route)
    }
    for (const [text, prefix] of touched) this.#merge(text, prefix)
  }

  #merge(text: string, prefix: Prefix): void {
    const wishes = this.#wishes.get(text)
    const route = wishes && unionOf([...wishes.values()])
    if (route === undefined) this.#wishes.delete(text)
    if (this.#merged.get(text) === route) return
    if (route === undefined) this.#merged.delete(text)
    else this.#merged.set(text, route)
    this.#sorted = undefined
    this.#remember(prefix)
  }

  #remember(prefix: Prefix): void {
    if (this.#log.length >= Math.max(leastRemembered, this.#merged.size)) {
      this.#forgotten += this.#log.length
      this.#log = []
    }
    this.#log.push(prefix)
  }

  #since(index: number): readonly RouteChange[] {
    const changed = new Map(this.#log.slice(index).map((prefix) => [formatPrefix(prefix), prefix]))
    return [...changed].map(([text, prefix]) => ({ prefix, route: this.#merged.get(text) }))
  }
}
