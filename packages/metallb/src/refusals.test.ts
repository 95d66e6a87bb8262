/**
 * Every refusal that MetalLB's configuration parser and webhooks make, and ours that go further: the objects that
 * break one rule, and what is said of them. A good pool, advertisement and peer stand beside each, and must stay.
 * Peers have a file of their own.
 */
import { formatIP } from '@landfall/netip'
import { describe, expect, test } from 'vitest'
import { buildConfig } from './build-config.ts'
import { objectsOf, type Written } from './testing.ts'
import { allStanding, bad, good, judge, type Row, written } from './testing-refusals.ts'
import { findWarnings } from './warnings.ts'

const pool = (spec: string) => bad('IPAddressPool', spec)
const l2 = (spec: string) => bad('L2Advertisement', spec)
const bgp = (spec: string) => bad('BGPAdvertisement', `ipAddressPools: [good], ${spec}`)
const many = (count: number) => Array.from({ length: count }, (_, index) => `"64500:${index}"`).join(', ')
const pools: readonly Row[] = [
  ['a pool has at least one address', pool('addresses: []'), 'MissingField spec.addresses'],
  ['an address parses', pool('addresses: [10.300.0.0/24]'), 'InvalidAddress spec.addresses[0]'],
  ['an address has no leading zeros', pool('addresses: [10.1.0.01/32]'), 'InvalidAddress spec.addresses[0]'],
  ['a bare address is none', pool('addresses: [10.1.0.1]'), 'InvalidAddress spec.addresses[0]'],
  [
    'no address is IPv4-mapped',
    pool('addresses: ["2001:db8:1::/64", "::ffff:10.1.0.0/120", "::fffe:ffff:ffff-::ffff:10.0.0.0"]'),
    'InvalidAddress spec.addresses[1]',
    'InvalidAddress spec.addresses[2]',
  ],
  [
    'a range starts before it ends',
    pool('addresses: [10.1.0.9-10.1.0.1]'),
    'InvalidAddress spec.addresses[0]',
  ],
  [
    'a range is of one family',
    pool('addresses: ["10.1.0.1-2001:db8:1::"]'),
    'InvalidAddress spec.addresses[0]',
  ],
  [
    'addresses of a pool do not overlap',
    pool('addresses: [10.1.0.0/24, 10.1.0.9-10.1.0.10]'),
    'OverlappingPool spec.addresses[1]',
  ],
  ['pools do not overlap', pool('addresses: [10.0.0.128/32]'), 'OverlappingPool spec.addresses[0]'],
  [
    'namespaces are listed once',
    pool('addresses: [10.1.0.0/24], serviceAllocation: {namespaces: [a, b, a]}'),
    'DuplicateValue spec.serviceAllocation.namespaces[2]',
  ],
  [
    'selectors of namespaces are listed once',
    pool('addresses: [10.1.0.0/24], serviceAllocation: {namespaceSelectors: [{}, {}]}'),
    'DuplicateValue spec.serviceAllocation.namespaceSelectors[1]',
  ],
  [
    'selectors of Services are listed once',
    pool(
      'addresses: [10.1.0.0/24], serviceAllocation: {serviceSelectors: [{matchLabels: {a: b}}, {matchLabels: {a: b}}]}',
    ),
    'DuplicateValue spec.serviceAllocation.serviceSelectors[1]',
  ],
  [
    'a pool is in the namespace of the controller',
    bad('IPAddressPool', 'addresses: [10.1.0.0/24]', 'bad', ', namespace: default'),
    'WrongNamespace metadata.namespace',
  ],
]

const inSelector = (selector: string) => l2(`nodeSelectors: [${selector}]`)

const selectors: readonly Row[] = [
  [
    'expressions of a selector are listed once',
    inSelector('{matchExpressions: [{key: a, operator: Exists}, {key: a, operator: Exists}]}'),
    'DuplicateValue spec.nodeSelectors[0].matchExpressions[1]',
  ],
  [
    'values of an expression are listed once',
    inSelector('{matchExpressions: [{key: a, operator: In, values: [x, y, x]}]}'),
    'DuplicateValue spec.nodeSelectors[0].matchExpressions[0].values',
  ],
  [
    'selectors are the same whatever the order of values',
    inSelector(
      '{matchExpressions: [{key: a, operator: In, values: [x, y]}]}, {matchExpressions: [{key: a, operator: In, values: [y, x]}]}',
    ),
    'DuplicateValue spec.nodeSelectors[1]',
  ],
  [
    'In needs values',
    inSelector('{matchExpressions: [{key: a, operator: In}]}'),
    'InvalidSelector spec.nodeSelectors[0].matchExpressions[0].values',
  ],
  [
    'Exists takes no values',
    inSelector('{matchExpressions: [{key: a, operator: Exists, values: [x]}]}'),
    'InvalidSelector spec.nodeSelectors[0].matchExpressions[0].values',
  ],
  [
    'the operator is known',
    inSelector('{matchExpressions: [{key: a, operator: Like, values: [x]}]}'),
    'InvalidSelector spec.nodeSelectors[0].matchExpressions[0].operator',
  ],
  [
    'a key is a label',
    inSelector('{matchExpressions: [{key: "a b", operator: Exists}]}'),
    'InvalidSelector spec.nodeSelectors[0].matchExpressions[0].key',
  ],
  [
    'a value is a label value',
    inSelector('{matchLabels: {a: "x y"}}'),
    'InvalidSelector spec.nodeSelectors[0].matchLabels',
  ],
]

const advertisements: readonly Row[] = [
  ['L2: pools are listed once', l2('ipAddressPools: [good, good]'), 'DuplicateValue spec.ipAddressPools[1]'],
  [
    'L2: selectors of pools are listed once',
    l2('ipAddressPoolSelectors: [{}, {}]'),
    'DuplicateValue spec.ipAddressPoolSelectors[1]',
  ],
  [
    'L2: selectors of nodes are listed once',
    l2('nodeSelectors: [{}, {}]'),
    'DuplicateValue spec.nodeSelectors[1]',
  ],
  [
    'L2: selectors of Services are listed once',
    l2('serviceSelectors: [{}, {}]'),
    'DuplicateValue spec.serviceSelectors[1]',
  ],
  [
    'L2: weights of preferred nodes are between 1 and 100',
    l2('preferredNodeSelectors: [{weight: 101, preference: {}}]'),
    'InvalidValue spec.preferredNodeSelectors[0].weight',
  ],
  [
    'L2: an advertisement is in the namespace of the controller',
    bad('L2Advertisement', '', 'bad', ', namespace: default'),
    'WrongNamespace metadata.namespace',
  ],
  [
    'BGP: pools are listed once',
    bad('BGPAdvertisement', 'ipAddressPools: [good, good]'),
    'DuplicateValue spec.ipAddressPools[1]',
  ],
  [
    'BGP: weights by endpoints are wanted or not',
    bad('BGPAdvertisement', '', 'bad', ', annotations: {metallb.io/weight-by-endpoints: "yes"}'),
    'InvalidValue metadata.annotations[metallb.io/weight-by-endpoints]',
  ],
  [
    'BGP: an aggregate has no weight',
    bad(
      'BGPAdvertisement',
      'aggregationLength: 24',
      'bad',
      ', annotations: {metallb.io/weight-by-endpoints: "true"}',
    ),
    'ConflictingFields metadata.annotations[metallb.io/weight-by-endpoints]',
  ],
  ['BGP: peers are listed once', bgp('peers: [good, good]'), 'DuplicateValue spec.peers[1]'],
  [
    'BGP: communities are listed once',
    bgp('communities: ["1:1", "1:1"]'),
    'DuplicateValue spec.communities[1]',
  ],
  [
    'BGP: selectors of pools are listed once',
    bad('BGPAdvertisement', 'ipAddressPoolSelectors: [{}, {}]'),
    'DuplicateValue spec.ipAddressPoolSelectors[1]',
  ],
  [
    'BGP: selectors of nodes are listed once',
    bgp('nodeSelectors: [{}, {}]'),
    'DuplicateValue spec.nodeSelectors[1]',
  ],
  [
    'BGP: selectors of Services are listed once',
    bgp('serviceSelectors: [{}, {}]'),
    'DuplicateValue spec.serviceSelectors[1]',
  ],
  ['BGP: an aggregate is at most /32', bgp('aggregationLength: 33'), 'InvalidValue spec.aggregationLength'],
  [
    'BGP: an aggregate of IPv6 is at most /128',
    bgp('aggregationLengthV6: 129'),
    'InvalidValue spec.aggregationLengthV6',
  ],
  [
    'BGP: an aggregate lies in the pool',
    bgp('aggregationLength: 23'),
    'AggregationTooShort spec.aggregationLength',
  ],
  [
    'BGP: an aggregate of IPv6 lies in the pool',
    bgp('aggregationLengthV6: 63'),
    'AggregationTooShort spec.aggregationLengthV6',
  ],
  [
    'BGP: with serviceSelectors nothing is aggregated',
    bgp('aggregationLength: 24, serviceSelectors: [{matchLabels: {a: b}}]'),
    'ConflictingFields spec.serviceSelectors',
  ],
  ['BGP: one localPref for one route', bgp('localPref: 5'), 'ConflictingAdvertisement spec.localPref'],
  ['BGP: a community parses', bgp('communities: ["1:65536"]'), 'UnknownCommunity spec.communities[0]'],
  [
    'BGP: a large community parses',
    bgp('communities: ["large:1:2"]'),
    'UnknownCommunity spec.communities[0]',
  ],
  ['BGP: an alias is known', bgp('communities: [known, unknown]'), 'UnknownCommunity spec.communities[1]'],
  ['BGP: at most 63 communities', bgp(`communities: [${many(64)}]`), 'InvalidValue spec.communities'],
  [
    'BGP: an advertisement is in the namespace of the controller',
    bad('BGPAdvertisement', '', 'bad', ', namespace: default'),
    'WrongNamespace metadata.namespace',
  ],
]

const communities: readonly Row[] = [
  [
    'a value parses',
    bad('Community', 'communities: [{name: a, value: "1"}]'),
    'InvalidValue spec.communities[0].value',
  ],
  [
    'a value has parts of 16 bits',
    bad('Community', 'communities: [{name: a, value: "65536:1"}]'),
    'InvalidValue spec.communities[0].value',
  ],
  [
    'a large value has parts of 32 bits',
    bad('Community', 'communities: [{name: a, value: "large:4294967296:0:0"}]'),
    'InvalidValue spec.communities[0].value',
  ],
  [
    'an alias has a name',
    bad('Community', 'communities: [{value: "1:1"}]'),
    'MissingField spec.communities[0].name',
  ],
  [
    'an alias is defined once in one object',
    bad('Community', 'communities: [{name: a, value: "1:1"}, {name: a, value: "1:1"}]'),
    'DuplicateCommunity spec.communities[1].name',
  ],
  [
    'an alias is defined once in all objects',
    bad('Community', 'communities: [{name: known, value: "1:1"}]'),
    'DuplicateCommunity spec.communities[0].name',
  ],
  [
    'a Community is in the namespace of the controller',
    bad('Community', '', 'bad', ', namespace: default'),
    'WrongNamespace metadata.namespace',
  ],
]

describe.each([
  ['pools', pools],
  ['selectors', selectors],
  ['advertisements', advertisements],
  ['communities', communities],
])('%s', (_, rows) => {
  test.each(rows)('%s', (_rule, objects, ...said) => {
    expect(judge(objects)).toEqual({ said: said.toSorted(), astray: [], standing: allStanding })
  })
})

const accepted: readonly (readonly [rule: string, objects: string])[] = [
  ['host bits of a CIDR are ignored', pool('addresses: [10.1.0.77/24]')],
  ['spaces may stand around the dash', pool('addresses: [10.1.0.1 - 10.1.0.2]')],
  ['serviceAllocation may be empty', pool('addresses: [10.1.0.0/24], serviceAllocation: {}')],
  ['an interface may be listed twice', l2('interfaces: [eth0, eth0]')],
  ['a selector may be empty', l2('nodeSelectors: [{}]')],
  ['an alias and its value may stand together', bgp('communities: [known, "64500:1"]')],
  ['63 communities', bgp(`communities: [${many(63)}]`)],
  [
    'another localPref for another length',
    bgp('localPref: 5, aggregationLength: 24, aggregationLengthV6: 64'),
  ],
  [
    'another localPref for other peers',
    `${bad('BGPAdvertisement', 'aggregationLength: 24, aggregationLengthV6: 64, peers: [one]', 'one')}---
${bad('BGPAdvertisement', 'aggregationLength: 24, aggregationLengthV6: 64, peers: [two], localPref: 5', 'two')}`,
  ],
  ['a large community', bgp('communities: ["large:4294967295:0:1"]')],
]

test.each(accepted)('accepted: %s', (_, objects) => {
  expect(buildConfig(objectsOf([...good, ...written(objects)])).refusals).toEqual([])
})

test('which object is refused depends on the objects alone: the older of two wins, then the first by name', () => {
  const older = 'creationTimestamp: "2026-01-01T00:00:00Z"'
  const younger = 'creationTimestamp: "2026-01-02T00:00:00Z"'
  const two = (a: string, b: string) =>
    written(`kind: IPAddressPool
metadata: {name: a, ${a}}
spec: {addresses: [10.0.0.0/24]}
---
kind: IPAddressPool
metadata: {name: b, ${b}}
spec: {addresses: [10.0.0.0/25]}`)
  const refused = (all: readonly Written[]) => buildConfig(objectsOf(all)).refusals.map(({ name }) => name)
  expect(refused(two(older, younger))).toEqual(['b'])
  expect(refused(two(younger, older))).toEqual(['a'])
  expect(refused(two(older, older).toReversed())).toEqual(['b'])
})

test('a refused pool gives way: what overlaps only with it is good', () => {
  const { config, refusals } = buildConfig(
    objectsOf(
      written(`kind: IPAddressPool
metadata: {name: broken, creationTimestamp: "2026-01-01T00:00:00Z"}
spec: {addresses: [10.0.0.0/24, nonsense]}
---
kind: IPAddressPool
metadata: {name: whole, creationTimestamp: "2026-01-02T00:00:00Z"}
spec: {addresses: [10.0.0.0/25]}`),
    ),
  )
  expect(refusals.map(({ name }) => name)).toEqual(['broken'])
  expect(config.pools.map(({ name, refused }) => [name, refused])).toEqual([
    ['broken', true],
    ['whole', false],
  ])
})

test('names of nothing are warned of, and what else the advertisement names stays', () => {
  const objects = objectsOf([
    ...good,
    ...written(`${l2('ipAddressPools: [god, good]')}---
${bad('BGPAdvertisement', 'ipAddressPools: [good], peers: [tor-a, good]')}---
${bad('L2Advertisement', 'ipAddressPools: [nothing]', 'elsewhere', ', namespace: default')}`),
  ])
  expect(findWarnings(objects).map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
    'UnknownPeer: BGPAdvertisement metallb-system/bad: spec.peers[0]: there is no BGPPeer "tor-a"',
    'UnknownPool: L2Advertisement metallb-system/bad: spec.ipAddressPools[0]: there is no IPAddressPool "god"',
  ])
  const { config, refusals } = buildConfig(objects)
  expect(refusals.map(({ name, reason }) => [name, reason])).toEqual([['elsewhere', 'WrongNamespace']])
  expect(config.pools[0]).toMatchObject({ l2: [{ name: 'bad' }, { name: 'good' }], bgp: [{}, {}] })
  expect(config.peers.map(({ address }) => address && formatIP(address))).toEqual(['192.0.2.1'])
})
