/**
 * How much the objects below a root may make of one another. Each way to an object makes its routes once more: a few
 * that include one another twice ask for millions. What is reached first passes, whatever its size; what is reached
 * again counts, for the root's include that leads there and for the host, and so do the large regular expressions.
 */
import type { HTTPProxy } from '@landfall/api'
import { type Key, keyOf } from '@landfall/kube/model'
import { repeatsOf, sizeOf } from './regexes.ts'

/** In routes. */
const mostOfInclude = 5_000
/** Besides as much as all objects count once. */
const mostOfHost = 20_000
const mostDeep = 100

interface Cost {
  /** Of each way to the object. */
  readonly routes: number
  /** Of what its regular expressions repeat by a number, from the first way on. */
  readonly repeats: number
}

interface Reached {
  readonly keys: Set<Key>
  /** Without what is repeated by a number. */
  once: number
  again: number
}

export class IncludeBound {
  readonly #costs = new Map<Key, Cost>()
  readonly #host: Reached = nothingReached()
  #include: Reached = nothingReached()

  constructor(root: HTTPProxy) {
    reach(this.#host, keyOf(root.meta), this.#costOf(root))
  }

  /** Why a child is left out, at this depth below the root. */
  refusal(child: HTTPProxy, depth: number): string | undefined {
    if (depth > mostDeep) return `more than ${mostDeep} includes below one another`
    if (depth === 1) this.#include = nothingReached()
    const key = keyOf(child.meta)
    const cost = this.#costOf(child)
    if (againWith(this.#include, key, cost) > mostOfInclude) return tooMuch('one include of the root')
    if (againWith(this.#host, key, cost) > mostOfHost + this.#host.once) return tooMuch('the root')
    reach(this.#include, key, cost)
    reach(this.#host, key, cost)
    return undefined
  }

  #costOf(proxy: HTTPProxy): Cost {
    const key = keyOf(proxy.meta)
    const cost = this.#costs.get(key) ?? costOf(proxy)
    this.#costs.set(key, cost)
    return cost
  }
}

function tooMuch(above: string): string {
  return `what is included repeatedly below ${above} counts for too many routes`
}

/** A route costs as much as some text or a small regular expression does. */
function costOf({ spec }: HTTPProxy): Cost {
  const { routes = [], includes = [] } = spec
  const parts = 1 + routes.length + includes.length
  const text = JSON.stringify(spec).length
  return {
    routes: parts + Math.floor(text / 500) + Math.floor(sizeOf(spec) / 50),
    repeats: Math.floor(repeatsOf(spec) / 50),
  }
}

function nothingReached(): Reached {
  return { keys: new Set(), once: 0, again: 0 }
}

function againWith({ keys, again }: Reached, key: Key, { routes, repeats }: Cost): number {
  return again + repeats + (keys.has(key) ? routes : 0)
}

function reach(reached: Reached, key: Key, cost: Cost): void {
  reached.again = againWith(reached, key, cost)
  if (!reached.keys.has(key)) reached.once += cost.routes - cost.repeats
  reached.keys.add(key)
}
