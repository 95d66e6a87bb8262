/**
 * The routes of the plan on one established session: brought to the Adj-RIB-Out change by change, or whole where the
 * session's own state is another (next hops, families, draining) or too much has changed.
 */
import type { Routes } from '../../plan/bgp-plan.ts'
import type { AdjOut, Changes } from './adj-out.ts'
import {
  type DesiredRoute,
  type DesiredRoutes,
  drainedSet,
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
  /** Said to be about to go, and not withdrawn yet. */
  readonly #retiring = new Set<PrefixKey>()
  #applied: Applied | undefined

  constructor(rib: AdjOut) {
    this.#rib = rib
  }

  /**
   * Answers with the prefixes that this leaves to be sent.
   * @param retire what goes is not withdrawn before `withdrawRetired`: until then it says that it is about to go
   */
  apply(routes: Routes, facts: SessionFacts, retire = false): Changes {
    const before = this.#applied
    const count = routes.changes?.count() ?? 0
    const key = keyOfFacts(facts)
    if (before?.routes === routes && before.facts === key) {
      const changed = routes.changes?.since(before.count)
      if (changed !== undefined) {
        this.#applied = { ...before, count }
        for (const { prefix, route } of changed)
          this.#change(keyOfPrefix(prefix), route && before.resolve(route), retire)
        return this.#rib.waiting
      }
    }
    const resolve = resolver(facts)
    this.#applied = { routes, facts: key, resolve, count }
    return this.#applyAll(resolveRoutes(routes, facts, resolve), retire)
  }

  get retiring(): number {
    return this.#retiring.size
  }

  withdrawRetired(): Changes {
    for (const key of this.#retiring) this.#rib.change(key, undefined)
    this.#retiring.clear()
    return this.#rib.waiting
  }

  /** Routes that the session cannot carry. */
  get unsent(): readonly UnsentRoute[] {
    return [...this.#unsent.values(), ...this.#rib.unsent]
  }

  #applyAll({ routes, unsent }: DesiredRoutes, retire: boolean): Changes {
    if (retire) {
      for (const key of this.#rib.keys()) if (!routes.has(key)) this.#change(key, undefined, true)
      for (const [key, route] of routes) this.#change(key, route, true)
    } else {
      this.#retiring.clear()
      this.#rib.setDesired(routes)
    }
    this.#unsent.clear()
    for (const one of unsent) this.#unsent.set(keyOfPrefix(one.prefix), one)
    return this.#rib.waiting
  }

  #change(key: PrefixKey, route: DesiredRoute | UnsentRoute | undefined, retire: boolean): void {
    this.#unsent.delete(key)
    if (route !== undefined && !('set' in route)) this.#unsent.set(key, route)
    if (route !== undefined && 'set' in route) {
      this.#retiring.delete(key)
      this.#rib.change(key, route)
    } else if (!retire) {
      this.#retiring.delete(key)
      this.#rib.change(key, undefined)
    } else if (!this.#retiring.has(key)) this.#retire(key)
  }

  #retire(key: PrefixKey): void {
    const held = this.#rib.desiredFor(key)
    if (held === undefined) return
    this.#retiring.add(key)
    this.#rib.change(key, { prefix: held.prefix, set: drainedSet(held.set) })
  }
}
