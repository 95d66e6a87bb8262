import { expect, test } from 'vitest'
import { readLocalRateLimit } from './local-rate-limit.ts'

test('more requests with burst than Envoy counts are refused', () => {
  const read = (burst: number) =>
    readLocalRateLimit('spec', 'RouteError', { local: { requests: 0xfffffffe, unit: 'second', burst } })
  expect(read(1).ok).toBe(true)
  expect(read(2)).toMatchObject({
    ok: false,
    problems: [
      {
        reason: 'RateLimitPolicyNotValid',
        message: 'spec.rateLimitPolicy.local.burst: with requests it is above 4294967295',
      },
    ],
  })
})
