import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { equalIP, type IP } from './ip.ts'
import { overlap, type Range, rangeContains } from './range.ts'
import { RangeIndex } from './range-index.ts'

const largest = 30
const family = fc.constantFrom(4 as const, 6 as const)
const ranges = fc.tuple(family, fc.nat(largest), fc.nat(8)).map(
  ([family, first, more]): Range => ({
    first: { family, value: BigInt(first) },
    last: { family, value: BigInt(first + more) },
  }),
)
const lists = fc.array(ranges, { maxLength: 12 })
const found = (index: number) => (index < 0 ? undefined : index)

test('answers what a walk over the list answers', () => {
  fc.assert(
    fc.property(lists, ranges, (list, range) => {
      const index = new RangeIndex(list)
      expect(index.findOverlap(range)).toBe(found(list.findIndex((one) => overlap(one, range))))
      expect([...index.overlapping(range)]).toEqual(index.parts.filter((one) => overlap(one, range)))
      for (const family of [4, 6] as const) {
        for (let value = 0n; value <= largest + 9; value++) {
          const ip: IP = { family, value }
          expect(index.find(ip)).toBe(found(list.findIndex((one) => rangeContains(one, ip))))
        }
      }
    }),
  )
})

test('the parts ascend, do not overlap, and none goes on where the one before it ends', () => {
  fc.assert(
    fc.property(lists, (list) => {
      const { parts } = new RangeIndex(list)
      for (const [at, part] of parts.entries()) {
        const next = parts[at + 1]
        expect(part.first.value <= part.last.value).toBe(true)
        if (next === undefined || next.first.family !== part.first.family) continue
        expect(next.first.value > part.last.value).toBe(true)
        const touches = equalIP(next.first, { ...part.last, value: part.last.value + 1n })
        expect(touches && next.owner === part.owner).toBe(false)
      }
    }),
  )
})

test('the ends of a family belong to it', () => {
  const whole = { first: { family: 6, value: 0n }, last: { family: 6, value: (1n << 128n) - 1n } } as const
  const index = new RangeIndex([whole])
  expect([index.find(whole.first), index.find(whole.last)]).toEqual([0, 0])
  expect(index.find({ family: 4, value: 0n })).toBeUndefined()
})
