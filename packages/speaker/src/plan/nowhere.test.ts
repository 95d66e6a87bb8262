/** Why no node announces a Service, the same on every node. */
import { expect, test } from 'vitest'
import { Planner } from './planner.ts'
import { type Written, worldOf } from './testing.ts'

const excluded = { 'node.kubernetes.io/exclude-from-external-load-balancers': '' }
const node = (name: string, labels: Record<string, string> = {}, spec: object = {}): Written => ({
  kind: 'Node',
  metadata: { name, labels },
  spec,
})
const endpoint = (nodeName: string, ready = true): Written => ({
  kind: 'EndpointSlice',
  metadata: { name: `web-${nodeName}` },
  spec: { serviceName: 'web', endpoints: [{ ready, serving: ready, terminating: false, nodeName }] },
})
const pool = (spec: object = {}): Written => ({
  kind: 'IPAddressPool',
  metadata: { name: 'pool' },
  spec: { addresses: ['192.0.2.0/24'], ...spec },
})
const service = (spec: object = {}): Written => ({
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { ingress: [{ ip: '192.0.2.1' }], ...spec },
})
const l2 = (spec: object = {}): Written => ({ kind: 'L2Advertisement', metadata: { name: 'l2' }, spec })
const bgp = (spec: object = {}, name = 'bgp'): Written => ({
  kind: 'BGPAdvertisement',
  metadata: { name },
  spec,
})
const peer = (spec: object = {}): Written => ({
  kind: 'BGPPeer',
  metadata: { name: 'tor' },
  spec: { myASN: 1, peerASN: 1, peerAddress: '198.51.100.1', ...spec },
})
const nodes = [node('n1'), node('n2')]
const good = [...nodes, endpoint('n1'), pool(), service()]
const east = [{ matchLabels: { side: 'east' } }]
const web = [{ matchLabels: { app: 'other' } }]

const cases: readonly (readonly [string, readonly Written[], string, string])[] = [
  ['some node may', [...good, l2(), bgp(), peer()], '', ''],
  ['no address yet', [...nodes, endpoint('n1'), pool(), service({ ingress: [] }), l2()], '', ''],
  ['another type', [...nodes, pool(), service({ type: 'ClusterIP' }), l2()], '', ''],
  ['an address of no pool', [...nodes, endpoint('n1'), service(), l2()], 'ipNotAllowed', ''],
  ['neither protocol', good, 'noMatchingAdvertisement', ''],
  ['BGP is all there is', [...good, bgp(), peer()], '', ''],
  ['selects other Services', [...good, l2({ serviceSelectors: web })], 'noMatchingAdvertisement', ''],
  ['nodes that do not exist', [...good, l2({ nodeSelectors: east })], 'notOwner', ''],
  [
    'every network unavailable',
    [node('n1', {}, { networkUnavailable: true }), ...good.slice(2), l2()],
    'nodeNetworkUnavailable',
    '',
  ],
  [
    'one away, the other excluded',
    [
      node('n1', {}, { networkUnavailable: true }),
      node('n2', excluded),
      ...good.slice(2),
      l2(),
      bgp(),
      peer(),
    ],
    'nodeLabeledExcludeBalancers',
    'nodeLabeledExcludeBalancers',
  ],
  [
    'every one out of service, or excluded',
    [node('n1', {}, { outOfService: true }), node('n2', excluded), ...good.slice(2), l2(), bgp(), peer()],
    'nodeOutOfService',
    'nodeOutOfService',
  ],
  [
    'every one cordoned: then they serve on',
    [
      ...['n1', 'n2'].map((name) => node(name, {}, { unschedulable: true })),
      ...good.slice(2),
      l2(),
      bgp(),
      peer(),
    ],
    '',
    '',
  ],
  ['no endpoint', [...nodes, pool(), service(), l2(), bgp(), peer()], 'noEndpoints', 'noEndpoints'],
  [
    'endpoints on a node that is excluded',
    [
      node('n1', excluded),
      node('n2'),
      endpoint('n1'),
      pool(),
      service({ externalTrafficPolicy: 'Local' }),
      l2(),
      bgp(),
      peer(),
    ],
    'noLocalEndpoints',
    'noLocalEndpoints',
  ],
  ['no peer', [...good, l2(), bgp()], '', 'notOwner'],
  ['a peer of no node', [...good, l2(), bgp(), peer({ nodeSelectors: east })], '', 'notOwner'],
  [
    'two preferences',
    [...good, bgp({ localPref: 1 }, 'a'), bgp({ localPref: 2, serviceSelectors: [{}] }, 'b'), peer()],
    '',
    'conflictingAdvertisements',
  ],
]

test.each(cases)('%s', (_, objects, layer2, byBgp) => {
  for (const name of ['n1', 'n2']) {
    const { nowhere } = new Planner().plan(worldOf(name, objects)).services.get('default/web') ?? {}
    expect([nowhere?.layer2?.reason ?? '', nowhere?.bgp?.reason ?? '']).toEqual([layer2, byBgp])
  }
})

test('the message names the nodes, as many as one can read', () => {
  const many = Array.from({ length: 9 }, (_, i) => node(`n${i}`, excluded))
  const plan = new Planner().plan(worldOf('n1', [...many, endpoint('n1'), pool(), service(), l2()]))
  expect(plan.services.get('default/web')?.nowhere.layer2?.message).toBe(
    'excluded from load balancers by label: 9 nodes (n0, n1, n2, n3 …)',
  )
})
