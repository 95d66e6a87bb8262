import { expect, test } from 'vitest'
import { announcementsOf } from './announcements.ts'
import { type Layer2State, noLayer2 } from './layer2/messages.ts'
import { Planner } from './plan/planner.ts'
import { type Written, webOfTwoNodes, worldOf } from './plan/testing.ts'
import { wantedReports } from './status/wanted-reports.ts'

const { ip, objects } = webOfTwoNodes

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

const east = [{ matchLabels: { side: 'east' } }]
const ad = (pool: string, spec: object = {}, kind = 'L2Advertisement'): Written => ({
  kind,
  metadata: { name: `${kind}-${pool}` },
  spec: { ipAddressPools: [pool], ...spec },
})
/** With a second address, of a pool of its own; n3 alone is east. */
const dualStack: readonly Written[] = [
  ...objects.filter(({ kind }) => kind !== 'Service' && kind !== 'L2Advertisement'),
  { kind: 'Node', metadata: { name: 'n3', labels: { side: 'east' } } },
  { kind: 'IPAddressPool', metadata: { name: 'pool6' }, spec: { addresses: ['2001:db8::/120'] } },
  { kind: 'Service', metadata: { name: 'web' }, spec: { ingress: [{ ip }, { ip: '2001:db8::1' }] } },
  ad('pool'),
]
const west = [{ matchLabels: { side: 'west' } }]
const unavailable = 'no L2Advertisement and no BGPAdvertisement of pool pool6 selects the Service'

test.each([
  ['nothing advertises it', [], 'n1', `noMatchingAdvertisement: ${unavailable}`],
  ['BGP does', [ad('pool6', {}, 'BGPAdvertisement')], 'n1', ''],
  [
    'no such node',
    [ad('pool6', { nodeSelectors: west })],
    'n1',
    'notOwner: the advertisements select no node',
  ],
  ['a dead node', [ad('pool6', { nodeSelectors: east })], 'n1', 'noLivingSpeaker: no speaker is alive on n3'],
  ['a living one', [ad('pool6', { nodeSelectors: east })], 'n3', ''],
])('the other address, where %s', (_, more, living, expected) => {
  const members = ['n1', 'n3'].map((node) => ({
    node,
    state: node === 'n1' || node === living ? ('serving' as const) : ('dead' as const),
    heardMs: 1,
  }))
  const owners = new Map([
    [ip, 'n1'],
    ['2001:db8::1', ''],
  ])
  const layer2: Layer2State = {
    ...noLayer2,
    serving: true,
    members,
    owners,
    announced: new Map([[ip, ['eth0']]]),
  }
  const plan = new Planner().plan(worldOf('n1', [...dualStack, ...more]))
  const [announcement] = announcementsOf(plan, layer2, 'n1')
  const { outcome } = announcement ?? {}
  if (outcome?.kind !== 'announced') throw new Error('it is silent')
  const { reason, message } = outcome.missing ?? {}
  const [code, text] = expected.split(': ')
  expect([reason, message]).toEqual(
    expected === '' ? [undefined, undefined] : [code, `not announced by layer 2: 2001:db8::1: ${text}`],
  )
  const { layer2: wanted } = wantedReports(
    [announcement].flatMap((one) => one ?? []),
    false,
  )
  expect(wanted.get('default/web')).toEqual({ kind: 'here', names: [], reason: '', message: message ?? '' })
})
