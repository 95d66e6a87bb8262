import { expect, test } from 'vitest'
import { expand } from './expansion.ts'

const values = new Map([
  ['A', 'one'],
  ['B', '$(A)'],
  ['EMPTY', ''],
])

test.each([
  ['$(A)', 'one'],
  ['x$(A)y$(A)', 'xoneyone'],
  ['$(MISSING)', '$(MISSING)'],
  ['$$(A)', '$(A)'],
  ['$$$(A)', '$one'],
  ['$$$$', '$$'],
  ['$(EMPTY)|', '|'],
  ['$A ${A} $', '$A ${A} $'],
  ['$(A', '$(A'],
  ['$(B)', '$(A)'],
])('%s becomes %s', (text, expanded) => {
  expect(expand(text, values)).toBe(expanded)
})
