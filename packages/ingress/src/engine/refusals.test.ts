import { expect, test } from 'vitest'
import { Refusals } from './refusals.ts'

test('of what is well again only what is still wanted is remembered', () => {
  const wanted = new Map<string, string>()
  const refusals = new Refusals({ holders: () => [], version: ({ name }) => wanted.get(name) })
  const takeAndMend = (name: string) => {
    const refused = { type: 'clusters', name, version: 'v', build: '1.38.3', message: 'no' } as const
    wanted.set(name, 'v')
    refusals.add(refused)
    refusals.clear(refused)
  }
  for (let n = 0; n < 500; n++) takeAndMend(`web/stays-${n}`)
  expect(refusals.cleared).toBe(500)
  for (let n = 0; n < 5000; n++) {
    takeAndMend(`web/goes-${n}`)
    wanted.delete(`web/goes-${n}`)
  }
  expect(refusals.cleared).toBeGreaterThanOrEqual(500)
  expect(refusals.cleared).toBeLessThanOrEqual(1001)
})
