import { expect, test } from 'vitest'
import { RequestRate } from './request-rate.ts'

test('a burst goes at once, then each waits for its turn, and an idle bucket fills again', () => {
  let now = 0
  const rate = new RequestRate(10, 3, () => now)
  expect([rate.take(), rate.take(), rate.take(), rate.take(), rate.take()]).toEqual([0, 0, 0, 100, 200])
  now = 10_000
  expect([rate.take(), rate.take(), rate.take(), rate.take()]).toEqual([0, 0, 0, 100])
})
