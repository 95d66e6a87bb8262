import { expect, test } from 'vitest'
import { waitFor } from './wait.ts'

test('gives what was seen at last', async () => {
  let looks = 0
  expect(await waitFor('three looks', () => ++looks >= 3 && `look ${looks}`, { intervalMs: 1 })).toBe(
    'look 3',
  )
})

test('says what it waited for and what went wrong last', async () => {
  const fail = (): never => {
    throw new Error('connection refused')
  }
  await expect(waitFor('an answer', fail, { timeoutMs: 20, intervalMs: 5 })).rejects.toThrow(
    'waited 0.02 s for an answer; last: connection refused',
  )
})
