/** The observed world that a plan is made of. Maps keep their identity while what is in them is the same. */
import type * as kube from '@landfall/kube/model'
import type { Key, KubeObject } from '@landfall/kube/model'
import type { Config } from '@landfall/metallb'

/** Of a Service, what is read here. */
export type Service = Pick<
  kube.Service,
  'meta' | 'type' | 'loadBalancerClass' | 'externalTrafficPolicy' | 'ingress'
>

export type Endpoint = Pick<kube.Endpoint, 'ready' | 'serving' | 'nodeName'>

export interface EndpointSlice extends KubeObject {
  readonly serviceName: string
  readonly endpoints: readonly Endpoint[]
}

export interface World {
  /** This node's name. */
  readonly node: string
  /** '': Services without a class; else those of this class alone. */
  readonly loadBalancerClass: string
  readonly config: Config
  /** By name. */
  readonly nodes: NodeFacts
  readonly services: ReadonlyMap<Key, Service>
  /** By the key of their Service. */
  readonly slices: ReadonlyMap<Key, readonly EndpointSlice[]>
}

export type NodeFacts = ReadonlyMap<string, NodeFact>

export interface NodeFact {
  readonly networkUnavailable: boolean
  /** Carries the exclude label, and that label is not ignored. */
  readonly excluded: boolean
  /** Tainted `node.kubernetes.io/out-of-service`. */
  readonly outOfService: boolean
  /** Unschedulable, and that counts: it announces what no other node can. */
  readonly cordoned: boolean
  /** A speaker of another kind is ready there: it announces whatever it is eligible for. */
  readonly foreignSpeaker: boolean
}
