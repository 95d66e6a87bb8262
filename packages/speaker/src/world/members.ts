/** What Nodes and speaker pods tell of the nodes: who may announce, and where each node's speaker is. */
import type { Node, Pod } from '@landfall/kube/model'
import type { PeerAddress } from '../layer2/core/membership.ts'
import type { NodeFacts } from '../plan/world.ts'

const excludeLabel = 'node.kubernetes.io/exclude-from-external-load-balancers'

export interface NodeRules {
  readonly ignoreExcludeLabel: boolean
  readonly drainOnCordon: boolean
}

/** @param foreign nodes where a speaker of another kind announces */
export function nodeFacts(
  nodes: readonly Node[],
  { ignoreExcludeLabel, drainOnCordon }: NodeRules,
  foreign: ReadonlySet<string>,
): NodeFacts {
  return new Map(
    nodes.map(({ meta, networkUnavailable, outOfService, unschedulable }) => [
      meta.name,
      {
        networkUnavailable,
        outOfService,
        cordoned: drainOnCordon && unschedulable,
        excluded: !ignoreExcludeLabel && excludeLabel in meta.labels,
        foreignSpeaker: foreign.has(meta.name),
      },
    ]),
  )
}

/**
 * By the speaker pods, which use the addresses of their node; where none is seen (the right to list pods may be
 * missing), every node is taken to run one. Sorted by node.
 */
export function speakerAddresses(pods: readonly Pod[], nodes: readonly Node[]): readonly PeerAddress[] {
  const addresses = new Map<string, Set<string>>()
  const add = (node: string, found: readonly string[]): void => {
    const known = addresses.get(node) ?? new Set()
    for (const address of found) known.add(address)
    addresses.set(node, known)
  }
  const scheduled = pods.filter((pod) => pod.nodeName !== '' && !hasEnded(pod))
  for (const { nodeName, podIPs, hostIPs } of scheduled) add(nodeName, [...podIPs, ...hostIPs])
  for (const { meta, internalIPs } of nodes)
    if (scheduled.length === 0 || addresses.has(meta.name)) add(meta.name, internalIPs)
  return [...addresses]
    .map(([node, found]) => ({ node, addresses: [...found] }))
    .toSorted((a, b) => (a.node < b.node ? -1 : 1))
}

/** What the speaker on the node is given to end in; undefined: its pod is not seen. */
export function graceSecondsOf(pods: readonly Pod[], node: string): number | undefined {
  const here = pods.filter((pod) => pod.nodeName === node && !hasEnded(pod))
  return here.length === 0 ? undefined : Math.min(...here.map(({ graceSeconds }) => graceSeconds))
}

function hasEnded({ phase }: Pod): boolean {
  return phase === 'Succeeded' || phase === 'Failed'
}
