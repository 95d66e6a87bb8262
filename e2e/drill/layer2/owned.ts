/** Who owns which address before and after nodes come or go: what moved, and how evenly. Pure. */

/** Nodes by address. */
export type Owners = ReadonlyMap<string, string>

export function loadsOf(all: Owners, nodes: readonly string[]): readonly number[] {
  return nodes.map((node) => ownedBy(all, node))
}

export function ownedBy(all: Owners, node: string): number {
  return [...all.values()].filter((owner) => owner === node).length
}

/** Of addresses that were placed on nodes without any. */
export function unevenness(all: Owners, nodes: readonly string[]): readonly string[] {
  const loads = loadsOf(all, nodes)
  const elsewhere = all.size - loads.reduce((sum, load) => sum + load, 0)
  return [
    ...(Math.max(...loads) - Math.min(...loads) > 1 ? [`nodes own ${loads.join(', ')} addresses`] : []),
    ...(elsewhere > 0 ? [`${elsewhere} addresses are owned by other nodes`] : []),
  ]
}

/** A sentence each. */
export function moves(before: Owners, after: Owners): readonly string[] {
  return [...before].flatMap(([ip, owner]) => {
    const next = after.get(ip)
    return next === owner ? [] : [`${ip} moved from ${owner} to ${next}`]
  })
}

/** Of `all`, the node went: what it owned moves, nothing else does, and each goes to whoever owns least. */
export function departure(
  [before, after]: readonly [Owners, Owners],
  node: string,
  all: readonly string[],
): readonly string[] {
  const others = all.filter((name) => name !== node)
  const [had, have] = [loadsOf(before, others), loadsOf(after, others)]
  const least = Math.min(...have)
  const tooMany = have.some((load, i) => load > (had[i] ?? 0) && load > least + 1)
  const needless = moves(new Map([...before].filter(([, owner]) => owner !== node)), after)
  const left = ownedBy(after, node)
  return [
    ...(ownedBy(before, node) > 0 ? [] : [`${node} owned nothing that could move`]),
    ...needless.map((move) => `${move} with those of ${node}`),
    ...(left > 0 ? [`${left} addresses are still owned by ${node}`] : []),
    ...(tooMany ? [`without ${node} the others, which owned ${had.join(', ')}, own ${have.join(', ')}`] : []),
  ]
}
