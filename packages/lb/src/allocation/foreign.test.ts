import { keyOf } from '@landfall/kube/model'
import { formatIP } from '@landfall/netip'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Allocator } from './allocator.ts'
import type { BalancedService } from './request.ts'
import { answers, configOf, pool, type ServiceChoices, service } from './testing.ts'

const config = configOf(pool('p', ['10.0.0.0/30']))
const older = { createdAt: '2025-01-01T00:00:00Z' }
const younger = { createdAt: '2027-01-01T00:00:00Z' }
const held = (name: string, choices: ServiceChoices = {}) =>
  service(name, { status: ['10.0.0.0'], ...choices })

test('what the status of a Service of another class names is given to nobody, until it names it no more', () => {
  const allocator = new Allocator()
  const foreign = [held('theirs', younger)]
  expect(answers(allocator.apply({ config, foreign, changed: [service('a')], gone: [] }))).toEqual({
    a: '10.0.0.1',
  })
  const wanted = service('b', { loadBalancerIP: '10.0.0.0' })
  const [refused] = allocator.apply({ changed: [wanted], gone: [] })
  expect(refused?.decision).toMatchObject({
    refusal: { reason: 'AddressInUse', message: '10.0.0.0 is in use by others', detail: 'default/theirs' },
  })
  expect([allocator.holders, [...allocator.holdings()].length]).toEqual([1, 1])
  const moved = [held('theirs', { ...younger, status: ['10.0.0.2'] })]
  expect(answers(allocator.apply({ foreign: moved, changed: [], gone: [] }))).toEqual({ b: '10.0.0.0' })
  allocator.apply({ changed: [], gone: ['default/theirs'] })
  const last = service('c', { loadBalancerIP: '10.0.0.2' })
  expect(answers(allocator.apply({ changed: [last], gone: [] }))).toEqual({ c: '10.0.0.2' })
})

test('where one of another class holds it too, nobody joins those who share', () => {
  const allocator = new Allocator()
  const shares = (name: string, choices: ServiceChoices = {}) =>
    service(name, {
      annotations: { 'metallb.io/allow-shared-ip': 'k' },
      ports: [`TCP/${name.length}`],
      ...choices,
    })
  const ours = shares('ours', { ...older, status: ['10.0.0.0'] })
  allocator.apply({ config, foreign: [held('theirs')], changed: [ours], gone: [] })
  expect(allocator.ledger.holding('default/ours').map(formatIP)).toEqual(['10.0.0.0'])
  expect(answers(allocator.apply({ changed: [shares('a')], gone: [] }))).toEqual({ a: '10.0.0.1' })
  allocator.apply({ changed: [], gone: ['default/theirs'] })
  expect(answers(allocator.apply({ changed: [shares('bb')], gone: [] }))).toEqual({ bb: '10.0.0.0' })
})

test('nobody shares with a Service of another class', () => {
  const allocator = new Allocator()
  const shared = { annotations: { 'metallb.io/allow-shared-ip': 'k' } }
  allocator.apply({ config, foreign: [held('theirs', shared)], changed: [], gone: [] })
  const second = service('a', { ...shared, ports: ['TCP/443'] })
  expect(answers(allocator.apply({ changed: [second], gone: [] }))).toEqual({ a: '10.0.0.1' })
})

test.each<[string, ServiceChoices, string]>([
  ['older', older, '10.0.0.0'],
  ['younger', younger, '10.0.0.1'],
])('of two on one address the older keeps it: ours is the %s', (_, choices, expected) => {
  const ours = held('ours', choices)
  const theirs = [held('theirs')]
  const after = (...batches: readonly { foreign?: BalancedService[]; changed: BalancedService[] }[]) => {
    const allocator = new Allocator()
    allocator.apply({ config, changed: [], gone: [] })
    for (const batch of batches) allocator.apply({ ...batch, gone: [] })
    return allocator.ledger.holding('default/ours').map(formatIP).join()
  }
  const orders = [
    after({ foreign: theirs, changed: [ours] }),
    after({ foreign: theirs, changed: [] }, { changed: [ours] }),
    after({ changed: [ours] }, { foreign: theirs, changed: [] }),
    after({ changed: [ours] }, { foreign: theirs, changed: [] }, { changed: [ours] }),
  ]
  expect(orders).toEqual([expected, expected, expected, expected])
})

test('it loses it with an Event, and a Service that comes over from another class keeps what it has', () => {
  const allocator = new Allocator()
  allocator.apply({ config, changed: [held('ours', younger)], gone: [] })
  const [lost] = allocator.apply({ foreign: [held('theirs')], changed: [], gone: [] })
  expect(lost?.decision.events).toMatchObject([
    { reason: 'ClearAssignment', message: '10.0.0.0 is in use by default/theirs' },
    { reason: 'IPAllocated' },
  ])
  allocator.apply({ changed: [held('theirs')], gone: [] })
  expect(allocator.ledger.holding('default/theirs').map(formatIP)).toEqual(['10.0.0.0'])
  expect(allocator.holders).toBe(2)
})

const names = ['a', 'b', 'c', 'd', 'e', 'f']
const choice = fc.record({
  day: fc.integer({ min: 1, max: 3 }),
  class: fc.constantFrom('x', 'y'),
  ip: fc.constantFrom('', '', '10.0.0.1'),
  status: fc.constantFrom<string[]>([], [], ['10.0.0.0'], ['10.0.0.1']),
  sharing: fc.constantFrom('', '', 'k'),
})
type Turn = { readonly sees: 'x' | 'y'; readonly name: string }
const turns = fc.array(
  fc.record<Turn>({ sees: fc.constantFrom('x', 'y'), name: fc.constantFrom(...names) }),
  { maxLength: 30 },
)

test('two controllers of different classes agree in the end, whoever sees what first: no address is given twice', () => {
  fc.assert(
    fc.property(fc.array(choice, { minLength: 6, maxLength: 6 }), turns, (choices, script) => {
      const world = new Map<string, BalancedService>()
      for (const [index, { day, ip, status, sharing, class: loadBalancerClass }] of choices.entries()) {
        const annotations: Record<string, string> =
          sharing === '' ? {} : { 'metallb.io/allow-shared-ip': sharing }
        const made = { createdAt: `2026-01-0${day}T00:00:00Z`, loadBalancerIP: ip, status, annotations }
        world.set(`default/${names[index]}`, {
          ...service(names[index] ?? '', { ...made, ports: [`TCP/${index}`] }),
          loadBalancerClass,
        })
      }
      const controllers = { x: new Allocator(), y: new Allocator() }
      /** Whether any status is another then. */
      const see = (own: 'x' | 'y', key: string, first = false): boolean => {
        const seen = world.get(key)
        if (seen === undefined) return false
        const isOurs = seen.loadBalancerClass === own
        const batch = { changed: isOurs ? [seen] : [], foreign: isOurs ? [] : [seen], gone: [] }
        let isNews = false
        for (const { key, decision } of controllers[own].apply({ ...(first ? { config } : {}), ...batch })) {
          const service = world.get(key)
          const ingress = decision.kind === 'refused' ? [] : decision.ips.map((ip) => ({ ip: formatIP(ip) }))
          if (service === undefined || JSON.stringify(service.ingress) === JSON.stringify(ingress)) continue
          world.set(key, { ...service, ingress })
          isNews = true
        }
        return isNews
      }
      for (const own of ['x', 'y'] as const) for (const key of world.keys()) see(own, key, true)
      for (const { sees, name } of script) see(sees, `default/${name}`)
      let rounds = 0
      const all = (['x', 'y'] as const).flatMap((own) => [...world.keys()].map((key) => [own, key] as const))
      while (all.map(([own, key]) => see(own, key)).includes(true)) expect(++rounds).toBeLessThan(20)

      const terms = new Map<string | undefined, string>()
      for (const { meta, ingress, loadBalancerClass } of world.values()) {
        const key = meta.annotations['metallb.io/allow-shared-ip']
        const term = key === undefined ? meta.name : `${key} of class ${loadBalancerClass}`
        for (const { ip } of ingress) {
          expect(terms.get(ip) ?? term).toBe(term)
          terms.set(ip, term)
        }
      }
      for (const allocator of Object.values(controllers)) {
        const holding = [...world.values()].map(({ meta, ingress }) => [
          allocator.ledger.holding(keyOf(meta)).map(formatIP),
          ingress.map(({ ip }) => ip),
        ])
        for (const [holds, status] of holding) expect(holds).toEqual(status)
      }
    }),
    { numRuns: 500 },
  )
})
