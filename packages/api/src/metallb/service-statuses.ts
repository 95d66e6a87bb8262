/** metallb.io/v1beta1 ServiceL2Status and ServiceBGPStatus: what speakers announce. */
import type { KubeObject } from '@landfall/kube/model'
import { list, object, optional, rules, type Shape, text } from '../schema/build.ts'

function immutable(description: string) {
  return text(description, {
    ...rules({ rule: 'self == oldSelf', message: 'Value is immutable' }),
  })
}

const who = {
  node: optional(immutable('Node that announces; absent when none does.')),
  serviceName: optional(immutable('Name of the Service.')),
  serviceNamespace: optional(immutable('Namespace of the Service.')),
}

const whyNot = {
  reason: optional(text('Stable code of why it is not announced; absent when it is.')),
  message: optional(
    text('The same for people; with a node and without a reason, what of it is not announced.'),
  ),
}

export const emptySpec = object({}, { description: 'Empty: the object is a report.' })

export const serviceL2StatusStatus = object({
  ...who,
  interfaces: optional(
    list(
      object({ name: optional(text('Name of the interface.')) }),
      'Interfaces that answer; all when empty.',
    ),
  ),
  ...whyNot,
})
export type ServiceL2StatusStatus = Shape<typeof serviceL2StatusStatus>

export const serviceBGPStatusStatus = object({
  ...who,
  peers: optional(list(text('A BGPPeer.'), 'Peers that the address is meant for.')),
  ...whyNot,
})
export type ServiceBGPStatusStatus = Shape<typeof serviceBGPStatusStatus>

export interface ServiceL2Status extends KubeObject {
  readonly status?: ServiceL2StatusStatus
}

export interface ServiceBGPStatus extends KubeObject {
  readonly status?: ServiceBGPStatusStatus
}
