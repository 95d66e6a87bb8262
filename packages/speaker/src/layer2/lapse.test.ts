import { expect, test } from 'vitest'
import { Lapse } from './lapse.ts'

test('who is fenced for ten seconds says so, until it has the right again', () => {
  const lapse = new Lapse({ node: 'n1', policy: 'fence' })
  expect(lapse.look(true, 0)).toBeUndefined()
  expect(lapse.look(true, 9999)).toBeUndefined()
  expect(lapse.look(true, 10_000)).toMatchObject({ reason: 'noMajority' })
  expect(lapse.look(true, 20_000)).toMatchObject({ reason: 'noMajority' })
  expect(lapse.look(false, 20_001)).toBeUndefined()
  expect(lapse.look(true, 20_002)).toBeUndefined()
  expect(lapse.look(true, 30_001)).toBeUndefined()
  expect(lapse.look(true, 30_002)?.message).toContain('node n1 hears too few')
})

test('where every side serves, so does one of whose links some are broken', () => {
  const lapse = new Lapse({ node: 'n1', policy: 'serve' })
  expect(lapse.look(true, 0)).toBeUndefined()
  const message = 'node n1 hears too few of the other speakers, and is silent'
  expect(lapse.look(true, 10_000)).toMatchObject({ reason: 'noMajority', message })
})
