/** metallb.io/v1beta1 BGPSessionStatus: one node's session with one peer, as the node's speaker sees it. */
import type { KubeObject } from '@landfall/kube/model'
import { int32, object, oneOf, optional, rules, type Shape, text } from '../schema/build.ts'

function immutable(description: string) {
  return text(description, { ...rules({ rule: 'self == oldSelf', message: 'Value is immutable' }) })
}

export const bgpSessionStatusStatus = object({
  node: optional(immutable('Node whose session it is.')),
  peer: optional(immutable('Name of the BGPPeer.')),
  address: optional(text('Address and port of the peer, or the interface of an unnumbered session.')),
  vrf: optional(text('VRF of the session; absent for the default one.')),
  bgpStatus: optional(oneOf(['Established', 'Down', 'Unknown'])),
  bfdStatus: optional(
    text('`up`, `down`, `init`, `adminDown` or `unavailable`; absent without a BFD profile.'),
  ),
  since: optional(text('Since when the session is up, or down.', { format: 'date-time' })),
  prefixes: optional(
    int32('Prefixes that the peer has from this node; told at most once a minute.', { minimum: 0 }),
  ),
  reason: optional(
    text('Stable code of why the session is down, or does not carry all; absent when all is well.'),
  ),
  message: optional(text('The same for people.')),
  lastError: optional(text('Of a session that is up: how the one before it, or the last attempt, ended.')),
})
export type BGPSessionStatusStatus = Shape<typeof bgpSessionStatusStatus>

export interface BGPSessionStatus extends KubeObject {
  readonly status?: BGPSessionStatusStatus
}
