import type { EventText } from '@landfall/kube'
import type { Key } from '@landfall/kube/model'
import { createLogger, type LogLevel, Metrics } from '@landfall/telemetry'
import { expect, test } from 'vitest'
import { announcementsOf } from './announcements.ts'
import { type Layer2State, noLayer2 } from './layer2/messages.ts'
import { Planner } from './plan/planner.ts'
import { type Written, webOfTwoNodes, worldOf } from './plan/testing.ts'
import { Reporter } from './reporter.ts'
import { SpeakerMetrics } from './speaker-metrics.ts'

const { ip, objects } = webOfTwoNodes
const owned = (interfaces: readonly string[] = ['eth0']): Layer2State => ({
  ...noLayer2,
  serving: true,
  announced: new Map([[ip, interfaces]]),
  owners: new Map([[ip, 'n1']]),
})
const foreign: Layer2State = { ...noLayer2, serving: true, owners: new Map([[ip, 'n2']]) }

function scene(wasReported = false, level: LogLevel = 'info') {
  const lines: string[] = []
  const events: EventText[] = []
  const metrics = new Metrics('test')
  const logger = createLogger({
    level,
    write: (line) => {
      const { event, protocol, reason, service }: Record<string, string> = JSON.parse(line)
      lines.push([event, service, protocol, reason].filter(Boolean).join(' '))
    },
  })
  const reporter = new Reporter({
    node: 'n1',
    logger,
    events: { record: (_about, event) => events.push(event) },
    announced: new SpeakerMetrics(metrics).announced,
    wasReported: () => wasReported,
  })
  const show = (state: Layer2State, all = objects): void =>
    reporter.report(announcementsOf(new Planner().plan(worldOf('n1', all)), state, 'n1'))
  const tell = (state: Layer2State, all: readonly Written[], keys: readonly Key[]): void => {
    const plan = new Planner().plan(worldOf('n1', all))
    reporter.report(announcementsOf(plan, state, 'n1', keys), new Set(keys))
  }
  const gauge = async (): Promise<string[]> =>
    (await metrics.exposition()).split('\n').filter((line) => line.startsWith('metallb_speaker_announced{'))
  return { lines, events, show, tell, gauge }
}

test('an announcement is told once, in log, Event and metric', async () => {
  const { lines, events, show, gauge } = scene()
  show(foreign)
  show(owned())
  show(owned())
  expect(lines).toEqual(['serviceAnnounced default/web layer2'])
  expect(events).toEqual([
    { type: 'Normal', reason: 'nodeAssigned', message: 'announcing from node "n1" with protocol "layer2"' },
  ])
  expect(await gauge()).toEqual([
    `metallb_speaker_announced{service="default/web",protocol="layer2",node="n1",ip="${ip}"} 1`,
  ])
})

test('a withdrawal says why', async () => {
  const { lines, show, gauge } = scene()
  show(owned())
  show(foreign)
  show(owned())
  show(
    owned(),
    objects.filter(({ kind }) => kind !== 'EndpointSlice'),
  )
  show(owned())
  show(
    owned(),
    objects.filter(({ kind }) => kind !== 'Service'),
  )
  expect(lines.filter((line) => line.startsWith('serviceWithdrawn'))).toEqual([
    'serviceWithdrawn default/web layer2 notOwner',
    'serviceWithdrawn default/web layer2 noEndpoints',
    'serviceWithdrawn default/web layer2 serviceDeleted',
  ])
  expect(await gauge()).toEqual([])
})

test('debug lines say why it is not announced by layer 2: at first, and when that changes', () => {
  const { lines, show } = scene(false, 'debug')
  const withoutEndpoints = objects.filter(({ kind }) => kind !== 'EndpointSlice')
  show(foreign)
  expect(lines).toEqual([
    'notAnnounced default/web layer2 notOwner',
    'notAnnounced default/web bgp noMatchingAdvertisement',
  ])
  show(foreign)
  expect(lines).toHaveLength(2)
  show(foreign, withoutEndpoints)
  expect(lines.slice(2)).toEqual(['notAnnounced default/web layer2 noEndpoints'])
  show(owned())
  show(foreign)
  expect(lines.slice(3)).toEqual([
    'serviceAnnounced default/web layer2',
    'serviceWithdrawn default/web layer2 notOwner',
  ])
})

test('a restart that changes nothing records no Event', () => {
  const { events, show } = scene(true)
  show(owned())
  expect(events).toEqual([])
})

test('an owner without an interface to answer on says so, and that it announces once it has one', async () => {
  const { events, lines, show, gauge } = scene()
  show(owned([]))
  show(owned([]))
  expect(lines).toEqual(['announceFailed default/web announceFailed'])
  expect(await gauge()).toEqual([])
  show(owned())
  expect(lines.slice(1)).toEqual(['serviceAnnounced default/web layer2'])
  expect(await gauge()).toHaveLength(1)
  show(owned([]))
  expect(lines.slice(2)).toEqual([
    'serviceWithdrawn default/web layer2 announceFailed',
    'announceFailed default/web announceFailed',
  ])
  expect(await gauge()).toEqual([])
  expect(events.map(({ reason }) => reason)).toEqual(['announceFailed', 'nodeAssigned', 'announceFailed'])
})

test('an owner that can announce only one of two addresses says of the other that it cannot', () => {
  const { events, show } = scene()
  const all: readonly Written[] = [
    ...objects.filter(({ kind }) => kind !== 'Service'),
    { kind: 'IPAddressPool', metadata: { name: 'pool6' }, spec: { addresses: ['2001:db8::/120'] } },
    { kind: 'Service', metadata: { name: 'web' }, spec: { ingress: [{ ip }, { ip: '2001:db8::1' }] } },
  ]
  const both = (interfaces: readonly string[]): Layer2State => ({
    ...owned(),
    announced: new Map([
      [ip, ['eth0']],
      ['2001:db8::1', interfaces],
    ]),
  })
  show(both([]), all)
  show(both([]), all)
  show(both(['eth0']), all)
  expect(events.map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
    'announceFailed: no interface of node "n1" can announce 2001:db8::1 with protocol "layer2"',
    'nodeAssigned: announcing from node "n1" with protocol "layer2"',
  ])
})

test('an address that no node may announce beside one that is announced is told of, in log and Event', () => {
  const { lines, events, show } = scene()
  const all: readonly Written[] = [
    ...objects.filter(({ kind }) => kind !== 'Service' && kind !== 'L2Advertisement'),
    { kind: 'L2Advertisement', metadata: { name: 'l2' }, spec: { ipAddressPools: ['pool'] } },
    { kind: 'IPAddressPool', metadata: { name: 'pool6' }, spec: { addresses: ['2001:db8::/120'] } },
    { kind: 'Service', metadata: { name: 'web' }, spec: { ingress: [{ ip }, { ip: '2001:db8::1' }] } },
  ]
  show(owned(), all)
  show(owned(), all)
  expect(lines).toEqual([
    'announceFailed default/web noMatchingAdvertisement',
    'serviceAnnounced default/web layer2',
  ])
  expect(events[0]).toEqual({
    type: 'Warning',
    reason: 'noMatchingAdvertisement',
    message:
      'not announced by layer 2: 2001:db8::1: no L2Advertisement and no BGPAdvertisement of pool pool6 selects the Service',
  })
})

test('by BGP, only the addresses that have a route are told of', async () => {
  const { lines, show, gauge } = scene()
  const ips = [ip, '2001:db8::1']
  const peer = { myASN: 65000, peerASN: 65000, peerAddress: '192.0.2.1', dualStackAddressFamily: true }
  const metadata = { name: 'web' }
  show(foreign, [
    ...objects.filter(({ kind }) => kind !== 'Service'),
    { kind: 'Service', metadata, spec: { ingress: ips.map((each) => ({ ip: each })) } },
    { kind: 'IPAddressPool', metadata: { name: 'pool6' }, spec: { addresses: ['2001:db8::/120'] } },
    { kind: 'BGPAdvertisement', metadata: { name: 'bgp6' }, spec: { ipAddressPools: ['pool6'] } },
    { kind: 'BGPPeer', metadata: { name: 'router' }, spec: peer },
  ])
  expect(lines).toEqual(['serviceAnnounced default/web bgp'])
  expect(await gauge()).toEqual([
    `metallb_speaker_announced{service="default/web",protocol="bgp",node="n1",ip="2001:db8::1"} 1`,
  ])
})

test('told of some Services alone, it says of the others what it said', async () => {
  const { lines, show, tell, gauge } = scene()
  const mail: readonly Written[] = [
    { kind: 'Service', metadata: { name: 'mail' }, spec: { ingress: [{ ip: '192.168.1.241' }] } },
    {
      kind: 'EndpointSlice',
      metadata: { name: 'mail-1' },
      spec: { serviceName: 'mail', endpoints: [{ ready: true, serving: true, nodeName: 'n2' }] },
    },
  ]
  const state: Layer2State = {
    ...noLayer2,
    serving: true,
    announced: new Map(['192.168.1.240', '192.168.1.241'].map((ip) => [ip, ['eth0']])),
  }
  show(state)
  tell(state, [...objects, ...mail], ['default/mail'])
  expect(await gauge()).toHaveLength(2)
  lines.length = 0
  tell(state, objects, ['default/mail'])
  expect(lines).toEqual(['serviceWithdrawn default/mail layer2 serviceDeleted'])
  tell(state, objects, [])
  show(state)
  expect([lines.length, (await gauge()).length]).toEqual([1, 1])
})
