/** A deletion touches only what it concerns: who waits on hears nothing, and what it was told stays true. */
import type { Config } from '@landfall/metallb'
import { expect, test } from 'vitest'
import { Allocator } from './allocator.ts'
import type { BalancedService } from './request.ts'
import { answers, configOf, dual, pool, type ServiceChoices, service } from './testing.ts'

const config = configOf(pool('p', ['10.0.0.0/30', '2001:db8::/126']))
const asks = (ips: string, choices: ServiceChoices = {}) => ({
  ...choices,
  annotations: { 'metallb.io/loadBalancerIPs': ips },
})

/** What each was told last, of its refusal. */
function refusals(batches: readonly (readonly BalancedService[] | string)[], of: Config = config) {
  const allocator = new Allocator()
  const told = new Map<string, string>()
  for (const [index, batch] of batches.entries()) {
    const [changed, gone] = typeof batch === 'string' ? [[], [`default/${batch}`]] : [batch, []]
    for (const { key, decision } of allocator.apply({ ...(index === 0 && { config: of }), changed, gone })) {
      const name = key.replace('default/', '')
      if (decision.kind !== 'refused') told.delete(name)
      else told.set(name, `${decision.refusal.reason}: ${decision.refusal.message}`)
    }
  }
  return told
}

const alike = ['s0', 's1', 's2', 's3'].map((name) => service(name, asks('10.0.0.1')))

test('of four that ask for one address, those that wait on are told nothing that comes to be wrong', () => {
  const expected = 'AddressInUse: 10.0.0.1 is in use by others'
  expect(refusals([alike, 's0'])).toEqual(
    new Map([
      ['s2', expected],
      ['s3', expected],
    ]),
  )
  expect(refusals([alike.slice(1)])).toEqual(refusals([alike, 's0']))
})

test('who is refused an address has an Event that says who holds it', () => {
  const [, second] = new Allocator().apply({ config, changed: alike.slice(0, 2), gone: [] })
  const message = 'AddressInUse: 10.0.0.1 is in use by others: default/s0'
  expect(second?.decision.events).toEqual([{ type: 'Warning', reason: 'AllocationFailed', message }])
})

test('one deletion decides one of thousands that wait, whatever their labels and namespaces', () => {
  const allocator = new Allocator()
  const changed = Array.from({ length: 5000 }, (_, index) =>
    service(`s${1000 + index}`, asks('10.0.0.1', { labels: { app: `a${index}` }, namespace: `n${index}` })),
  )
  allocator.apply({ config, changed: [service('first', asks('10.0.0.1')), ...changed], gone: [] })
  // Of the same age, n0 is the first by name: then n1 has its turn in vain.
  const decided = allocator.apply({ changed: [], gone: ['default/first'] })
  expect(answers(decided)).toEqual({ 'n0/s1000': '10.0.0.1' })
})

test('labels make those that ask for an address different where the pool goes by them', () => {
  const closed = pool('p', ['10.0.0.0/30'], {
    allocation: { serviceSelectors: [{ matchLabels: { app: 'web' } }] },
  })
  const allocator = new Allocator()
  const changed = ['db', 'web'].map((app) => service(app, asks('10.0.0.1', { labels: { app } })))
  const first = service(
    'first',
    asks('10.0.0.1', { labels: { app: 'web' }, createdAt: '2025-01-01T00:00:00Z' }),
  )
  allocator.apply({ config: configOf(closed), changed: [first, ...changed], gone: [] })
  expect(answers(allocator.apply({ changed: [], gone: ['default/first'] }))).toEqual({ web: '10.0.0.1' })
})

test('what comes to be taken changes nothing of what is said either', () => {
  const both = service('both', { ...asks('10.0.0.1,2001:db8::1'), ...dual })
  const six = service('six', { ...asks('2001:db8::1'), clusterIPs: ['fd00::1'] })
  const four = service('four', asks('10.0.0.1'))
  expect(refusals([[six], [both], [four]])).toEqual(refusals([[six, four], [both]]))
  const required = { ...dual, policy: 'RequireDualStack' as const }
  const small = configOf(pool('p', ['10.0.0.0/30', '2001:db8::/128']))
  const one = service('one', { clusterIPs: ['fd00::1'] })
  const waits = service('waits', required)
  const expected = 'NoFreeAddress: no free dual-stack address in pool p (4 IPv4 and 1 IPv6)'
  expect(refusals([[one], [waits]], small)).toEqual(new Map([['waits', expected]]))
  const full = ['a', 'b', 'c', 'd'].map((name) => service(name))
  expect(refusals([[one, ...full], [waits]], small)).toEqual(refusals([[one], [waits], full], small))
})
