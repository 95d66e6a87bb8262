/**
 * The addresses of all Services that are announced by ARP and NDP, each once. A Service's addresses stay on one node,
 * and so do those of Services that share an address: they form a unit. Who may announce an address that Services share
 * is whoever may for one of them; who may announce a unit, whoever may announce each of its addresses.
 */
import type { Key } from '@landfall/kube/model'
import { formatIP, type IP } from '@landfall/netip'
import type { Candidate } from '../layer2/core/placement.ts'
import type { Layer2Choice, ServicePlan } from './service-plan.ts'

export interface Layer2Address {
  readonly ip: IP
  /** The Services that have it, the oldest first. */
  readonly services: readonly Key[]
  /** Text of the first address of those that stay on one node with it. */
  readonly unit: string
  /** Sorted by node; not empty. The same for all of a unit. */
  readonly candidates: readonly Candidate[]
  /** Interfaces of this node; []: all. */
  readonly interfaces: readonly string[]
}

type Address = Omit<Layer2Address, 'unit'>

/** `plans`: the oldest Service first. The result is by address text. */
export function layer2Of(
  plans: readonly (readonly [Key, ServicePlan])[],
): ReadonlyMap<string, Layer2Address> {
  const addresses = new Map<string, Address>()
  const units = new Units()
  for (const [key, { layer2 }] of plans) {
    if (layer2.kind === 'silent') continue
    const texts = layer2.addresses.map(({ ip }) => formatIP(ip))
    for (const [i, choice] of layer2.addresses.entries()) {
      const text = texts[i] ?? ''
      const known = addresses.get(text)
      const shared = known === undefined ? choice : shareAddress(known, choice)
      addresses.set(text, { ...shared, services: [...(known?.services ?? []), key] })
      units.unite(texts[0] ?? text, text)
    }
  }
  return new Map(units.groups().flatMap((texts) => unitOf(texts, addresses)))
}

function unitOf(
  texts: readonly string[],
  addresses: ReadonlyMap<string, Address>,
): readonly (readonly [string, Layer2Address])[] {
  const members = texts.flatMap((text) => {
    const address = addresses.get(text)
    return address === undefined ? [] : [[text, address] as const]
  })
  const [unit = ''] = texts
  const [first, ...others] = members.map(([, { candidates }]) => candidates)
  const common = others.reduce(intersect, first ?? [])
  // Nobody may have them all: then each goes where it can.
  if (common.length === 0) return members.map(([text, address]) => [text, { ...address, unit: text }])
  return members.map(([text, address]) => [text, { ...address, unit, candidates: common }])
}

function intersect(a: readonly Candidate[], b: readonly Candidate[]): readonly Candidate[] {
  const weights = new Map(b.map(({ node, weight }) => [node, weight]))
  return a.flatMap(({ node, weight }) => {
    const other = weights.get(node)
    return other === undefined ? [] : [{ node, weight: weight + other }]
  })
}

function shareAddress(a: Layer2Choice, b: Layer2Choice): Layer2Choice {
  return {
    ip: a.ip,
    candidates: unite(a.candidates, b.candidates),
    interfaces: unionOfInterfaces(a.interfaces, b.interfaces),
  }
}

function unite(a: readonly Candidate[], b: readonly Candidate[]): readonly Candidate[] {
  const weights = new Map(a.map(({ node, weight }) => [node, weight]))
  for (const { node, weight } of b) weights.set(node, Math.max(weight, weights.get(node) ?? 0))
  return [...weights].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([node, weight]) => ({ node, weight }))
}

function unionOfInterfaces(a: readonly string[], b: readonly string[]): readonly string[] {
  return a.length === 0 || b.length === 0 ? [] : [...new Set([...a, ...b])].toSorted()
}

/** Texts that belong together. */
class Units {
  readonly #above = new Map<string, string>()

  unite(a: string, b: string): void {
    const [x, y] = [this.#top(a), this.#top(b)]
    this.#above.set(x < y ? y : x, x < y ? x : y)
  }

  /** Each sorted. */
  groups(): readonly (readonly string[])[] {
    const groups = new Map<string, string[]>()
    for (const text of this.#above.keys()) {
      const top = this.#top(text)
      groups.set(top, [...(groups.get(top) ?? []), text])
    }
    return [...groups.values()].map((texts) => texts.toSorted())
  }

  #top(text: string): string {
    let top = text
    for (let next = this.#above.get(top); next !== undefined && next !== top; next = this.#above.get(top))
      top = next
    if (!this.#above.has(text)) this.#above.set(text, text)
    return top
  }
}
