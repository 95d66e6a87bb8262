import { expect, test } from 'vitest'
import { Allocator } from './allocator.ts'
import { answers, configOf, pool, service } from './testing.ts'

test('a Service that was deleted and made again under its name between two looks starts anew', () => {
  const allocator = new Allocator()
  const made = service('web', { createdAt: '2026-01-02T00:00:00Z' })
  allocator.apply({ config: configOf(pool('p', ['10.0.0.0/32'])), changed: [made], gone: [] })
  const waits = service('waits', { createdAt: '2026-01-03T00:00:00Z' })
  allocator.apply({ changed: [waits], gone: [] })
  const again = service('web', { createdAt: '2026-01-04T00:00:00Z' })
  const other = { ...again, meta: { ...again.meta, uid: 'another' } }
  expect(answers(allocator.apply({ changed: [other], gone: [] }))).toEqual({
    waits: '10.0.0.0',
    web: 'NoFreeAddress',
  })
})

test('it is told what it is given, be it what its namesake had', () => {
  const allocator = new Allocator()
  const made = service('web')
  allocator.apply({ config: configOf(pool('p', ['10.0.0.0/30'])), changed: [made], gone: [] })
  const [decided] = allocator.apply({ changed: [{ ...made, meta: { ...made.meta, uid: 'b' } }], gone: [] })
  expect(decided?.decision.events).toMatchObject([
    { reason: 'IPAllocated', message: 'Assigned IP ["10.0.0.0"]' },
  ])
})
