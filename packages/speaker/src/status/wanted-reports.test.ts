import { expect, test } from 'vitest'
import { announcementsOf } from '../announcements.ts'
import { type Layer2State, noLayer2 } from '../layer2/messages.ts'
import { Planner } from '../plan/planner.ts'
import { type Written, worldOf } from '../plan/testing.ts'
import { wantedReports } from './wanted-reports.ts'

const ip = '192.0.2.1'
const endpoints = [{ ready: true, serving: true, terminating: false, nodeName: 'n2' }]
const objects: readonly Written[] = [
  { kind: 'Node', metadata: { name: 'n1' } },
  { kind: 'Node', metadata: { name: 'n2' } },
  { kind: 'IPAddressPool', metadata: { name: 'pool' }, spec: { addresses: ['192.0.2.0/24'] } },
  { kind: 'L2Advertisement', metadata: { name: 'l2' }, spec: { interfaces: ['eth0', 'eth1'] } },
  { kind: 'BGPAdvertisement', metadata: { name: 'bgp' } },
  { kind: 'BGPPeer', metadata: { name: 'b' }, spec: { myASN: 1, peerASN: 1, peerAddress: '198.51.100.2' } },
  { kind: 'BGPPeer', metadata: { name: 'a' }, spec: { myASN: 1, peerASN: 1, peerAddress: '198.51.100.1' } },
  { kind: 'Service', metadata: { name: 'web' }, spec: { ingress: [{ ip }] } },
  { kind: 'EndpointSlice', metadata: { name: 'web-1' }, spec: { serviceName: 'web', endpoints } },
]
const ownedBy = (owner: string, announced: Layer2State['announced'] = new Map()): Layer2State => ({
  ...noLayer2,
  serving: true,
  owners: new Map([[ip, owner]]),
  announced,
})

function wanted(state: Layer2State, coordinates: boolean, without = '') {
  const world = worldOf(
    'n1',
    objects.filter(({ kind }) => kind !== without),
  )
  const { layer2, bgp } = wantedReports(announcementsOf(new Planner().plan(world), state, 'n1'), coordinates)
  return { layer2: layer2.get('default/web'), bgp: bgp.get('default/web') }
}

test('the owner says on which interfaces, each node to which peers', () => {
  const owned = ownedBy('n1', new Map([[ip, ['eth0']]]))
  expect(wanted(owned, false)).toEqual({
    layer2: { kind: 'here', names: ['eth0', 'eth1'], reason: '', message: '' },
    bgp: { kind: 'here', names: ['a', 'b'], reason: '', message: '' },
  })
})

test('an owner that cannot announce says why', () => {
  expect(wanted(ownedBy('n1', new Map([[ip, []]])), false).layer2).toEqual({
    kind: 'here',
    names: ['eth0', 'eth1'],
    reason: 'announceFailed',
    message: 'none of the interfaces eth0, eth1 of node "n1" can announce with protocol "layer2"',
  })
})

test('of what another node announces nothing is said', () => {
  expect(wanted(ownedBy('n2'), true).layer2).toBeUndefined()
})

test('what nobody announces is said by the coordinator', () => {
  const reasons = (...of: Parameters<typeof wanted>) => {
    const { layer2, bgp } = wanted(...of)
    return [layer2, bgp].map((one) => one && `${one.kind} ${one.reason}`)
  }
  expect(reasons(ownedBy(''), true, 'EndpointSlice')).toEqual(['nowhere noEndpoints', 'nowhere noEndpoints'])
  expect(reasons(ownedBy(''), false, 'EndpointSlice')).toEqual([undefined, undefined])
})

test('that nobody of those who may is alive is known from the owners', () => {
  expect(wanted(ownedBy(''), true).layer2).toEqual({
    kind: 'nowhere',
    reason: 'noLivingSpeaker',
    message: 'no speaker is alive on n1, n2',
  })
})
