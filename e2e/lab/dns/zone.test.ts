import { expect, test } from 'vitest'
import { CODE, TYPE } from './message.ts'
import { answer, type DnsEndpointSlice, type DnsService, type World } from './zone.ts'

const services: readonly DnsService[] = [
  {
    metadata: { namespace: 'web', name: 'echo' },
    spec: { clusterIPs: ['10.96.0.7', 'fd00:10:96::7'], ports: [{ name: 'http', port: 80 }] },
  },
  { metadata: { namespace: 'web', name: 'four' }, spec: { clusterIPs: ['10.96.0.8'] } },
  {
    metadata: { namespace: 'web', name: 'peers' },
    spec: { clusterIPs: ['None'], ports: [{ name: 'gossip', port: 7946, protocol: 'UDP' }] },
  },
  {
    metadata: { namespace: 'web', name: 'out' },
    spec: { type: 'ExternalName', externalName: 'example.test' },
  },
]
const slices: readonly DnsEndpointSlice[] = [
  {
    metadata: { namespace: 'web', labels: { 'kubernetes.io/service-name': 'peers' } },
    endpoints: [
      { addresses: ['10.244.1.2'], hostname: 'p-0', conditions: { ready: true } },
      { addresses: ['10.244.2.9'], conditions: {} },
      { addresses: ['10.244.3.3'], conditions: { ready: false } },
    ],
    ports: [{ name: 'gossip', port: 7946, protocol: 'UDP' }],
  },
]
const world: World = {
  service: (namespace, name) =>
    services.find((s) => s.metadata.namespace === namespace && s.metadata.name === name),
  slices: (_, service) => slices.filter((s) => s.metadata.labels?.['kubernetes.io/service-name'] === service),
}

function ask(name: string, type: keyof typeof TYPE) {
  const { code, answers } = answer({ name, type: TYPE[type], opcode: 0 }, world)
  return code === CODE.ok ? answers.map((r) => ('address' in r ? r.address : r.target)) : code
}

test.each([
  ['echo.web.svc.cluster.local', 'A', ['10.96.0.7']],
  ['echo.web.svc.cluster.local', 'AAAA', ['fd00:10:96::7']],
  ['echo.web.svc.cluster.local', 'ANY', ['10.96.0.7', 'fd00:10:96::7']],
  ['four.web.svc.cluster.local', 'AAAA', []],
  ['peers.web.svc.cluster.local', 'A', ['10.244.1.2', '10.244.2.9']],
  ['p-0.peers.web.svc.cluster.local', 'A', ['10.244.1.2']],
  ['10-244-2-9.peers.web.svc.cluster.local', 'A', ['10.244.2.9']],
  ['_http._tcp.echo.web.svc.cluster.local', 'SRV', ['echo.web.svc.cluster.local']],
  [
    '_gossip._udp.peers.web.svc.cluster.local',
    'SRV',
    ['p-0.peers.web.svc.cluster.local', '10-244-2-9.peers.web.svc.cluster.local'],
  ],
  ['out.web.svc.cluster.local', 'A', ['example.test']],
] as const)('%s %s', (name, type, wanted) => {
  expect(ask(name, type)).toEqual(wanted)
})

test.each([
  'missing.web.svc.cluster.local',
  'echo.other.svc.cluster.local',
  'p-9.peers.web.svc.cluster.local',
  'p-0.echo.web.svc.cluster.local',
  '_http._udp.echo.web.svc.cluster.local',
  'a.b.c.d.svc.cluster.local',
  'svc.cluster.local',
  'example.test',
  'echo.web.svc.cluster.local.web.svc.cluster.local',
])('%s does not exist', (name) => {
  expect(ask(name, 'A')).toBe(CODE.noSuchName)
})

test('SRV brings the addresses of its targets along', () => {
  const { additional } = answer(
    { name: '_http._tcp.echo.web.svc.cluster.local', type: TYPE.SRV, opcode: 0 },
    world,
  )
  expect(additional.map((r) => r.kind)).toEqual(['A', 'AAAA'])
})

test('other operations than queries are not implemented', () => {
  expect(answer({ name: 'echo.web.svc.cluster.local', type: TYPE.A, opcode: 5 }, world).code).toBe(
    CODE.notImplemented,
  )
})
