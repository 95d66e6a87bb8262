import { mayUse, type Pool } from '@landfall/metallb'
import { formatIP, type IP } from '@landfall/netip'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Layout } from './layout.ts'
import { configOf, pool } from './testing.ts'

const v4 = fc.tuple(fc.nat(15), fc.nat(15)).map(([a, b]) => {
  const [first, last] = a < b ? [a, b] : [b, a]
  return (base: string) => `${base}.${245 + Math.min(first, 10)}-${base}.${Math.min(245 + last, 255)}`
})
const choice = fc.record({ entry: v4, avoidBuggyIPs: fc.boolean(), v6: fc.boolean(), refused: fc.boolean() })

/** Each has a range of its own /24, one that goes over into the next, and perhaps IPv6. */
const pools = fc.array(choice, { maxLength: 5 }).map((choices) =>
  choices.map(({ entry, v6, ...rest }, index) => {
    const over = `10.0.${4 * index + 1}.250-10.0.${4 * index + 2}.3`
    const more = v6 ? [`2001:db8:${index}::/126`] : []
    return pool(`p${index}`, [over, entry(`10.0.${4 * index}`), ...more], rest)
  }),
)

/** All that the pools give out of a family, as a walk over them finds it. */
function walk(all: readonly Pool[], family: 4 | 6): readonly IP[] {
  const found: IP[] = []
  for (const one of all) {
    for (const { first, last } of one.ranges.filter((range) => range.first.family === family)) {
      for (let { value } = first; value <= last.value; value++) {
        if (mayUse(one, { family, value })) found.push({ family, value })
      }
    }
  }
  return found
}

test('the slots are the order of a walk over the pools, without a gap', () => {
  fc.assert(
    fc.property(pools, fc.boolean(), (all, reversed) => {
      const usable = all.filter(({ refused }) => !refused)
      const tried = reversed ? usable.toReversed() : usable
      const layout = new Layout(configOf(...all), tried)
      for (const family of [4, 6] as const) {
        const expected = walk(tried, family)
        expect(expected.map((ip) => layout.slotOf(ip))).toEqual(expected.map((_, index) => BigInt(index)))
        const back = expected.map((_, index) => layout.ipAt(BigInt(index), family))
        expect(back.map((ip) => ip && formatIP(ip))).toEqual(expected.map(formatIP))
        expect(layout.ipAt(BigInt(expected.length), family)).toBeUndefined()
        for (const [place, one] of tried.entries()) {
          const { first, end } = layout.spanOf({ layout, first: place, last: place }, family)
          expect(walk(tried, family).slice(Number(first), Number(end))).toEqual(walk([one], family))
        }
      }
    }),
  )
})

test('an address that no pool gives out has a slot of its own behind all others', () => {
  const one = pool('p', ['10.0.0.0/30'], { avoidBuggyIPs: true })
  const layout = new Layout(configOf(one), [one])
  const slots = [0n, 1n, 2n, 3n, 4n].map((value) => layout.slotOf({ family: 4, value: 0x0a000000n + value }))
  expect(slots.slice(1, 4)).toEqual([0n, 1n, 2n])
  expect(new Set(slots).size).toBe(5)
  expect(slots.filter((slot) => slot > 2n)).toHaveLength(2)
})
