import { expect, test } from 'vitest'
import { places } from '../testing.ts'
import { adviceOnRefusal, refusalText } from './envoy-refusal.ts'

const by = 'of content 0123456789abcdef'

test.each([
  [`scopes http/a ${by} (scoped), by Envoy 1.40.0: no`, 'this host alone'],
  ['host "a": routes "https/a": no', 'this host alone'],
  ['host "a": routes "ingress_http": no', 'every host without TLS'],
  [`clusters web/shop/80/da39 ${by} (scoped), by Envoy 1.40.0: no`, 'the routes to it alone'],
])('says how far it reaches: %s', (words, reach) => {
  expect(refusalText(words, [], 'web/shop')).toMatch(
    new RegExp(`^Envoy refuses what it asks for: no; this reaches ${reach}`),
  )
})

test('says with which command it is changed', () => {
  expect(adviceOnRefusal('web/shop', 'no', places)).toMatch(/: kubectl -n web edit httpproxy shop$/)
})
