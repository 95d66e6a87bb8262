/** ServiceL2Status and ServiceBGPStatus as the controller reads them: there may be many, so it keeps little of each. */
import * as api from '@landfall/api'
import { customType, type RawObject, type ResourceType } from '@landfall/kube'
import type { Key, KubeObject } from '@landfall/kube/model'

/** A node announces the Service; without a node: why none does. */
export interface Announcing extends KubeObject {
  /** '': it is of none. */
  readonly service: Key
  readonly node: string
  /** '' where a node announces it and all is well. */
  readonly reason: string
  readonly message: string
}

export const layer2Type = typeOf(api.serviceL2Status)
export const bgpType = typeOf(api.serviceBGPStatus)

const none = {}

function typeOf(identity: typeof api.serviceL2Status): ResourceType<Announcing> {
  // The same few texts again and again: one copy each.
  const texts = new Map<string, string>()
  const once = (text: string): string => {
    const known = texts.get(text)
    if (known === undefined) texts.set(text, text)
    return known ?? text
  }
  return {
    ...customType<Announcing>(identity),
    project: (raw) => {
      const status = fields(raw['status'])
      const labels = raw.metadata.labels ?? {}
      const name = labels['metallb.io/service-name'] ?? text(status['serviceName'])
      const namespace = labels['metallb.io/service-namespace'] ?? text(status['serviceNamespace'])
      return {
        meta: metaOf(raw, once),
        service: name === '' || namespace === '' ? '' : `${namespace}/${name}`,
        node: once(text(status['node']) || (labels['metallb.io/node'] ?? '')),
        reason: once(text(status['reason'])),
        message: once(text(status['message'])),
      }
    },
  }
}

function metaOf({ metadata }: RawObject, once: (text: string) => string): KubeObject['meta'] {
  const { namespace = '', name, uid = '', resourceVersion = '' } = metadata
  return {
    namespace: once(namespace),
    name,
    uid,
    resourceVersion,
    generation: 0,
    creationTimestamp: '',
    labels: none,
    annotations: none,
    deleting: false,
  }
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
