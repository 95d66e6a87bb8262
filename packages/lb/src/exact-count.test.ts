import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { exactCount, sameStatus } from './exact-count.ts'

test.each(['0', '256', '9007199254740993', '2305843009213693952', '9223372036854775807'])(
  '%s is written exactly and is the same when read back',
  (digits) => {
    const status = { availableIPv6: exactCount(BigInt(digits)), conditions: [] }
    const text = JSON.stringify(status)
    expect(text).toBe(`{"availableIPv6":${digits},"conditions":[]}`)
    expect(sameStatus(JSON.parse(text), status)).toBe(true)
    expect(sameStatus({ ...JSON.parse(text), availableIPv6: 7 }, status)).toBe(false)
  },
)

test('two large counts are equal only when they are the same', () => {
  const [a, b] = [9223372036854775806n, 9223372036854775807n]
  expect(isDeepStrictEqual(exactCount(a), exactCount(a))).toBe(true)
  expect(isDeepStrictEqual(exactCount(a), exactCount(b))).toBe(false)
})
