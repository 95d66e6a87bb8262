/** What is desired → the parts of what changed since the last time, each small enough for one turn of the worker. */
import type { Candidate } from './core/placement.ts'
import type { Desired, DesiredPart, WantedAddress } from './messages.ts'

const addressesPerPart = 300

export class DesiredChanges {
  #known = new Map<string, WantedAddress>()
  #lists = new Map<string, readonly Candidate[]>()
  #interned = new WeakMap<readonly Candidate[], readonly Candidate[]>()

  /** At least one part; the last has the peers. */
  next({ addresses, peers }: Desired): readonly DesiredPart[] {
    const set: WantedAddress[] = []
    const known = new Map<string, WantedAddress>()
    for (const address of addresses) {
      const wanted = { ...address, candidates: this.#intern(address.candidates) }
      known.set(wanted.ip, wanted)
      if (!same(this.#known.get(wanted.ip), wanted)) set.push(wanted)
    }
    const removed = [...this.#known.keys()].filter((ip) => !known.has(ip))
    this.#known = known
    this.#forget(known)
    const parts: DesiredPart[] = []
    for (let at = 0; at < set.length || at < removed.length; at += addressesPerPart) {
      const end = at + addressesPerPart
      parts.push({ set: set.slice(at, end), removed: removed.slice(at, end), peers: undefined })
    }
    const last = parts.pop() ?? { set: [], removed: [] }
    return [...parts, { ...last, peers }]
  }

  /** Equal lists become one, so that they travel once and compare fast. */
  #intern(candidates: readonly Candidate[]): readonly Candidate[] {
    let interned = this.#interned.get(candidates)
    if (interned !== undefined) return interned
    const text = candidates.map(({ node, weight }) => `${node} ${weight}`).join()
    interned = this.#lists.get(text)
    if (interned === undefined) this.#lists.set(text, (interned = candidates))
    this.#interned.set(candidates, interned)
    return interned
  }

  #forget(known: ReadonlyMap<string, WantedAddress>): void {
    const used = new Set([...known.values()].map(({ candidates }) => candidates))
    for (const [text, list] of this.#lists) if (!used.has(list)) this.#lists.delete(text)
  }
}

function same(a: WantedAddress | undefined, b: WantedAddress): boolean {
  return (
    a !== undefined &&
    a.unit === b.unit &&
    a.candidates === b.candidates &&
    a.interfaces.length === b.interfaces.length &&
    a.interfaces.every((name, i) => name === b.interfaces[i])
  )
}
