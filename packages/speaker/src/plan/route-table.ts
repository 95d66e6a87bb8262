/**
 * The routes of every peer, kept up to date Service by Service: a change costs what it changes, and the outcome is
 * that of merging everything anew. Equal prefixes are one route; a list changes its identity when, and only when, a
 * route in it changes.
 */
import type { Key } from '@landfall/kube/model'
import { formatPrefix } from '@landfall/netip'
import type { BgpRoute } from './bgp-plan.ts'
import { unionOf } from './bgp-routes.ts'
import type { ServicePlan } from './service-plan.ts'

type Routes = ReadonlyMap<string, readonly BgpRoute[]>

/** Of one peer. */
interface Table {
  /** By prefix text: what each Service wants there. */
  readonly wishes: Map<string, Map<Key, BgpRoute>>
  /** By prefix text: what comes of it. */
  readonly merged: Map<string, BgpRoute>
  /** Sorted by prefix text; undefined: to be made anew. */
  sorted: readonly BgpRoute[] | undefined
  /** Prefix texts, sorted. */
  order: string[]
}

const nothing: Routes = new Map()
const noRoutes: readonly BgpRoute[] = []

export class RouteTable {
  readonly #tables = new Map<string, Table>()
  readonly #held = new Map<Key, Routes>()

  /** `plan` undefined: the Service is gone. */
  set(service: Key, plan: ServicePlan | undefined): void {
    const before = this.#held.get(service) ?? nothing
    const after = plan?.bgp.kind === 'announced' ? plan.bgp.routes : nothing
    if (before === after) return
    if (after.size === 0) this.#held.delete(service)
    else this.#held.set(service, after)
    for (const peer of new Set([...before.keys(), ...after.keys()]))
      this.#replace(peer, service, before.get(peer) ?? noRoutes, after.get(peer) ?? noRoutes)
  }

  /** Sorted by prefix text. */
  of(peer: string): readonly BgpRoute[] {
    const table = this.#tables.get(peer)
    if (table === undefined) return noRoutes
    table.sorted ??= table.order.flatMap((text) => table.merged.get(text) ?? [])
    return table.sorted
  }

  #replace(peer: string, service: Key, before: readonly BgpRoute[], after: readonly BgpRoute[]): void {
    if (before === after) return
    const table = this.#tableOf(peer)
    const touched = new Set<string>()
    for (const { prefix } of before) {
      const text = formatPrefix(prefix)
      touched.add(text)
      table.wishes.get(text)?.delete(service)
    }
    for (const route of after) {
      const text = formatPrefix(route.prefix)
      touched.add(text)
      const wishes = table.wishes.get(text)
      if (wishes === undefined) table.wishes.set(text, new Map([[service, route]]))
      else wishes.set(service, route)
    }
    for (const text of touched) mergePrefix(table, text)
    if (table.merged.size === 0) this.#tables.delete(peer)
  }

  #tableOf(peer: string): Table {
    let table = this.#tables.get(peer)
    if (table === undefined) {
      table = { wishes: new Map(), merged: new Map(), sorted: undefined, order: [] }
      this.#tables.set(peer, table)
    }
    return table
  }
}

function mergePrefix(table: Table, text: string): void {
  const wishes = table.wishes.get(text)
  const route = wishes && unionOf([...wishes.values()])
  const known = table.merged.get(text)
  if (route === undefined) {
    table.wishes.delete(text)
    if (known === undefined) return
    table.merged.delete(text)
    table.order.splice(placeOf(table.order, text), 1)
  } else {
    if (known === undefined) table.order.splice(placeOf(table.order, text), 0, text)
    if (known === route) return
    table.merged.set(text, route)
  }
  table.sorted = undefined
}

/** Where the text is, or belongs. */
function placeOf(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? '') < text) low = middle + 1
    else high = middle
  }
  return low
}
