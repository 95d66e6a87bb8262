/** What happens to the addresses of a pool that is removed. */
import { expect, test } from 'vitest'
import { Allocator } from './allocator.ts'
import type { BalancedService } from './request.ts'
import { answers, configOf, pool, type ServiceChoices, service } from './testing.ts'

const v4 = ['10.0.0.0/30']
const asks = (ips: string) => ({ annotations: { 'metallb.io/loadBalancerIPs': ips } })
const fromPool = (name: string) => ({ annotations: { 'metallb.io/address-pool': name } })

const grace = 30_000
const removal = { config: configOf(pool('other', ['10.9.0.0/30'])), changed: [], gone: [] }

/** An allocator with one Service that holds 10.0.0.0, after its pool was removed at 1000. */
function orphaned(choices: ServiceChoices = {}) {
  const allocator = new Allocator(grace)
  allocator.apply({ config: configOf(pool('p', v4)), changed: [service('s', choices)], gone: [], now: 0 })
  return { allocator, removed: allocator.apply({ ...removal, now: 1000 }) }
}

test('a Service keeps an address whose pool was removed, and says so once', () => {
  const { allocator, removed } = orphaned()
  expect(removed.map(({ decision }) => decision)).toMatchObject([
    {
      kind: 'orphaned',
      since: 1000,
      refusal: { reason: 'PoolRemoved' },
      events: [{ reason: 'PoolRemoved' }],
    },
  ])
  expect(allocator.nextDeadline).toBe(31_000)
  const again = allocator.apply({ changed: [service('s')], gone: [], now: 30_999 })
  expect(answers(again)).toEqual({ s: '10.0.0.0' })
  expect(again[0]?.decision.events).toEqual([])
})

test('a pool that comes back in time finds its Services with their old addresses', () => {
  const { allocator } = orphaned()
  const back = allocator.apply({ config: configOf(pool('again', v4)), changed: [], gone: [], now: 11_000 })
  expect(answers(back)).toEqual({ s: '10.0.0.0' })
  expect(back[0]?.decision.kind).toBe('assigned')
  expect(allocator.nextDeadline).toBeUndefined()
})

const isSaid = { status: 'False', reason: 'PoolRemoved', message: '', since: '1970-01-01T00:00:01Z' }
const stale = service('s', { status: ['10.0.0.0'], allocated: isSaid })

test.each<[string, readonly (readonly BalancedService[])[]]>([
  ['as it was read before', [[stale], [], []]],
  ['as it is read together with the return', [[], [stale], []]],
  ['as it is read together with the second removal', [[], [], [stale]]],
  ['as it is read each time', [[stale], [stale], [stale]]],
])('a pool that goes again is waited for anew, whatever is said of the first time: %s', (_, reads) => {
  const { allocator } = orphaned()
  const back = { config: configOf(pool('again', v4)), gone: [] }
  const [first = [], second = [], third = []] = reads
  allocator.apply({ changed: first, gone: [], now: 2000 })
  expect(answers(allocator.apply({ ...back, changed: second, now: 30_000 }))).toEqual({ s: '10.0.0.0' })
  const again = allocator.apply({ ...removal, changed: third, now: 40_000 })
  expect(again.map(({ decision }) => decision)).toMatchObject([{ kind: 'orphaned', since: 40_000 }])
  expect(allocator.nextDeadline).toBe(70_000)
})

test('what is said of a removal that is over when a controller starts is not counted later', () => {
  const allocator = new Allocator(grace)
  const changed = [stale]
  allocator.apply({ config: configOf(pool('again', v4)), changed, gone: [], now: 2000 })
  allocator.apply({ ...removal, now: 40_000 })
  expect(allocator.nextDeadline).toBe(70_000)
})

test('after the grace the address goes, and another is sought', () => {
  const { allocator } = orphaned()
  expect(allocator.apply({ changed: [], gone: [], now: 30_999 })).toEqual([])
  const over = allocator.apply({ changed: [], gone: [], now: 31_000 })
  expect(answers(over)).toEqual({ s: '10.9.0.0' })
  expect(over[0]?.decision.events.map(({ reason }) => reason)).toEqual(['ClearAssignment', 'IPAllocated'])
})

test.each([
  ['another pool is asked for', fromPool('other'), '10.9.0.0'],
  ['another address is asked for', asks('10.9.0.2'), '10.9.0.2'],
  ['its families change', { clusterIPs: ['fd00::1'] }, 'NoFreeAddress'],
])('nothing is waited for when %s', (_, choices, expected) => {
  const { allocator } = orphaned()
  expect(answers(allocator.apply({ changed: [service('s', choices)], gone: [], now: 2000 }))).toEqual({
    s: expected,
  })
})

test('no other Service gets the address meanwhile', () => {
  const { allocator } = orphaned()
  const config = configOf(pool('other', ['10.9.0.0/30']))
  const rival = service('t', asks('10.0.0.0'))
  expect(answers(allocator.apply({ config, changed: [rival], gone: [], now: 2000 }))['t']).toBe(
    'AddressNotInPool',
  )
})

test.each([
  ['goes on counting from its condition', 20_000, '10.0.0.0'],
  ['is cleared when the time is over by then', 31_000, '10.9.0.0'],
])('after a restart an address without a pool %s', (_, now, expected) => {
  const allocated = { status: 'False', reason: 'PoolRemoved', message: '', since: '1970-01-01T00:00:01Z' }
  const annotations = { 'metallb.io/ip-allocated-from-pool': 'p' }
  const changed = [service('s', { status: ['10.0.0.0'], allocated, annotations })]
  expect(answers(new Allocator(grace).apply({ ...removal, changed, now }))).toEqual({ s: expected })
})

test('an address that no controller of ours gave is not waited for', () => {
  const changed = [service('s', { status: ['10.0.0.0'] })]
  expect(answers(new Allocator(grace).apply({ ...removal, changed, now: 0 }))).toEqual({ s: '10.9.0.0' })
})

test('without a grace the address goes at once', () => {
  const allocator = new Allocator(0)
  allocator.apply({ config: configOf(pool('p', v4)), changed: [service('s')], gone: [], now: 0 })
  expect(answers(allocator.apply({ ...removal, now: 0 }))).toEqual({ s: '10.9.0.0' })
})

test('a pool that shrinks lets go of what it lost, and only that', () => {
  const allocator = new Allocator(grace)
  const changed = [service('a'), service('b')]
  allocator.apply({ config: configOf(pool('p', v4)), changed, gone: [], now: 0 })
  const shrunk = { config: configOf(pool('p', ['10.0.0.1/32', '10.0.0.2/32'])), changed: [], gone: [] }
  expect(answers(allocator.apply({ ...shrunk, now: 1 }))).toEqual({ a: '10.0.0.0', b: '10.0.0.1' })
  expect(answers(allocator.apply({ changed: [], gone: [], now: grace + 1 }))).toEqual({ a: '10.0.0.2' })
})

test('a pool that is asked for and shrinks is waited for too', () => {
  const allocator = new Allocator(grace)
  const asked = (status: readonly string[]) =>
    service('s', {
      annotations: { 'metallb.io/address-pool': 'p', 'metallb.io/ip-allocated-from-pool': 'p' },
      status,
    })
  allocator.apply({ config: configOf(pool('p', v4)), changed: [asked(['10.0.0.0'])], gone: [], now: 0 })
  const shrunk = configOf(pool('p', ['10.0.0.2/31']))
  const kept = allocator.apply({ config: shrunk, changed: [], gone: [], now: 1 })
  expect(answers(kept)).toEqual({ s: '10.0.0.0' })
  expect(kept.map(({ decision }) => decision.kind)).toEqual(['orphaned'])
  expect(answers(allocator.apply({ changed: [], gone: [], now: grace + 1 }))).toEqual({ s: '10.0.0.2' })
})

test('those whose time comes later stay when the first have to go', () => {
  const allocator = new Allocator(grace)
  const config = configOf(pool('p', v4), pool('q', ['10.1.0.0/30']))
  const changed = [service('a', asks('10.0.0.0')), service('b', asks('10.1.0.0'))]
  allocator.apply({ config, changed, gone: [], now: 0 })
  allocator.apply({ config: configOf(pool('q', ['10.1.0.0/30'])), changed: [], gone: [], now: 1000 })
  allocator.apply({ ...removal, now: 2000 })
  expect(allocator.nextDeadline).toBe(31_000)
  expect(answers(allocator.apply({ changed: [], gone: [], now: 31_000 }))).toEqual({ a: 'AddressNotInPool' })
  expect(allocator.nextDeadline).toBe(32_000)
  expect(answers(allocator.apply({ changed: [], gone: [], now: 32_000 }))).toEqual({ b: 'AddressNotInPool' })
  expect(allocator.nextDeadline).toBeUndefined()
})

test('the last pool of all is waited for too', () => {
  const allocator = new Allocator(grace)
  allocator.apply({ config: configOf(pool('p', v4)), changed: [service('s')], gone: [], now: 0 })
  const none = { config: configOf(), changed: [], gone: [] }
  expect(answers(allocator.apply({ ...none, now: 0 }))).toEqual({ s: '10.0.0.0' })
  expect(answers(allocator.apply({ changed: [], gone: [], now: grace }))).toEqual({ s: 'NoPools' })
})
