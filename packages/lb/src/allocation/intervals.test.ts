import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Intervals } from './intervals.ts'

const largest = 40
const steps = fc.array(fc.tuple(fc.boolean(), fc.bigInt(0n, BigInt(largest))), { maxLength: 120 })

test('answers what a plain set answers, after any additions and deletions', () => {
  fc.assert(
    fc.property(steps, fc.bigInt(0n, 40n), fc.bigInt(0n, 40n), (changes, a, b) => {
      const plain = new Set<bigint>()
      const intervals = new Intervals()
      for (const [add, value] of changes) {
        if (add) plain.add(value)
        else plain.delete(value)
        if (add) intervals.add(value)
        else intervals.delete(value)
      }
      const [first, last] = a < b ? [a, b] : [b, a]
      const between = [...plain].filter((value) => first <= value && value <= last)
      expect(intervals.countBetween(first, last)).toBe(BigInt(between.length))
      expect(intervals.isEmpty).toBe(plain.size === 0)
      for (let value = 0n; value <= largest; value++) {
        expect(intervals.has(value)).toBe(plain.has(value))
        let next = value
        while (plain.has(next)) next++
        expect(intervals.nextOutside(value)).toBe(next)
        const inside = [...plain].filter((one) => one >= value).toSorted((x, y) => Number(x - y))
        expect(intervals.nextInside(value)).toBe(inside[0])
      }
    }),
  )
})
