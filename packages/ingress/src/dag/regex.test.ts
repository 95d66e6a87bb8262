import { RE2JS } from 're2js'
import { expect, test, vi } from 'vitest'
import { isRegex, mostKnown, unitsOf } from './regex.ts'

test.each([
  ['/cart/[0-9]+', 7],
  ['[]a]', 1],
  [String.raw`[^\]]{3}`, 3],
  [String.raw`\p{Greek}\x{10FFFF}\.`, 3],
  ['a{3}', 3],
  ['a{2,5}', 5],
  ['a{2,}', 2],
  ['(?:ab){10}c', 21],
  ['((a{10}){10}){10}', 1000],
  ['(?P<name>x|y){4}', 8],
  ['a{', 2],
])('the size of %s is %i', (text, units) => {
  expect(unitsOf(text)).toBe(units)
})

test('one that becomes too large is none, whether RE2 would compile it for a second or not', () => {
  expect(isRegex(`/${'x{1000}'.repeat(60)}`)).toBe(true)
  expect(isRegex(`/${'x{1000}'.repeat(400)}`)).toBe(false)
  expect(isRegex('/(?=x)')).toBe(false)
  expect(isRegex('/(?=x)')).toBe(false)
})

test('of what is known the oldest alone is forgotten', () => {
  const compile = vi.spyOn(RE2JS, 'compile')
  const texts = Array.from({ length: mostKnown + 1 }, (_, index) => `/known/${index}`)
  for (const text of texts) isRegex(text)
  expect(compile).toHaveBeenCalledTimes(mostKnown + 1)
  for (const text of texts.toReversed()) isRegex(text)
  expect(compile).toHaveBeenCalledTimes(mostKnown + 2)
  compile.mockRestore()
})
