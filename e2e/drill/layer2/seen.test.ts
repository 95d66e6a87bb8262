import { expect, test } from 'vitest'
import type { Claim } from '../../segment/claims.ts'
import { type Facts, observed } from './seen.ts'

const ip = '192.0.2.1'
const facts: Facts = {
  ips: [ip],
  mac: 'old',
  victim: 'n1',
  struck: 1000,
  healed: 4000,
  settled: undefined,
}

/** Asked each 25 ms; the new owner answers from 1700 on. */
function claims(...more: readonly (readonly [mac: string, at: number])[]): readonly Claim[] {
  const answers = Array.from({ length: 200 }, (_, i) => ['new', 1700 + i * 25] as const)
  return [...answers, ...more].map(([mac, at]) => ({ ip, mac, at, kind: 'answer' }))
}

test('another one took over, and the one that returned is silent', () => {
  const { answersMs, figures, complaints } = observed(claims(['old', 990]), facts)
  expect([answersMs, complaints]).toEqual([700, []])
  expect(figures).toMatchObject({ 'claims by the returned': 0, conflicts: 0 })
})

test('it is away from its own last claim on, not from the command that struck it', () => {
  const all = [...claims(['old', 990], ['old', 1090])].toSorted((a, b) => a.at - b.at)
  expect(observed(all, facts).answersMs).toBe(610)
})

test('one that wakes and claims what others have taken is told of, however early', () => {
  const { figures, complaints } = observed(claims(['old', 4003]), facts)
  expect(figures).toMatchObject({ 'claims by the returned': 1, 'not one owner after return': 1 })
  expect(complaints).toEqual([
    'n1 claimed 1 times after its return what others had taken',
    `2 nodes answer for ${ip} after n1 returned`,
    `${ip}: new and old within 3.0 ms`,
    `${ip}: old and new within 22.0 ms`,
  ])
})

test('two sides have their time to be one, and no more', () => {
  const sides = { ...facts, settled: 4600 }
  expect(observed(claims(['old', 4103]), sides).complaints).toEqual([])
  expect(observed(claims(['old', 4603]), sides).complaints).toHaveLength(3)
})

test('one that is fenced off falls silent just before another answers, and stays so', () => {
  const fenced = { ...facts, fenced: true }
  const handedOver = claims(['old', 1670]).toSorted((a, b) => a.at - b.at)
  expect(observed(handedOver, facts).complaints).toHaveLength(1)
  expect(observed(handedOver, fenced).complaints).toEqual([])
  const relapsed = [...handedOver, ...claims(['old', 1710])].toSorted((a, b) => a.at - b.at)
  expect(observed(relapsed, fenced).figures).toMatchObject({ conflicts: 2 })
})

test('nobody takes over', () => {
  expect(observed([], facts).complaints).toEqual([
    `nobody else answered for ${ip}`,
    `0 nodes answer for ${ip} after n1 returned`,
  ])
})
