import { expect, test } from 'vitest'
import { regexProblems, repeatsOf, sizeOf } from './regexes.ts'

function specOf(count: number, regex: string) {
  return {
    routes: Array.from({ length: count }, (_, index) => ({ conditions: [{ regex: `/${index}${regex}` }] })),
  }
}

const large = 'x{1000}'.repeat(60)

test('large regular expressions of an object are bounded together', () => {
  expect(regexProblems(specOf(4, large))).toEqual([])
  expect(regexProblems(specOf(5, large)).map(({ reason }) => reason)).toEqual(['RegexesTooLarge'])
})

test('they count wherever they stand', () => {
  const descriptors = [
    { entries: [{ requestHeaderValueMatch: { headers: [{ name: 'x', regex: large }], value: 'v' } }] },
  ]
  const spec = {
    includes: [{ name: 'child', conditions: [{ header: { name: 'x', regex: large } }] }],
    routes: [
      {
        conditions: [{ queryParameter: { name: 'x', regex: large } }],
        rateLimitPolicy: { global: { descriptors } },
      },
    ],
  }
  expect(sizeOf(spec)).toBe(180_000)
  expect(repeatsOf(spec)).toBe(3 * (60_000 - large.length))
})

test('thousands as people write them are no problem', () => {
  expect(regexProblems(specOf(10_000, '/[0-9a-f]{8}-[0-9a-f]{4}/(items|carts)/[^/]+'))).toEqual([])
  expect(regexProblems(specOf(3000, '/[a-z0-9-]{1,63}/.*'))).toEqual([])
})

test('one that is refused for its own size counts for nothing', () => {
  expect(repeatsOf(specOf(1, 'x{1000}'.repeat(400)))).toBe(0)
})
