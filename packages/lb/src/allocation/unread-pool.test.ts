/** What was assigned stays while the pool that it is from, or the whole configuration, cannot be read. */
import type { Config } from '@landfall/metallb'
import { expect, test } from 'vitest'
import { Allocator } from './allocator.ts'
import { answers, configOf, type PoolChoices, pool, type ServiceChoices, service } from './testing.ts'

const whole = configOf(pool('p', ['10.0.0.0/30']), pool('other', ['10.9.0.0/30'], { autoAssign: false }))
const unread = configOf(
  pool('p', [], { refused: true }),
  pool('other', ['10.9.0.0/30'], { autoAssign: false }),
)
const broken: Config = { pools: [], peers: [], incomplete: true }
const noted = { 'metallb.io/ip-allocated-from-pool': 'p' }
const grace = 30_000

const held = (choices: ServiceChoices = {}) =>
  service('s', { status: ['10.0.0.1'], annotations: noted, ...choices })

test.each([
  ['a pool that is refused', unread],
  ['a configuration that is refused', broken],
])('through %s, and through a restart meanwhile', (_, config) => {
  const allocator = new Allocator(grace)
  allocator.apply({ config: whole, changed: [held()], gone: [], now: 0 })
  expect(answers(allocator.apply({ config, changed: [], gone: [], now: 1 }))).toEqual({ s: '10.0.0.1' })
  expect(allocator.nextDeadline).toBeUndefined()
  const restarted = new Allocator(0)
  const decided = restarted.apply({ config, changed: [held(), service('t')], gone: [], now: 2 })
  expect(answers(decided)).toMatchObject({ s: '10.0.0.1' })
  expect(decided.find(({ key }) => key === 'default/t')?.decision.kind).toBe('refused')
})

test.each<[string, Config, ServiceChoices, string]>([
  [
    'its pool is asked for',
    unread,
    { annotations: { ...noted, 'metallb.io/address-pool': 'p' } },
    '10.0.0.1',
  ],
  [
    'another is asked for',
    unread,
    { annotations: { ...noted, 'metallb.io/address-pool': 'other' } },
    '10.9.0.0',
  ],
  ['nothing is noted', broken, { annotations: {} }, '10.0.0.1'],
  ['nothing is noted, but all could be read', unread, { annotations: {} }, 'NoFreeAddress'],
  ['its families are others', broken, { clusterIPs: ['fd00::1'] }, 'NoPools'],
])('when %s', (_, config, choices, expected) => {
  const decided = new Allocator(0).apply({ config, changed: [held(choices)], gone: [] })
  expect(answers(decided)).toEqual({ s: expected })
})

test('but not for two who may not share', () => {
  const older = service('o', { status: ['10.0.0.1'], annotations: noted, createdAt: '2025-01-01T00:00:00Z' })
  const decided = new Allocator(0).apply({ config: broken, changed: [held(), older], gone: [] })
  expect(answers(decided)).toEqual({ o: '10.0.0.1', s: 'NoPools' })
})

test.each<[string, PoolChoices, ServiceChoices]>([
  ['leaves the address out', { avoidBuggyIPs: true }, {}],
  ['is of other namespaces', { allocation: { namespaces: new Set() } }, {}],
  ['is for other Services', { allocation: { serviceSelectors: [{ matchLabels: { app: 'none' } }] } }, {}],
  [
    'leaves the address out, and two that share it want one port',
    { avoidBuggyIPs: true },
    { annotations: { 'metallb.io/allow-shared-ip': 'k' } },
  ],
])('nor where the pool that is refused %s', (_, choices, common) => {
  const refused = pool('p', ['10.0.0.0/31'], { ...choices, refused: true })
  const config = configOf(refused, pool('q', ['10.1.0.0/30']))
  const status = ['10.0.0.0']
  const older = service('o', { ...common, status, createdAt: '2025-01-01T00:00:00Z' })
  const younger = service('s', { ...common, status })
  const decided = new Allocator(0).apply({ config, changed: [younger, older], gone: [] })
  expect(answers(decided)).toEqual({ o: '10.0.0.0', s: '10.1.0.0' })
})
