import { expect, test } from 'vitest'
import { goDuration } from './go-duration.ts'

test.each([
  [0, '0s'],
  [500, '500ms'],
  [1500, '1.5s'],
  [90_000, '1m30s'],
  [3_600_000, '1h0m0s'],
])('%d ms', (ms, text) => {
  expect(goDuration(ms)).toBe(text)
})
