/** Messages that a peer may send, as bytes: what a fuzzer starts from. */
import { parseIP, parsePrefix } from '@landfall/netip'
import {
  type Attribute,
  bgpError,
  encodeMessage,
  type Message,
  maxExtendedLength,
  type OpenMessage,
  type SessionContext,
  shutdownText,
  unicastOf,
} from '../codec/index.ts'

export const peerASN = 65530
/** Of the peer: greater than ours, so that its connection wins a collision. */
export const peerRouterID = 0x0a4d0002

const context: SessionContext = { fourOctetAS: true, internal: false, messageLimit: maxExtendedLength }

export const open: OpenMessage = {
  kind: 'open',
  asField: peerASN,
  holdSeconds: 90,
  routerID: peerRouterID,
  capabilities: [
    { kind: 'multiprotocol', family: unicastOf(4) },
    { kind: 'multiprotocol', family: unicastOf(6) },
    { kind: 'routeRefresh' },
    { kind: 'extendedMessage' },
    { kind: 'extendedNextHop', families: [{ ...unicastOf(4), nextHopAfi: 2 }] },
    {
      kind: 'gracefulRestart',
      restarting: false,
      notification: true,
      seconds: 120,
      families: [{ ...unicastOf(4), forwarding: true }],
    },
    { kind: 'fourOctetAS', asn: peerASN },
    { kind: 'enhancedRouteRefresh' },
    { kind: 'other', code: 73, data: Uint8Array.of(4, 1, 2, 3, 4) },
  ],
}

const ip = (text: string) => parseIP(text) ?? unreadable(text)
const prefix = (text: string) => parsePrefix(text) ?? unreadable(text)

const path: readonly Attribute[] = [
  { kind: 'origin', origin: 'igp' },
  { kind: 'asPath', segments: [{ kind: 'sequence', asns: [peerASN, 65000] }] },
  { kind: 'nextHop', address: ip('10.77.0.1') },
]
const many: readonly Attribute[] = [
  ...path,
  { kind: 'med', value: 7 },
  { kind: 'localPref', value: 100 },
  { kind: 'atomicAggregate' },
  { kind: 'communities', values: [0xffff0000, 0xfde80064] },
  { kind: 'largeCommunities', values: [{ global: 65000, local1: 1, local2: 2 }] },
]
const update = (
  attributes: readonly Attribute[],
  announced: readonly string[],
  withdrawn: readonly string[] = [],
): Message => ({
  kind: 'update',
  attributes,
  announced: announced.map(prefix),
  withdrawn: withdrawn.map(prefix),
})

const messages: readonly Message[] = [
  open,
  { ...open, capabilities: [], asField: 23456, holdSeconds: 0 },
  { kind: 'keepalive' },
  update(path, ['192.0.2.0/24', '198.51.100.7/32']),
  update(many, ['203.0.113.0/25'], ['192.0.2.0/24', '0.0.0.0/0']),
  update([], [], ['198.51.100.7/32']),
  update(
    [
      ...path.slice(0, 2),
      {
        kind: 'mpReach',
        family: 6,
        nextHop: { address: ip('2001:db8::1'), linkLocal: ip('fe80::1') },
        prefixes: [prefix('2001:db8:1::/48')],
      },
    ],
    [],
  ),
  update([{ kind: 'mpUnreach', family: 6, prefixes: [prefix('2001:db8:1::/48')] }], []),
  { kind: 'routeRefresh', family: unicastOf(4), subtype: 0 },
  { kind: 'notification', error: bgpError(6, 2, shutdownText('maintenance')) },
  { kind: 'notification', error: bgpError(2, 2, Uint8Array.of(1, 2)) },
]

export const corpus: readonly Uint8Array[] = messages.map((message) => encodeMessage(message, context))

function unreadable(text: string): never {
  throw new RangeError(`neither address nor prefix: ${text}`)
}
