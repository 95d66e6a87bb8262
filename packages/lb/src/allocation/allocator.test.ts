import { expect, test } from 'vitest'
import { Allocator } from './allocator.ts'
import { answers, configOf, dual, type PoolChoices, pool, type ServiceChoices, service } from './testing.ts'

const v4 = ['10.0.0.0/30']
const both = ['10.0.0.0/30', '2001:db8::/126']

/** What a Service gets from the pools in an empty world. */
function alone(choices: ServiceChoices, ...pools: readonly ReturnType<typeof pool>[]): string | undefined {
  return answers(
    new Allocator().apply({ config: configOf(...pools), changed: [service('s', choices)], gone: [] }),
  )['s']
}

const asks = (ips: string) => ({ annotations: { 'metallb.io/loadBalancerIPs': ips } })
const fromPool = (name: string) => ({ annotations: { 'metallb.io/address-pool': name } })

test.each<[string, string, ServiceChoices, readonly ReturnType<typeof pool>[]]>([
  ['lowest address first, the network address too', '10.0.0.0', {}, [pool('p', v4)]],
  ['entries in the order written', '10.9.0.0', {}, [pool('p', ['10.9.0.0/30', '10.0.0.0/30'])]],
  ['avoidBuggyIPs skips .0', '10.0.0.1', {}, [pool('p', v4, { avoidBuggyIPs: true })]],
  [
    'avoidBuggyIPs skips .255 and .0',
    'NoFreeAddress',
    {},
    [pool('p', ['10.0.0.255-10.0.1.0'], { avoidBuggyIPs: true })],
  ],
  [
    'avoidBuggyIPs leaves IPv6 alone',
    '2001:db8::',
    { clusterIPs: ['fd00::1'] },
    [pool('p', both, { avoidBuggyIPs: true })],
  ],
  ['pools of equal rank by name', '10.1.0.0', {}, [pool('b', v4), pool('a', ['10.1.0.0/30'])]],
  ['autoAssign: false is skipped', 'NoFreeAddress', {}, [pool('p', v4, { autoAssign: false })]],
  ['autoAssign: false by pool annotation', '10.0.0.0', fromPool('p'), [pool('p', v4, { autoAssign: false })]],
  ['autoAssign: false by address', '10.0.0.2', asks('10.0.0.2'), [pool('p', v4, { autoAssign: false })]],
  [
    'older annotation prefix',
    '10.0.0.2',
    { annotations: { 'metallb.universe.tf/loadBalancerIPs': '10.0.0.2' } },
    [pool('p', v4)],
  ],
  ['spec.loadBalancerIP', '10.0.0.3', { loadBalancerIP: '10.0.0.3' }, [pool('p', v4)]],
  ['an IPv4-mapped address', '10.0.0.3', { loadBalancerIP: '::ffff:10.0.0.3' }, [pool('p', v4)]],
  [
    'both ways of asking',
    'InvalidRequest',
    { ...asks('10.0.0.2'), loadBalancerIP: '10.0.0.2' },
    [pool('p', v4)],
  ],
  [
    'spaces around addresses',
    '10.0.0.1,2001:db8::1',
    { ...dual, ...asks(' 10.0.0.1 , 2001:db8::1 ') },
    [pool('p', both)],
  ],
  [
    'the order asked is kept',
    '2001:db8::1,10.0.0.1',
    { ...dual, ...asks('2001:db8::1,10.0.0.1') },
    [pool('p', both)],
  ],
  [
    'two addresses of one family',
    'InvalidRequest',
    { ...dual, ...asks('10.0.0.1,10.0.0.2') },
    [pool('p', both)],
  ],
  ['no address', 'InvalidRequest', asks('10.0.0.01'), [pool('p', v4)]],
  [
    'one address for a dual-stack Service',
    'FamilyMismatch',
    { ...dual, ...asks('10.0.0.1') },
    [pool('p', both)],
  ],
  [
    'two addresses for a single-stack Service',
    'FamilyMismatch',
    asks('10.0.0.1,2001:db8::1'),
    [pool('p', both)],
  ],
  ['address in no pool', 'AddressNotInPool', asks('10.0.0.9'), [pool('p', v4)]],
  [
    'address not in the named pool',
    'AddressNotInPool',
    { annotations: { 'metallb.io/loadBalancerIPs': '10.0.0.1', 'metallb.io/address-pool': 'q' } },
    [pool('p', v4), pool('q', ['10.1.0.0/30'])],
  ],
  [
    'address that the pool leaves out',
    'AddressAvoided',
    asks('10.0.0.0'),
    [pool('p', v4, { avoidBuggyIPs: true })],
  ],
  ['unknown pool', 'PoolNotFound', fromPool('q'), [pool('p', v4)]],
  [
    'named pool without the family',
    'NoFreeAddress',
    { ...fromPool('p'), clusterIPs: ['fd00::1'] },
    [pool('p', v4)],
  ],
  ['refused pool', 'PoolRefused', fromPool('p'), [pool('p', v4, { refused: true })]],
  ['refused pool, nothing asked', 'NoFreeAddress', {}, [pool('p', v4, { refused: true })]],
  ['no pools', 'NoPools', {}, []],
  ['no cluster addresses', 'NoClusterIPs', { clusterIPs: [] }, [pool('p', v4)]],
  [
    'RequireDualStack with one cluster address',
    'NotEnoughClusterIPs',
    { policy: 'RequireDualStack' },
    [pool('p', both)],
  ],
  ['RequireDualStack', '10.0.0.0,2001:db8::', { ...dual, policy: 'RequireDualStack' }, [pool('p', both)]],
  [
    'RequireDualStack from two pools where none has both families',
    '10.0.0.0,2001:db8::',
    { ...dual, policy: 'RequireDualStack' },
    [pool('a', v4), pool('b', ['2001:db8::/126'])],
  ],
  [
    'RequireDualStack without a pool of the other family',
    'NoFreeAddress',
    { ...dual, policy: 'RequireDualStack' },
    [pool('a', v4), pool('b', v4)],
  ],
  [
    'RequireDualStack from a pool asked for that lacks a family',
    'NoFreeAddress',
    { ...dual, ...fromPool('a'), policy: 'RequireDualStack' },
    [pool('a', v4), pool('b', ['2001:db8::/126'])],
  ],
  [
    'PreferDualStack takes the pool of both',
    '10.0.0.0,2001:db8::',
    dual,
    [pool('a', ['10.1.0.0/30']), pool('b', both)],
  ],
  [
    'two addresses that are asked for, from two pools',
    '10.0.0.1,2001:db8::1',
    { ...dual, ...asks('10.0.0.1,2001:db8::1') },
    [pool('a', v4), pool('b', ['2001:db8::/126'])],
  ],
  [
    'PreferDualStack from two pools where none has both',
    '10.0.0.0,2001:db8::',
    { ...dual, ipFamilies: ['IPv6', 'IPv4'] },
    [pool('a', v4), pool('b', ['2001:db8::/126'])],
  ],
  [
    'PreferDualStack from two pools, not where one is named',
    '10.0.0.0',
    { ...dual, ...fromPool('a') },
    [pool('a', v4), pool('b', ['2001:db8::/126'])],
  ],
  [
    'PreferDualStack, a pinned pool and one for everybody',
    '10.0.0.0,2001:db8::',
    dual,
    [pool('a', v4, { allocation: { priority: 1 } }), pool('b', ['10.9.0.0/30', '2001:db8::/126'])],
  ],
  [
    'PreferDualStack, the other family if need be',
    '10.0.0.0',
    { ...dual, ipFamilies: ['IPv6', 'IPv4'] },
    [pool('a', v4)],
  ],
  [
    'the family follows the cluster address',
    '2001:db8::',
    { clusterIPs: ['fd00::1'], ipFamilies: ['IPv4'] },
    [pool('p', both)],
  ],
])('%s: %s', (_, expected, choices, pools) => {
  expect(alone(choices, ...pools)).toBe(expected)
})

const pinned = (priority: number, more: PoolChoices['allocation'] = {}) => ({
  allocation: { priority, ...more },
})

test.each<[string, string, ServiceChoices, readonly ReturnType<typeof pool>[]]>([
  [
    'lower priority first',
    '10.2.0.0',
    {},
    [pool('a', ['10.1.0.0/30'], pinned(20)), pool('b', ['10.2.0.0/30'], pinned(10))],
  ],
  [
    'priority 0 last',
    '10.2.0.0',
    {},
    [pool('a', ['10.1.0.0/30'], pinned(0)), pool('b', ['10.2.0.0/30'], pinned(99))],
  ],
  [
    'equal priority by name',
    '10.1.0.0',
    {},
    [pool('b', ['10.2.0.0/30'], pinned(1)), pool('a', ['10.1.0.0/30'], pinned(1))],
  ],
  ['pinned before shared', '10.2.0.0', {}, [pool('a', v4), pool('b', ['10.2.0.0/30'], pinned(0))]],
  [
    'another namespace',
    '10.0.0.0',
    {},
    [pool('a', ['10.1.0.0/30'], pinned(1, { namespaces: new Set(['other']) })), pool('z', v4)],
  ],
  [
    'own namespace',
    '10.1.0.0',
    {},
    [pool('a', ['10.1.0.0/30'], pinned(1, { namespaces: new Set(['default']) })), pool('z', v4)],
  ],
  [
    'other labels',
    '10.0.0.0',
    { labels: { app: 'web' } },
    [
      pool('a', ['10.1.0.0/30'], pinned(1, { serviceSelectors: [{ matchLabels: { app: 'db' } }] })),
      pool('z', v4),
    ],
  ],
  [
    'named pool of another namespace',
    'PoolNotAllowed',
    fromPool('a'),
    [pool('a', v4, pinned(1, { namespaces: new Set(['other']) }))],
  ],
  [
    'address of a pool of another namespace',
    'PoolNotAllowed',
    asks('10.0.0.1'),
    [pool('a', v4, pinned(1, { namespaces: new Set(['other']) }))],
  ],
])('pinned pools: %s: %s', (_, expected, choices, pools) => {
  expect(alone(choices, ...pools)).toBe(expected)
})

test('an exhausted pinned pool falls through to the pools for everybody', () => {
  const config = configOf(pool('a', ['10.1.0.0/32'], pinned(1)), pool('z', v4))
  const got = new Allocator().apply({ config, changed: ['s1', 's2'].map((name) => service(name)), gone: [] })
  expect(answers(got)).toEqual({ s1: '10.1.0.0', s2: '10.0.0.0' })
})

test('an address that comes free goes to the oldest that waits', () => {
  const allocator = new Allocator()
  const waiting = [
    service('b', { createdAt: '2026-01-03T00:00:00Z' }),
    service('c', { createdAt: '2026-01-02T00:00:00Z' }),
  ]
  const config = configOf(pool('p', ['10.0.0.7/32']))
  allocator.apply({ config, changed: [service('a')], gone: [] })
  expect(answers(allocator.apply({ changed: waiting, gone: [] }))).toEqual({
    b: 'NoFreeAddress',
    c: 'NoFreeAddress',
  })
  expect(answers(allocator.apply({ changed: [], gone: ['default/a'] }))).toEqual({ c: '10.0.0.7' })
})

test('a status that holds an address is adopted before anything new is given out', () => {
  const changed = [
    service('older'),
    service('younger', { createdAt: '2026-02-01T00:00:00Z', status: ['10.0.0.0'] }),
  ]
  const got = new Allocator().apply({ config: configOf(pool('p', v4)), changed, gone: [] })
  expect(answers(got)).toEqual({ older: '10.0.0.1', younger: '10.0.0.0' })
  expect(got.find(({ key }) => key === 'default/younger')?.decision.events).toEqual([])
})

test('who lost an address in the same batch takes nothing that another holds', () => {
  const changed = [
    service('moved', { status: ['10.9.0.1'] }),
    service('holder', { createdAt: '2026-02-01T00:00:00Z', status: ['10.0.0.0'] }),
  ]
  const got = new Allocator().apply({ config: configOf(pool('p', v4)), changed, gone: [] })
  expect(answers(got)).toEqual({ moved: '10.0.0.1', holder: '10.0.0.0' })
  const events = got.find(({ key }) => key === 'default/moved')?.decision.events
  expect(events?.map((event) => event.reason)).toEqual(['ClearAssignment', 'IPAllocated'])
})

test('of two that hold the same address without sharing it the older keeps it', () => {
  const changed = [
    service('younger', { createdAt: '2026-02-01T00:00:00Z', status: ['10.0.0.0'] }),
    service('older', { status: ['10.0.0.0'] }),
  ]
  const got = new Allocator().apply({ config: configOf(pool('p', v4)), changed, gone: [] })
  expect(answers(got)).toEqual({ older: '10.0.0.0', younger: '10.0.0.1' })
})

test('nothing is said twice', () => {
  const allocator = new Allocator()
  allocator.apply({
    config: configOf(pool('p', ['10.0.0.0/32'])),
    changed: [service('a'), service('b')],
    gone: [],
  })
  const again = allocator.apply({ changed: [service('a'), service('b')], gone: [] })
  expect(answers(again)).toEqual({ a: '10.0.0.0', b: 'NoFreeAddress' })
  expect(again.flatMap(({ decision }) => decision.events)).toEqual([])
})

test.each<[string, ServiceChoices, string]>([
  ['another pool is asked for', fromPool('q'), '10.1.0.0'],
  ['another address is asked for', asks('10.0.0.3'), '10.0.0.3'],
  ['an address in use is asked for', asks('10.0.0.1'), 'AddressInUse'],
  ['its cluster address changes family', { clusterIPs: ['fd00::1'] }, 'NoFreeAddress'],
  ['a bad request changes nothing', asks('nonsense'), '10.0.0.0'],
  ['an unchanged Service stays', {}, '10.0.0.0'],
])('a Service that holds 10.0.0.0 when %s', (_, choices, expected) => {
  const allocator = new Allocator()
  const config = configOf(pool('p', v4), pool('q', ['10.1.0.0/30'], { autoAssign: false }))
  allocator.apply({ config, changed: [service('s'), service('t')], gone: [] })
  expect(answers(allocator.apply({ changed: [service('s', choices)], gone: [] }))).toEqual({ s: expected })
})

test.each<[string, readonly ReturnType<typeof pool>[], string]>([
  ['shrunk', [pool('p', ['10.0.0.2/31'])], '10.0.0.2'],
  ['renamed', [pool('new', v4)], '10.0.0.0'],
  ['refused', [pool('p', v4, { refused: true })], '10.0.0.0'],
  [
    'refused and closed to it',
    [pool('p', v4, { refused: true, allocation: { namespaces: new Set() } })],
    '10.0.0.0',
  ],
  ['closed to it', [pool('p', v4, { allocation: { namespaces: new Set() } })], 'NoFreeAddress'],
  ['told to avoid .0', [pool('p', v4, { avoidBuggyIPs: true })], '10.0.0.1'],
  ['no longer auto-assigned', [pool('p', v4, { autoAssign: false })], '10.0.0.0'],
  ['gone', [], 'NoPools'],
])('the holder of 10.0.0.0 when its pool is %s', (_, pools, expected) => {
  const allocator = new Allocator()
  allocator.apply({ config: configOf(pool('p', v4)), changed: [service('s')], gone: [] })
  expect(answers(allocator.apply({ config: configOf(...pools), changed: [], gone: [] }))).toEqual({
    s: expected,
  })
})

test('a Service that prefers both families gets the second one when the pool has it', () => {
  const allocator = new Allocator()
  allocator.apply({ config: configOf(pool('p', v4)), changed: [service('s', dual)], gone: [] })
  const grown = allocator.apply({ config: configOf(pool('p', both)), changed: [], gone: [] })
  expect(answers(grown)).toEqual({ s: '10.0.0.0,2001:db8::' })
})

test.each([
  ['10.96.0.1', '10.0.0.1', '2001:db8::1'],
  ['fd00::1', '2001:db8::1', '10.0.0.1'],
])(
  'of two addresses the one of the family that is left stays, the other is free (%s)',
  (clusterIP, left, freed) => {
    const allocator = new Allocator()
    const config = configOf(pool('p', ['10.0.0.0/31', '2001:db8::/127']))
    const first = service('first', dual)
    allocator.apply({ config, changed: [first, service('s', dual)], gone: [] })
    allocator.apply({ changed: [], gone: ['default/first'] })
    const single = service('s', { clusterIPs: [clusterIP] })
    expect(answers(allocator.apply({ changed: [single], gone: [] }))).toEqual({ s: left })
    const next = service('next', { ...dual, annotations: { 'metallb.io/loadBalancerIPs': freed } })
    const alone = { ...next, clusterIPs: dual.clusterIPs.filter((ip) => ip !== clusterIP) }
    expect(answers(allocator.apply({ changed: [alone], gone: [] }))).toEqual({ next: freed })
  },
)

test('a younger Service that holds what an older one has in its status is moved, with an Event', () => {
  const allocator = new Allocator()
  const younger = service('younger', { createdAt: '2026-02-01T00:00:00Z' })
  allocator.apply({ config: configOf(pool('p', v4)), changed: [younger], gone: [] })
  const moved = allocator.apply({ changed: [service('older', { status: ['10.0.0.0'] })], gone: [] })
  expect(answers(moved)).toEqual({ older: '10.0.0.0', younger: '10.0.0.1' })
  const events = moved.find(({ key }) => key === 'default/younger')?.decision.events
  expect(events).toMatchObject([
    { reason: 'ClearAssignment', message: '10.0.0.0 is in use by default/older' },
    { reason: 'IPAllocated' },
  ])
})

test('who is refused is told of which pool, and how full it is', () => {
  const allocator = new Allocator()
  const config = configOf(pool('p', ['10.0.0.0/31']), pool('q', ['2001:db8::/127']))
  const changed = ['a', 'b', 'c'].map((name) => service(name))
  const [, , last] = allocator.apply({ config, changed, gone: [] })
  expect(last?.decision).toMatchObject({
    refusal: {
      reason: 'NoFreeAddress',
      message: 'no free IPv4 address in pools p (2 of 2 in use), q (none of this family)',
    },
  })
})

test('of many that wait each is served in its turn, and other kinds of request are not held up', () => {
  const allocator = new Allocator()
  const config = configOf(pool('p', ['10.0.0.0/31']), pool('six', ['2001:db8::/128']))
  const waiting = ['c', 'd', 'e'].map((name) => service(name))
  const six = ['f', 'g'].map((name) => service(name, { clusterIPs: ['fd00::1'] }))
  allocator.apply({ config, changed: [service('a'), service('b'), ...waiting, ...six], gone: [] })
  const freed = allocator.apply({ changed: [], gone: ['default/a', 'default/b', 'default/f'] })
  expect(answers(freed)).toEqual({ c: '10.0.0.0', d: '10.0.0.1', g: '2001:db8::' })
  expect([...allocator.waiting]).toEqual(['default/e'])
})
