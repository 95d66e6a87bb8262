/** Why a Service is not announced by a protocol: codes that logs, conditions, metrics and tests share. */
export type ReasonCode =
  | 'notLoadBalancer'
  | 'otherLoadBalancerClass'
  | 'noIPAllocated'
  | 'invalidIP'
  | 'ipNotAllowed'
  | 'noMatchingAdvertisement'
  | 'sharedIPWithServiceSelector'
  | 'conflictingAdvertisements'
  | 'noEndpoints'
  | 'noLocalEndpoints'
  | 'nodeNetworkUnavailable'
  | 'nodeLabeledExcludeBalancers'
  /** Its taint says that it is shut down. */
  | 'nodeOutOfService'
  /** Cordoned, which is to drain it, and another node may announce instead. */
  | 'nodeCordoned'
  /** Another node announces it, or the advertisements select other nodes. */
  | 'notOwner'
  /** A speaker of MetalLB, ready on some node that may announce it, does. */
  | 'foreignSpeaker'
  /** None of the nodes that may announce it has a speaker that is alive. */
  | 'noLivingSpeaker'
  /** This node is silent, as its speaker hears too few of the others: single links are broken, or `--layer2-partition=fence`. */
  | 'noMajority'
  /** This node is to announce it, and none of its interfaces can. */
  | 'announceFailed'
  | 'serviceDeleted'

export interface Silence {
  readonly kind: 'silent'
  readonly reason: ReasonCode
  /** For people. */
  readonly message: string
}

export function silent(reason: ReasonCode, message: string): Silence {
  return { kind: 'silent', reason, message }
}
