/**
 * The routes of the plan on one established session: brought to the Adj-RIB-Out change by change, or whole where the
 * session's own state is another (next hops, families, draining) or too much has changed.
 */
import type { BgpRoute, Routes } from '../../plan/bgp-plan.ts'
import type { AdjOut, Changes } from './adj-out.ts'
import {
  keyOfFacts,
  keyOfPrefix,
  type PrefixKey,
  type Resolve,
  resolveRoutes,
  resolver,
  type SessionFacts,
  type UnsentRoute,
} from './desired-route.ts'

interface Applied {
  readonly routes: Routes
  readonly facts: string
  readonly resolve: Resolve
  /** Changes of the routes that are in. */
  readonly count: number
}

export class SessionRoutes {
  readonly #rib: AdjOut
  readonly #unsent = new Map<PrefixKey, UnsentRoute>()
  #applied: Applied | undefined

  constructor(rib: AdjOut) {
    this.#rib = rib
  }

  /** Answers with the prefixes that this leaves to be sent. */
  apply(routes: Routes, facts: SessionFacts): Changes {
    const before = this.#applied
    const count = routes.changes?.count() ?? 0
    const key = keyOfFacts(facts)
    if (before?.routes === routes && before.facts === key) {
      const changed = routes.changes?.since(before.count)
      if (changed !== undefined) {
        this.#applied = { ...before, count }
        for (const { prefix, route } of changed) this.#change(keyOfPrefix(prefix), route, before.resolve)
        return this.#rib.waiting
      }
    }
    const resolve = resolver(facts)
    this.#applied = { routes, facts: key, resolve, count }
    const { routes: desired, unsent } = resolveRoutes(routes, facts, resolve)
    this.#unsent.clear()
    for (const one of unsent) this.#unsent.set(keyOfPrefix(one.prefix), one)
    return this.#rib.setDesired(desired)
  }

  /** Routes that the session cannot carry. */
  get unsent(): readonly UnsentRoute[] {
    return [...this.#unsent.values(), ...this.#rib.unsent]
  }

  #change(key: PrefixKey, route: BgpRoute | undefined, resolve: Resolve): void {
    const resolved = route && resolve(route)
    const desired = resolved !== undefined && 'set' in resolved ? resolved : undefined
    if (resolved !== undefined && !('set' in resolved)) this.#unsent.set(key, resolved)
    else this.#unsent.delete(key)
    this.#rib.change(key, desired)
  }
}
