/** Nodes that may not announce anything, as far as the objects show it. */
import type { Observed } from '../observed.ts'
import { adviceOn } from './advice.ts'

export const excludeLabel = 'node.kubernetes.io/exclude-from-external-load-balancers'

export interface ExcludedNode {
  readonly name: string
  readonly reason: 'nodeLabeledExcludeBalancers' | 'nodeOutOfService' | 'nodeNetworkUnavailable'
  readonly message: string
}

export function excludedNodes({ nodes }: Pick<Observed, 'nodes'>): readonly ExcludedNode[] {
  return nodes.items.flatMap(({ meta, outOfService, networkUnavailable }): readonly ExcludedNode[] => {
    const { name, labels } = meta
    if (networkUnavailable)
      return [{ name, reason: 'nodeNetworkUnavailable', message: 'its network is not available' }]
    if (excludeLabel in labels)
      return [{ name, reason: 'nodeLabeledExcludeBalancers', message: `it has the label ${excludeLabel}` }]
    if (outOfService)
      return [{ name, reason: 'nodeOutOfService', message: 'it is tainted as out of service' }]
    return []
  })
}

/** One command for all that are excluded for the same reason. */
export function adviceOnExcluded(
  { reason }: ExcludedNode,
  observed: Pick<Observed, 'nodes' | 'places'>,
): string {
  const names = excludedNodes(observed).flatMap((one) => (one.reason === reason ? one.name : []))
  const about = { kind: 'Node', name: names[0] ?? '', places: observed.places }
  return adviceOn(reason, about).replace('NODES', names.join(' '))
}
