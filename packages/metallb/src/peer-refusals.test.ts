/** Every refusal of a BGPPeer, each by its rule, and the times that a session gets. */
import { expect, test } from 'vitest'
import { buildConfig } from './build-config.ts'
import { objectsOf } from './testing.ts'
import { allStanding, bad, good, judge, type Row, written } from './testing-refusals.ts'

const peer = (spec: string) => bad('BGPPeer', spec)
const session = 'myASN: 64500, peerASN: 64501, peerAddress: 192.0.2.9'
const annotated = (annotation: string, more = '') =>
  bad('BGPPeer', `${session}${more}`, 'bad', `, annotations: {${annotation}}`)
const profile = (spec: string) => `kind: BFDProfile\nmetadata: {name: p}\nspec: {${spec}}\n---\n`
const secret = (type: string, data: string) =>
  `kind: Secret\nmetadata: {name: key}\ntype: ${type}\nstringData: {${data}}\n---\n`

const rows: readonly Row[] = [
  ['myASN is not 0', peer('myASN: 0, peerASN: 1, peerAddress: 192.0.2.9'), 'InvalidValue spec.myASN'],
  ['one of peerASN and dynamicASN', peer('myASN: 1, peerAddress: 192.0.2.9'), 'MissingField spec.peerASN'],
  [
    'not both peerASN and dynamicASN',
    peer(`${session}, dynamicASN: external`),
    'ConflictingFields spec.dynamicASN',
  ],
  ['one of peerAddress and interface', peer('myASN: 1, peerASN: 2'), 'MissingField spec.peerAddress'],
  [
    'not both peerAddress and interface',
    peer(`${session}, interface: eth0`),
    'ConflictingFields spec.interface',
  ],
  [
    'peerAddress parses',
    peer('myASN: 1, peerASN: 2, peerAddress: router'),
    'InvalidAddress spec.peerAddress',
  ],
  [
    'peerAddress is not link-local without an interface',
    peer('myASN: 1, peerASN: 2, peerAddress: "fe80::1"'),
    'NotSupported spec.peerAddress',
  ],
  [
    'peerAddress is one host',
    peer('myASN: 1, peerASN: 2, peerAddress: 224.0.0.5'),
    'NotSupported spec.peerAddress',
  ],
  [
    'sourceAddress parses',
    peer(`${session}, sourceAddress: 192.0.2.900`),
    'InvalidAddress spec.sourceAddress',
  ],
  [
    'sourceAddress as a prefix parses',
    peer(`${session}, sourceAddress: 192.0.2.0/33`),
    'InvalidAddress spec.sourceAddress',
  ],
  [
    'a prefix as sourceAddress is of the family of peerAddress',
    peer(`${session}, sourceAddress: "2001:db8::/64"`),
    'ConflictingFields spec.sourceAddress',
  ],
  [
    'interface is a name',
    peer('myASN: 1, peerASN: 2, interface: "no such/name"'),
    'InvalidValue spec.interface',
  ],
  ['vrf is a name', peer(`${session}, vrf: a-name-that-is-too-long`), 'InvalidValue spec.vrf'],
  [
    'disableMP leaves no second family',
    peer(`${session}, disableMP: true, dualStackAddressFamily: true`),
    'ConflictingFields spec.disableMP',
  ],
  [
    'disableMP leaves no IPv6',
    peer('myASN: 1, peerASN: 2, peerAddress: "2001:db8::1", disableMP: true'),
    'ConflictingFields spec.disableMP',
  ],
  [
    'ebgpMultiHop is for external sessions, also dynamic ones',
    peer('myASN: 1, dynamicASN: internal, peerAddress: 192.0.2.9, ebgpMultiHop: true'),
    'ConflictingFields spec.ebgpMultiHop',
  ],
  [
    'echoes need one hop',
    profile('echoMode: true') + peer(`${session}, bfdProfile: p, ebgpMultiHop: true`),
    'NotSupported spec.bfdProfile',
  ],
  [
    'echoes need IPv4',
    profile('echoMode: true') + peer('myASN: 1, peerASN: 2, peerAddress: "2001:db8::1", bfdProfile: p'),
    'NotSupported spec.bfdProfile',
  ],
  [
    'TTL security takes a number of hops',
    annotated('metallb.io/ttl-security: "0"'),
    'InvalidValue metadata.annotations[metallb.io/ttl-security]',
  ],
  [
    'TTL security takes the place of ebgpMultiHop',
    annotated('metallb.io/ttl-security: "2"', ', ebgpMultiHop: true'),
    'ConflictingFields metadata.annotations[metallb.io/ttl-security]',
  ],
  [
    'passive is true or false',
    annotated('metallb.io/passive: "yes"'),
    'InvalidValue metadata.annotations[metallb.io/passive]',
  ],
  [
    'passive is not in a VRF',
    annotated('metallb.io/passive: "true"', ', vrf: red'),
    'ConflictingFields metadata.annotations[metallb.io/passive]',
  ],
  [
    'sourceAddress is not link-local without an interface',
    peer('myASN: 1, peerASN: 2, peerAddress: "2001:db8::1", sourceAddress: "fe80::1"'),
    'NotSupported spec.sourceAddress',
  ],
  [
    'sourceAddress is of the family of peerAddress',
    peer(`${session}, sourceAddress: "2001:db8::1"`),
    'ConflictingFields spec.sourceAddress',
  ],
  ['holdTime is a duration', peer(`${session}, holdTime: "90"`), 'InvalidValue spec.holdTime'],
  ['holdTime is 0 or at least 3s', peer(`${session}, holdTime: 2999ms`), 'InvalidValue spec.holdTime'],
  ['holdTime has 16 bits', peer(`${session}, holdTime: 65536s`), 'InvalidValue spec.holdTime'],
  [
    'keepaliveTime is at most holdTime',
    peer(`${session}, holdTime: 9s, keepaliveTime: 9.5s`),
    'ConflictingFields spec.keepaliveTime',
  ],
  [
    'keepaliveTime is no fraction of a second',
    peer(`${session}, keepaliveTime: 500ms`),
    'NotSupported spec.keepaliveTime',
  ],
  [
    'three times keepaliveTime has 16 bits',
    peer(`${session}, keepaliveTime: 21846s`),
    'InvalidValue spec.keepaliveTime',
  ],
  ['connectTime is at least 1s', peer(`${session}, connectTime: 0s`), 'InvalidValue spec.connectTime'],
  ['connectTime is whole seconds', peer(`${session}, connectTime: 1.5s`), 'InvalidValue spec.connectTime'],
  ['routerID is an address', peer(`${session}, routerID: one`), 'InvalidAddress spec.routerID'],
  ['routerID is IPv4', peer(`${session}, routerID: "2001:db8::1"`), 'InvalidAddress spec.routerID'],
  [
    'ebgpMultiHop is for external sessions',
    peer('myASN: 1, peerASN: 1, peerAddress: 192.0.2.9, ebgpMultiHop: true'),
    'ConflictingFields spec.ebgpMultiHop',
  ],
  [
    'selectors of nodes are listed once',
    peer(`${session}, nodeSelectors: [{}, {}]`),
    'DuplicateValue spec.nodeSelectors[1]',
  ],
  [
    'password has at most 80 bytes',
    peer(`${session}, password: ${'é'.repeat(41)}`),
    'NotSupported spec.password',
  ],
  [
    'not both password and passwordSecret',
    peer(`${session}, password: x, passwordSecret: {name: key}`),
    'ConflictingFields spec.passwordSecret',
  ],
  [
    'passwordSecret exists',
    peer(`${session}, passwordSecret: {name: key}`),
    'SecretNotFound spec.passwordSecret',
  ],
  [
    'passwordSecret is of type basic-auth',
    secret('Opaque', 'password: x') + peer(`${session}, passwordSecret: {name: key}`),
    'InvalidSecret spec.passwordSecret',
  ],
  [
    'passwordSecret has a key password',
    secret('kubernetes.io/basic-auth', 'username: x') + peer(`${session}, passwordSecret: {name: key}`),
    'InvalidSecret spec.passwordSecret',
  ],
  [
    'a password in a Secret has at most 80 bytes',
    secret('kubernetes.io/basic-auth', `password: ${'x'.repeat(81)}`) +
      peer(`${session}, passwordSecret: {name: key}`),
    'InvalidSecret spec.passwordSecret',
  ],
  [
    'passwordSecret is in the namespace of the peer',
    peer(`${session}, passwordSecret: {name: key, namespace: default}`),
    'WrongNamespace spec.passwordSecret.namespace',
  ],
  ['bfdProfile exists', peer(`${session}, bfdProfile: gone`), 'UnknownBFDProfile spec.bfdProfile'],
  [
    'peers of one node differ in address, port or source',
    peer('myASN: 64999, peerASN: 64501, peerAddress: 192.0.2.1, nodeSelectors: [{matchLabels: {rack: b}}]'),
    'DuplicatePeer spec.peerAddress',
  ],
  [
    'a peer is in the namespace of the controller',
    bad('BGPPeer', session, 'bad', ', namespace: default'),
    'WrongNamespace metadata.namespace',
  ],
  [
    'a BFDProfile is in the namespace of the controller',
    bad('BFDProfile', '', 'bad', ', namespace: default'),
    'WrongNamespace metadata.namespace',
  ],
]

test.each(rows)('%s', (_, objects, ...said) => {
  expect(judge(objects)).toEqual({ said: said.toSorted(), astray: [], standing: allStanding })
})

test.each([
  ['holdTime 0', peer(`${session}, holdTime: 0s`)],
  ['another port of the same address', peer('myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, peerPort: 1179')],
  ['port 0 is 179', peer(`${session}, peerPort: 0`)],
  ['another router ID on the same node', peer(`${session}, routerID: 1.2.3.4`)],
  ['another AS number of ours on the same node', peer('myASN: 65000, peerASN: 2, peerAddress: 192.0.2.9')],
  ['a password of 80 bytes', peer(`${session}, password: ${'x'.repeat(80)}`)],
  ['a link-local address of IPv4', peer('myASN: 1, peerASN: 2, peerAddress: 169.254.1.1')],
])('accepted: %s', (_, objects) => {
  expect(buildConfig(objectsOf([...good, ...written(objects)])).refusals).toEqual([])
})

test.each([
  ['', 90, 30],
  ['holdTime: 180s', 180, 60],
  ['keepaliveTime: 5s', 15, 5],
  ['keepaliveTime: 1.5s', 4, 1],
  ['holdTime: 3999ms', 3, 1],
  ['holdTime: 0s', 0, 0],
  ['keepaliveTime: 0s', 90, 30],
  ['holdTime: 0s, keepaliveTime: 0s', 0, 0],
  ['holdTime: 30s, keepaliveTime: 0s', 30, 10],
  ['holdTime: 30s, keepaliveTime: 7s', 30, 7],
])('times of a peer with {%s}: hold %d s, keepalive %d s', (times, holdTimeSeconds, keepaliveSeconds) => {
  const { config } = buildConfig(objectsOf(written(peer(times === '' ? session : `${session}, ${times}`))))
  expect(config.peers).toMatchObject([{ holdTimeSeconds, keepaliveSeconds }])
})
