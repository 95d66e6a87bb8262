/** What is desired → the parts of what changed since the last time, each small enough for one turn of the worker. */
import type { Candidate } from './core/placement.ts'
import type { Desired, DesiredPart, WantedAddress } from './messages.ts'

const addressesPerPart = 300
/** Lists that nobody uses any more are looked for when there are more than twice as many as were used. */
const leastLists = 16

export class DesiredChanges {
  readonly #known = new Map<string, WantedAddress>()
  readonly #lists = new Map<string, readonly Candidate[]>()
  readonly #interned = new WeakMap<readonly Candidate[], readonly Candidate[]>()
  #used = leastLists

  /** At least one part; the last has the peers. */
  next({ addresses, peers }: Desired): readonly DesiredPart[] {
    const set: WantedAddress[] = []
    const removed: string[] = []
    for (const [ip, address] of addresses) {
      if (address === undefined) {
        if (this.#known.delete(ip)) removed.push(ip)
        continue
      }
      const wanted = { ...address, candidates: this.#intern(address.candidates) }
      if (same(this.#known.get(ip), wanted)) continue
      this.#known.set(ip, wanted)
      set.push(wanted)
    }
    if (this.#lists.size > 2 * this.#used) this.#forget()
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

  #forget(): void {
    const used = new Set([...this.#known.values()].map(({ candidates }) => candidates))
    for (const [text, list] of this.#lists) if (!used.has(list)) this.#lists.delete(text)
    this.#used = Math.max(leastLists, this.#lists.size)
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
