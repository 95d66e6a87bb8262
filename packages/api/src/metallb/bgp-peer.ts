/**
 * metallb.io BGPPeer: a router that routes are announced to. v1beta2 is stored, v1beta1 is served as well.
 * Conversion is None, so both share one schema that accepts the objects of either: fields that only v1beta2
 * knows, and port 0, which v1beta1 allowed and which means 179.
 */
import type { KubeObject } from '@landfall/kube/model'
import { flag, int32, int64, object, oneOf, optional, rules, type Shape, text } from '../schema/build.ts'
import { conditions } from '../schema/condition.ts'
import { selectors } from '../schema/label-selector.ts'
import { connectTimeRule, holdTimeRule, keepaliveTimeRule, peerRules } from './bgp-peer-rules.ts'

const secretReference = object(
  {
    name: optional(text('Name of the Secret.', { maxLength: 253 })),
    namespace: optional(text('Its namespace.', { maxLength: 253 })),
  },
  { 'x-kubernetes-map-type': 'atomic' },
)

const asn = { minimum: 0, maximum: 4294967295 } as const
const address = {
  maxLength: 64,
  ...rules({ rule: "self.matches('^[0-9A-Fa-f:.]*$')", message: 'write an IP address, not a name' }),
} as const
const duration = { maxLength: 64 } as const

const fields = {
  myASN: int64('AS number on our side.', {
    ...asn,
    ...rules({ rule: 'self != 0', message: '0 is no AS number: write your own' }),
  }),
  peerASN: optional(int64('AS number of the peer.', asn)),
  localASN: optional(
    int64('AS number shown to this peer instead of myASN.', { minimum: 1, maximum: 4294967295 }),
  ),
  dynamicASN: optional(oneOf(['internal', 'external'])),
  peerAddress: optional(text('Address of the peer.', address)),
  interface: optional(text('Interface of an unnumbered session.', { maxLength: 64 })),
  sourceAddress: optional(
    text('What we connect from: an address, a prefix that each node has an address of, or an interface.', {
      maxLength: 64,
      ...rules({
        rule: "self.matches('^[^ ]*$')",
        message: 'write an IP address, a prefix as 192.0.2.0/24, or the name of an interface',
      }),
    }),
  ),
  peerPort: optional(int32('Port of the peer; 0 means 179.', { minimum: 0, maximum: 16384, default: 179 })),
  holdTime: optional(
    text('Silence after which the session ends, as 90s.', { ...duration, ...rules(holdTimeRule) }),
  ),
  keepaliveTime: optional(
    text('Time between keepalives, as 30s.', { ...duration, ...rules(keepaliveTimeRule) }),
  ),
  connectTime: optional(
    text('Longest wait between two connection attempts, 1s to 65535s.', {
      ...duration,
      ...rules(connectTimeRule),
    }),
  ),
  routerID: optional(
    text('Router ID on our side, as an IPv4 address.', {
      maxLength: 64,
      ...rules({
        rule: "self == '' || self.matches('^[0-9]{1,3}([.][0-9]{1,3}){3}$')",
        message: 'write an IPv4 address, as 192.0.2.1',
      }),
    }),
  ),
  password: optional(text('Password of TCP MD5, which takes 80 bytes.', { maxLength: 80 })),
  passwordSecret: optional(secretReference),
  nodeSelectors: optional(selectors('Nodes that open a session; all when empty.')),
  bfdProfile: optional(text('BFDProfile of the session.')),
  enableGracefulRestart: optional(
    flag('Ask the peer to keep routes over a restart.', undefined, {
      ...rules({ rule: 'self == oldSelf', message: 'it cannot be changed: make another BGPPeer' }),
    }),
  ),
  ebgpMultiHop: optional(flag('The peer of an external session is more than one hop away.')),
  vrf: optional(text('VRF of the session.')),
  disableMP: optional(flag('Deprecated: IPv4 without the multiprotocol extension.', false)),
  dualStackAddressFamily: optional(flag('Carry both address families on the session.', false)),
}

export const bgpPeerSpec = object(fields, rules(...peerRules))
export type BGPPeerSpec = Shape<typeof bgpPeerSpec>

export const bgpPeerStatus = object({
  sessions: optional(
    text('Sessions that are up, of all, as 2/3; which are down says the condition Established.'),
  ),
  conditions: optional(conditions),
})
export type BGPPeerStatus = Shape<typeof bgpPeerStatus>

export interface BGPPeer extends KubeObject {
  readonly spec: BGPPeerSpec
  readonly status?: BGPPeerStatus
}
