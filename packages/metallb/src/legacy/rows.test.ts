/** Reference table of the ConfigMap's keys, row by row: what is taken, and what is refused where and why. */
import { expect, test } from 'vitest'
import { formatCommunity } from '../communities.ts'
import { formatSource } from '../peer-ends.ts'
import { objectsOf } from '../testing.ts'
import { buildLegacy } from './build-legacy.ts'

const { nodes, pools } = objectsOf([
  { kind: 'Node', metadata: { name: 'n1', labels: { rack: 'a' } } },
  { kind: 'Node', metadata: { name: 'n2', labels: { rack: 'b' } } },
  { kind: 'IPAddressPool', metadata: { name: 'config' } },
])

function build(config: string) {
  const [like] = pools
  if (like === undefined) throw new Error('no object')
  return buildLegacy({ meta: like.meta, data: { config } }, nodes)
}

/** `Reason field` of each refusal. */
function refusals(config: string): readonly string[] {
  const { refusals, usable } = build(config)
  expect(usable).toBe(refusals.length === 0)
  for (const { field, message } of refusals)
    expect(message).toContain(`ConfigMap metallb-system/config: ${field}: `)
  return refusals.map(({ reason, field }) => `${reason} ${field}`)
}

const peer = (more: string) => `peers: [{my-asn: 64500, peer-asn: 64501, peer-address: 10.0.0.1, ${more}}]`
const pool = (more: string) => `address-pools: [{name: p, addresses: [10.0.0.0/24], ${more}}]`

test.each([
  ['peer-port, default 179', peer(''), { port: 179 }],
  ['peer-port 0 is 179', peer('peer-port: 0'), { port: 179 }],
  ['hold-time, default 90s', peer(''), { holdTimeSeconds: 90, keepaliveSeconds: 30 }],
  ['hold-time, truncated to whole seconds', peer('hold-time: 3.9s'), { holdTimeSeconds: 3 }],
  ['hold-time 0.5s becomes 0', peer('hold-time: 0.5s'), { holdTimeSeconds: 0 }],
  ['keepalive-time, default hold/3', peer('hold-time: 9s'), { keepaliveSeconds: 3 }],
  ['keepalive-time alone leaves the hold time', peer('keepalive-time: 10s'), { holdTimeSeconds: 90 }],
  ['password', peer('password: 0123'), { password: '0123' }],
  ['ebgp-multihop, default false', peer(''), { ebgpMultiHop: false }],
  ['ebgp-multihop', peer('ebgp-multihop: on'), { ebgpMultiHop: true }],
  ['node-selectors, default all nodes', peer(''), { nodes: new Set(['n1', 'n2']) }],
  [
    'node-selectors, list OR',
    peer('node-selectors: [{match-labels: {rack: a}}, {match-labels: {rack: b}}]'),
    { nodes: new Set(['n1', 'n2']) },
  ],
  [
    'node-selectors, labels and expressions AND',
    peer(
      'node-selectors: [{match-labels: {rack: a}, match-expressions: [{key: rack, operator: In, values: [b]}]}]',
    ),
    { nodes: new Set() },
  ],
  [
    'node-selectors, an empty entry selects all',
    'peers:\n- my-asn: 1\n  peer-asn: 2\n  peer-address: 10.0.0.1\n  node-selectors:\n  -',
    { nodes: new Set(['n1', 'n2']) },
  ],
])('%s', (_, config, expected) => {
  expect(refusals(config)).toEqual([])
  expect(build(config).config.peers[0]).toMatchObject(expected)
})

test('source-address, and its earlier spelling src-address', () => {
  for (const key of ['source-address', 'src-address']) {
    const [read] = build(peer(`${key}: 10.0.0.7`)).config.peers
    expect(formatSource(read?.sourceAddress)).toBe('10.0.0.7')
  }
})

test.each([
  ['my-asn 0', 'peers: [{my-asn: 0, peer-asn: 1, peer-address: 10.0.0.1}]', ['InvalidValue peers[0].my-asn']],
  ['my-asn missing', 'peers: [{peer-asn: 1, peer-address: 10.0.0.1}]', ['MissingField peers[0].my-asn']],
  [
    'peer-asn 0',
    'peers: [{my-asn: 1, peer-asn: 0, peer-address: 10.0.0.1}]',
    ['MissingField peers[0].peer-asn'],
  ],
  [
    'peer-asn no uint32',
    'peers: [{my-asn: 1, peer-asn: 4294967296, peer-address: 10.0.0.1}]',
    ['InvalidValue peers[0].peer-asn'],
  ],
  [
    'peer-address',
    'peers: [{my-asn: 1, peer-asn: 2, peer-address: 10.0.0.01}]',
    ['InvalidAddress peers[0].peer-address'],
  ],
  ['peer-port', peer('peer-port: 65536'), ['InvalidValue peers[0].peer-port']],
  ['hold-time 2.9s', peer('hold-time: 2.9s'), ['InvalidValue peers[0].hold-time']],
  ['hold-time without unit', peer('hold-time: 120'), ['InvalidValue peers[0].hold-time']],
  ['router-id', peer('router-id: one'), ['InvalidAddress peers[0].router-id']],
  ['source-address', peer('source-address: 10.0.0.900'), ['InvalidAddress peers[0].source-address']],
  [
    'keepalive-time above hold-time',
    peer('hold-time: 9s, keepalive-time: 10s'),
    ['ConflictingFields peers[0].keepalive-time'],
  ],
  [
    'ebgp-multihop within one AS',
    'peers: [{my-asn: 1, peer-asn: 1, peer-address: 10.0.0.1, ebgp-multihop: true}]',
    ['ConflictingFields peers[0].ebgp-multihop'],
  ],
  ['bfd-profile must exist', peer('bfd-profile: fast'), ['InvalidValue peers[0].bfd-profile']],
  [
    'the key of the shipped example, bfdProfile',
    peer('bfdProfile: fast'),
    ['UnknownField peers[0].bfdProfile'],
  ],
  [
    'node-selectors, unknown operator',
    peer('node-selectors: [{match-expressions: [{key: a, operator: Gt, values: [1]}]}]'),
    ['InvalidSelector peers[0].node-selectors[0].match-expressions[0].operator'],
  ],
  [
    'duplicate identical peers',
    'peers: [{my-asn: 1, peer-asn: 2, peer-address: 10.0.0.1}, {my-asn: 1, peer-asn: 2, peer-address: 10.0.0.1}]',
    ['DuplicatePeer peers[1].peer-address'],
  ],
  [
    'name, required',
    'address-pools: [{protocol: bgp, addresses: [10.0.0.0/24]}]',
    ['MissingField address-pools[0].name'],
  ],
  [
    'name, unique',
    'address-pools: [{name: p, protocol: bgp, addresses: [10.0.0.0/24]}, {name: p, protocol: bgp, addresses: [10.0.1.0/24]}]',
    ['DuplicateValue address-pools[1].name'],
  ],
  ['protocol, required', pool(''), ['MissingField address-pools[0].protocol']],
  ['protocol', pool('protocol: rip'), ['InvalidValue address-pools[0].protocol']],
  [
    'addresses, at least one',
    'address-pools: [{name: p, protocol: bgp}]',
    ['MissingField address-pools[0].addresses'],
  ],
  [
    'addresses, no address',
    'address-pools: [{name: p, protocol: bgp, addresses: [a.b.c.d/X]}]',
    ['InvalidAddress address-pools[0].addresses[0]'],
  ],
  [
    'addresses, a bare address',
    'address-pools: [{name: p, protocol: bgp, addresses: [10.0.0.1]}]',
    ['InvalidAddress address-pools[0].addresses[0]'],
  ],
  [
    'addresses, start after end',
    'address-pools: [{name: p, protocol: bgp, addresses: [10.0.0.2-10.0.0.1]}]',
    ['InvalidAddress address-pools[0].addresses[0]'],
  ],
  [
    'overlap inside a pool',
    'address-pools: [{name: p, protocol: bgp, addresses: [10.0.0.0/24, 10.0.0.9/32]}]',
    ['OverlappingPool address-pools[0].addresses[1]'],
  ],
  [
    'overlap of pools',
    'address-pools: [{name: a, protocol: bgp, addresses: [10.0.0.0/24]}, {name: b, protocol: bgp, addresses: [10.0.0.9/32]}]',
    ['OverlappingPool address-pools[1].addresses[0]'],
  ],
  [
    'avoid-buggy-ips',
    pool('protocol: bgp, avoid-buggy-ips: 7'),
    ['InvalidValue address-pools[0].avoid-buggy-ips'],
  ],
  ['auto-assign', pool('protocol: bgp, auto-assign: maybe'), ['InvalidValue address-pools[0].auto-assign']],
  [
    'bgp-advertisements on a layer2 pool',
    pool('protocol: layer2, bgp-advertisements: [{localpref: 1}]'),
    ['ConflictingFields address-pools[0].bgp-advertisements'],
  ],
  [
    'bgp-advertisements, identical',
    pool('protocol: bgp, bgp-advertisements: [{localpref: 1}, {localpref: 1}]'),
    ['DuplicateValue address-pools[0].bgp-advertisements[1]'],
  ],
  [
    'aggregation-length above 32',
    pool('protocol: bgp, bgp-advertisements: [{aggregation-length: 33}]'),
    ['InvalidValue address-pools[0].bgp-advertisements[0].aggregation-length'],
  ],
  [
    'aggregation-length shorter than the pool',
    pool('protocol: bgp, bgp-advertisements: [{aggregation-length: 23}]'),
    ['AggregationTooShort address-pools[0].bgp-advertisements[0].aggregation-length'],
  ],
  [
    'aggregation-length-v6',
    'address-pools: [{name: p, protocol: bgp, addresses: ["2001:db8::/64"], bgp-advertisements: [{aggregation-length-v6: 63}]}]',
    ['AggregationTooShort address-pools[0].bgp-advertisements[0].aggregation-length-v6'],
  ],
  [
    'localpref',
    pool('protocol: bgp, bgp-advertisements: [{localpref: 4294967296}]'),
    ['InvalidValue address-pools[0].bgp-advertisements[0].localpref'],
  ],
  [
    'communities',
    pool('protocol: bgp, bgp-advertisements: [{communities: [nobody]}]'),
    ['UnknownCommunity address-pools[0].bgp-advertisements[0].communities[0]'],
  ],
  [
    'communities, duplicate',
    pool('protocol: bgp, bgp-advertisements: [{communities: ["1:2", "1:2"]}]'),
    ['DuplicateValue address-pools[0].bgp-advertisements[0].communities[1]'],
  ],
  ['bgp-communities', 'bgp-communities: {good: "1:2", bad: "1:70000"}', ['InvalidValue bgp-communities.bad']],
  ['bfd-profiles, name required', 'bfd-profiles: [{echo-mode: true}]', ['MissingField bfd-profiles[0].name']],
  [
    'bfd-profiles, name unique',
    'bfd-profiles: [{name: a}, {name: a}]',
    ['DuplicateValue bfd-profiles[1].name'],
  ],
  [
    'bfd-profiles, ranges',
    'bfd-profiles: [{name: a, receive-interval: 9, transmit-interval: 60001, detect-multiplier: 1, echo-interval: 9, minimum-ttl: 255}]',
    ['receive-interval', 'transmit-interval', 'detect-multiplier', 'echo-interval', 'minimum-ttl'].map(
      (key) => `InvalidValue bfd-profiles[0].${key}`,
    ),
  ],
  [
    'unknown keys from v0.5 on',
    `${pool('protocol: bgp, colour: red')}\npeer: []`,
    ['UnknownField address-pools[0].colour', 'UnknownField peer'],
  ],
  [
    'peer-autodiscovery without a place to look',
    'peer-autodiscovery: {defaults: {my-asn: 1}}',
    ['MissingField peer-autodiscovery.from-labels'],
  ],
  [
    'peer-autodiscovery, unknown parameter',
    'peer-autodiscovery: {from-labels: [{asn: x}]}',
    ['UnknownField peer-autodiscovery.from-labels[0].asn'],
  ],
  ['a list that is none', 'address-pools: {}', ['InvalidValue address-pools']],
  ['a mapping that is none', '- a', ['InvalidValue config']],
  ['a key twice', 'peers: []\npeers: []', ['InvalidYAML config line 2']],
  ['no YAML', 'peers: [', ['InvalidYAML config line 1']],
])('refused: %s', (_, config, expected) => {
  expect(refusals(config)).toEqual(expected)
})

test.each([
  ['unknown keys are ignored up to v0.4', 'protocol: arp, cidr: [10.0.0.0/24], colour: red', []],
  ['an unknown protocol', 'protocol: rip, cidr: [10.0.0.0/24]', ['InvalidValue address-pools[0].protocol']],
  [
    'cidr takes no range',
    'protocol: arp, cidr: [10.0.0.1-10.0.0.2]',
    ['InvalidAddress address-pools[0].cidr[0]'],
  ],
  ['arp is for IPv4', 'protocol: arp, cidr: ["2001:db8::/64"]', ['InvalidAddress address-pools[0].cidr[0]']],
  ['ndp is for IPv6', 'protocol: ndp, cidr: [10.0.0.0/24]', ['InvalidAddress address-pools[0].cidr[0]']],
  ['ndp', 'protocol: ndp, cidr: ["2001:db8::/64"]', []],
  [
    'cidr outside of arp-network',
    'protocol: arp, arp-network: 172.30.0.0/23, cidr: [172.40.1.96/27]',
    ['InvalidAddress address-pools[0].cidr[0]'],
  ],
  [
    'cidr outside of the /24 of the first',
    'protocol: arp, cidr: [10.0.0.0/25, 10.0.1.0/25]',
    ['InvalidAddress address-pools[0].cidr[1]'],
  ],
  [
    'arp-network',
    'protocol: arp, arp-network: here, cidr: [10.0.0.0/24]',
    ['InvalidAddress address-pools[0].arp-network'],
  ],
  [
    'duplicates by the newest rule',
    'protocol: bgp, cidr: [10.0.0.0/24], bgp-advertisements: [{}, {}]',
    ['DuplicateValue address-pools[0].bgp-advertisements[1]'],
  ],
])('v0.4 and older: %s', (_, config, expected) => {
  expect(refusals(`address-pools: [{name: p, ${config}}]`)).toEqual(expected)
})

test('an address outside of its arp-network is refused with both named', () => {
  const { refusals } = build(
    'address-pools: [{name: p, protocol: arp, arp-network: 172.30.0.0/23, cidr: [172.40.1.96/27]}]',
  )
  expect(refusals[0]?.message).toContain('172.40.1.96/27 is not inside the arp-network 172.30.0.0/23')
})

test.each([
  ['one default entry for bgp pools', pool('protocol: bgp'), [[32, 128, 0, '']]],
  [
    'two lengths with different preferences',
    pool(
      'protocol: bgp, bgp-advertisements: [{localpref: 100, communities: [a]}, {aggregation-length: 24}]',
    ) + '\nbgp-communities: {a: "1:2"}',
    [
      [32, 128, 100, '1:2'],
      [24, 128, 0, ''],
    ],
  ],
  ['none for layer2 pools', pool('protocol: layer2'), []],
])('bgp-advertisements: %s', (_, config, expected) => {
  expect(refusals(config)).toEqual([])
  const [read] = build(config).config.pools
  const told = read?.bgp.map((one) => [
    one.aggregationLength,
    one.aggregationLengthV6,
    one.localPref,
    one.communities.map(formatCommunity).join(),
  ])
  expect(told).toEqual(expected)
})

const two = (more: string) => `peers: [{${session}}, {${session}, ${more}}]`
const session = 'my-asn: 1, peer-asn: 2, peer-address: 10.0.0.1'
const preferences = pool('protocol: bgp, bgp-advertisements: [{localpref: 100}, {localpref: 200}]')

test.each([
  ['hold-time of one peer', two('hold-time: 9s'), 'DuplicatePeer peers[1].peer-address', [90]],
  [
    'my-asn of one peer',
    `peers: [{${session}}, {my-asn: 3, peer-asn: 2, peer-address: 10.0.0.1, hold-time: 9s}]`,
    'DuplicatePeer peers[1].peer-address',
    [90],
  ],
  ['two ports of one peer', two('peer-port: 1179, hold-time: 9s'), '', [90, 9]],
  [
    'two preferences for one length',
    preferences,
    'ConflictingAdvertisement address-pools[0].bgp-advertisements[1].localpref',
    [100],
  ],
])('taken, but for what one engine cannot say twice: %s', (_, config, expected, left) => {
  const { refusals, usable, config: read } = build(config)
  expect([usable, refusals.map(({ reason, field }) => `${reason} ${field}`).join()]).toEqual([true, expected])
  const preferred = read.pools.flatMap(({ bgp }) => bgp.map(({ localPref }) => localPref))
  expect([...read.peers.map(({ holdTimeSeconds }) => holdTimeSeconds), ...preferred]).toEqual(left)
})
