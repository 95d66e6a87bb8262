import { expect, test } from 'vitest'
import { matchesAny, matchesSelector } from './selectors.ts'

const labels = { app: 'web', tier: '' }
const expression = (key: string, operator: string, values?: string[]) => ({
  matchExpressions: [values === undefined ? { key, operator } : { key, operator, values }],
})

test.each([
  ['empty', {}, true],
  ['equal label', { matchLabels: { app: 'web' } }, true],
  ['other value', { matchLabels: { app: 'db' } }, false],
  ['absent label', { matchLabels: { zone: 'a' } }, false],
  ['In', expression('app', 'In', ['db', 'web']), true],
  ['In without the label', expression('zone', 'In', ['a']), false],
  ['NotIn', expression('app', 'NotIn', ['web']), false],
  ['NotIn without the label', expression('zone', 'NotIn', ['a']), true],
  ['Exists with an empty value', expression('tier', 'Exists'), true],
  ['DoesNotExist', expression('app', 'DoesNotExist'), false],
  [
    'labels and expressions together',
    { matchLabels: { app: 'web' }, ...expression('zone', 'Exists') },
    false,
  ],
  ['unknown operator', expression('app', 'Like', ['web']), false],
])('%s', (_, selector, expected) => {
  expect(matchesSelector(selector, labels)).toBe(expected)
})

test('of several selectors one is enough, and without any everything matches', () => {
  expect(matchesAny([{ matchLabels: { app: 'db' } }, { matchLabels: { app: 'web' } }], labels)).toBe(true)
  expect(matchesAny([{ matchLabels: { app: 'db' } }], labels)).toBe(false)
  expect(matchesAny([], labels)).toBe(true)
})
