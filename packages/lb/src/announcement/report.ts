/**
 * ServiceL2Status and ServiceBGPStatus as the controller reads them. There may be many, of BGP one for each Service and
 * node, and most of one Service are alike: what is alike is one value, and of BGP the nodes are not told apart.
 */
import * as api from '@landfall/api'
import { customType, type ResourceType } from '@landfall/kube'
import { emptyMeta, type Key, type KubeObject } from '@landfall/kube/model'

/** What an object says of a Service. Nothing of its metadata is kept. */
export interface Announcing extends KubeObject {
  /** '': it is of none. */
  readonly service: Key
  /** The object is of a node, which announces the Service unless there is a reason; others say why no node does. */
  readonly ofNode: boolean
  /** Of layer 2, where it is one. */
  readonly node: string
  /** When it came to be said, RFC 3339: of layer 2, where one node announces at a time. */
  readonly since: string
  /** '' where a node announces it. */
  readonly reason: string
  /** The same for people, or what of it is not announced; '' where all is. */
  readonly message: string
}

/** @param once gives the same value for what says the same */
export function layer2Type(once: (said: Announcing) => Announcing): ResourceType<Announcing> {
  return typeOf(api.serviceL2Status, (ofOne) => ofOne, once)
}

/** The same for BGP. */
export function bgpType(once: (said: Announcing) => Announcing): ResourceType<Announcing> {
  return typeOf(api.serviceBGPStatus, () => '', once)
}

function typeOf(
  identity: typeof api.serviceL2Status,
  keep: (ofOne: string) => string,
  once: (said: Announcing) => Announcing,
): ResourceType<Announcing> {
  return {
    ...customType<Announcing>(identity),
    project: (raw) => {
      const status = fields(raw['status'])
      const labels = raw.metadata.labels ?? {}
      const name = labels['metallb.io/service-name'] ?? text(status['serviceName'])
      const namespace = labels['metallb.io/service-namespace'] ?? text(status['serviceNamespace'])
      const node = text(status['node']) || (labels['metallb.io/node'] ?? '')
      return once({
        meta: emptyMeta,
        service: name === '' || namespace === '' ? '' : `${namespace}/${name}`,
        ofNode: node !== '',
        node: keep(node),
        since: keep(raw.metadata.creationTimestamp ?? ''),
        reason: text(status['reason']),
        message: text(status['message']),
      })
    },
  }
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
