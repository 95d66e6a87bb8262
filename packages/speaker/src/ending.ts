/**
 * How the speaker ends. To its BGP peers (RFC 4724, 8326): as for a restart, when its node goes on to serve and its
 * DaemonSet will start another; else for good, and the peers hear that first. Of layer 2, how long it stays when
 * others have taken its addresses.
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

/** For so long clients may still send to the MAC that they knew: the node has to stay up and forward. */
const lingerMs = 1000
/** The hand-over, the wait, and what is told to the API server. */
const leastGraceSeconds = 3

/**
 * How long the speaker stays after its addresses were handed over: a node that is shut down waits for its pods.
 * Within a short grace period it does not, as the kill would come first.
 * @param graceSeconds undefined: not known
 */
export function lingerOf(handedOver: number, graceSeconds: number | undefined): number {
  if (handedOver === 0) return 0
  return graceSeconds === undefined || graceSeconds >= leastGraceSeconds ? lingerMs : 0
}

/** The question about the DaemonSet, and the sessions' end. */
const lastMs = 1500

/**
 * How long routes stay announced with the graceful-shutdown community: what was asked for, or what the grace period
 * leaves before the sessions have to end.
 * @param graceSeconds undefined: not known
 */
export function drainOf(drainMs: number, graceSeconds: number | undefined): number {
  return Math.max(0, Math.min(drainMs, (graceSeconds ?? Number.POSITIVE_INFINITY) * 1000 - lastMs))
}

/** An API server that does not answer, or may not say, does not make a restart less likely. Never throws, nor takes long. */
export async function daemonSetStands(
  cluster: Pick<Cluster, 'get'>,
  namespace: string,
  findOwner: () => Promise<OwnerReference | undefined>,
): Promise<boolean> {
  const ask = async (): Promise<boolean> => {
    const owner = await findOwner()
    if (owner === undefined) return false
    const raw = await cluster.get(daemonSetType, `${namespace}/${owner.name}`)
    return raw.metadata['deletionTimestamp'] === undefined
  }
  return await Promise.race([
    ask().catch((error: unknown) => !hasStatus(error, 404)),
    new Promise<boolean>((resolve) => setTimeout(resolve, askMs, true).unref()),
  ])
}
