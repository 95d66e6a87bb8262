import { expect, test } from 'vitest'
import type { Claim } from '../../segment/claims.ts'
import { silenceFigures, silenceOf, silenceTexts } from './silence.ts'

const [a, b] = ['192.0.2.1', '192.0.2.2']
const within = { from: 1000, to: 3000 }

/** Asked each 25 ms. */
function answered(ip: string, silentMs: number): readonly Claim[] {
  return Array.from(
    { length: 120 },
    (_, i): Claim => ({ ip, mac: 'one', at: 500 + i * 25, kind: 'answer' }),
  ).filter(({ at }) => at <= 2000 || at >= 2000 + silentMs)
}

test('an owner that lives and is not heard is told of', () => {
  const silence = silenceOf([...answered(a, 350), ...answered(b, 300)], [a, b], within)
  expect(silenceFigures(silence)).toEqual({ 'max others silent ms': 350 })
  expect(silenceTexts(silence, 20)).toEqual([`nobody answered for ${a} for 350 ms, though its owner lived`])
})

test('one that is not heard again is silent to the end', () => {
  expect(silenceOf(answered(a, 5000), [a], within)).toEqual(new Map([[a, 1000]]))
})

test('nothing is said where timers were as late', () => {
  const silence = silenceOf(answered(a, 350), [a], within)
  expect([silenceTexts(silence, 299), silenceTexts(silence, 300)].map(({ length }) => length)).toEqual([1, 0])
})

test('where every address is the victim’s nothing is measured', () => {
  expect(silenceFigures(silenceOf(answered(a, 350), [], within))).toEqual({})
})
