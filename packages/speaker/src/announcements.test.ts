import { expect, test } from 'vitest'
import { announcementsOf } from './announcements.ts'
import { type Layer2State, noLayer2 } from './layer2/messages.ts'
import { Planner } from './plan/planner.ts'
import { type Written, worldOf } from './plan/testing.ts'

const ip = '192.168.1.240'
const objects: readonly Written[] = [
  { kind: 'Node', metadata: { name: 'n1' } },
  { kind: 'Node', metadata: { name: 'n2' } },
  { kind: 'IPAddressPool', metadata: { name: 'pool' }, spec: { addresses: ['192.168.1.240/28'] } },
  { kind: 'L2Advertisement', metadata: { name: 'l2' }, spec: {} },
  { kind: 'Service', metadata: { name: 'web' }, spec: { ingress: [{ ip }] } },
  {
    kind: 'EndpointSlice',
    metadata: { name: 'web-1' },
    spec: { serviceName: 'web', endpoints: [{ ready: true, serving: true, nodeName: 'n2' }] },
  },
]

test.each([
  ['n2', 'serving', 'node n2 announces it'],
  ['', 'unwatched', 'another node announces it, or is about to'],
  ['', 'serving', 'another node announces it, or is about to'],
  ['', 'dead', 'no other candidate has a living speaker yet'],
] as const)('owned by "%s", with a speaker that is %s', (owner, state, message) => {
  const members = [{ node: 'n2', state, heardMs: 1 }]
  const layer2: Layer2State = { ...noLayer2, serving: true, owners: new Map([[ip, owner]]), members }
  const [announcement] = announcementsOf(new Planner().plan(worldOf('n1', objects)), layer2, 'n1')
  expect(announcement?.outcome).toEqual({ kind: 'silent', reason: 'notOwner', message })
})
