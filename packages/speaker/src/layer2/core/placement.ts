/**
 * Where an address without an owner goes (pure): among those that may have it, the heaviest by preference, then the
 * least loaded, then the first by name. So no placement goes to a node that holds more than the least loaded of its
 * equals.
 */
export interface Candidate {
  readonly node: string
  /** Of preferredNodeSelectors; the higher the sooner. */
  readonly weight: number
}

/** Part of the weight of a node that is cordoned, which is to have only what no other can: below all preferences. */
export const lastChoice = -1e9

/** The eligible ones that none of the eligible outweighs. */
export function heaviest(
  candidates: readonly Candidate[],
  eligible: (node: string) => boolean,
): readonly string[] {
  let best = Number.NEGATIVE_INFINITY
  let nodes: string[] = []
  for (const { node, weight } of candidates) {
    if (weight < best || !eligible(node)) continue
    if (weight > best) nodes = []
    best = weight
    nodes.push(node)
  }
  return nodes
}

/** undefined: there is none. */
export function leastLoaded(nodes: readonly string[], load: (node: string) => number): string | undefined {
  let chosen: string | undefined
  for (const node of nodes) {
    if (chosen === undefined) chosen = node
    else if (load(node) < load(chosen) || (load(node) === load(chosen) && node < chosen)) chosen = node
  }
  return chosen
}

/** Of nodes that stand in both. One that is no longer the last choice takes nothing back for that. */
export function otherWeights(before: readonly Candidate[], after: readonly Candidate[]): boolean {
  const known = new Map(before.map((candidate) => [candidate.node, candidate]))
  return after.some((candidate) => {
    const was = known.get(candidate.node)
    if (was === undefined || was.weight === candidate.weight) return false
    return !isLastChoice(was) || isLastChoice(candidate)
  })
}

function isLastChoice({ weight }: Candidate): boolean {
  return weight < lastChoice / 2
}
