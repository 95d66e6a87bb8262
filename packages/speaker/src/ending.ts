/**
 * How the speaker ends (RFC 4724, 8326): as for a restart, when its node goes on to serve and its DaemonSet will
 * start another; else for good, and the peers hear that first.
 */
import { type Cluster, customType, hasStatus } from '@landfall/kube'
import type { Node } from '@landfall/kube/model'
import type { OwnerReference } from './status/owner-reference.ts'

export type Ending =
  | { readonly kind: 'restart' }
  /** A stable code. */
  | { readonly kind: 'leaving'; readonly reason: LeavingReason }

export type LeavingReason =
  | 'nodeGone'
  | 'nodeUnschedulable'
  | 'nodeLabeledExcludeBalancers'
  | 'nodeNetworkUnavailable'
  | 'noDaemonSet'

/** How long the API server may take to say whether the DaemonSet is there. */
const askMs = 500

const daemonSetType = customType({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  namespaced: true,
})

export interface EndingFacts {
  readonly node: Node | undefined
  /** By its label, and that counts. */
  readonly excluded: boolean
  readonly daemonSet: boolean
}

export function endingOf({ node, excluded, daemonSet }: EndingFacts): Ending {
  const leaving = (reason: LeavingReason): Ending => ({ kind: 'leaving', reason })
  if (node === undefined || node.meta.deleting) return leaving('nodeGone')
  if (node.unschedulable) return leaving('nodeUnschedulable')
  if (excluded) return leaving('nodeLabeledExcludeBalancers')
  if (node.networkUnavailable) return leaving('nodeNetworkUnavailable')
  return daemonSet ? { kind: 'restart' } : leaving('noDaemonSet')
}

/** An API server that does not answer, or may not say, does not make a restart less likely. */
export async function daemonSetStands(
  cluster: Cluster,
  namespace: string,
  owner: OwnerReference | undefined,
): Promise<boolean> {
  if (owner === undefined) return false
  const asked = cluster
    .get(daemonSetType, `${namespace}/${owner.name}`)
    .then((raw) => raw.metadata['deletionTimestamp'] === undefined)
    .catch((error: unknown) => !hasStatus(error, 404))
  return await Promise.race([
    asked,
    new Promise<boolean>((resolve) => setTimeout(resolve, askMs, true).unref()),
  ])
}
