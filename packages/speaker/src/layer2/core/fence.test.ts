import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Fence, majorityUntil } from './fence.ts'
import { deadlinesOf } from './timing.ts'

const deadlines = deadlinesOf({ intervalMs: 100, misses: 6 }, false)

const step = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(1500) }),
  fc.record({ kind: fc.constant('confirm' as const), ago: fc.nat(900), grantMs: fc.nat(1000) }),
  fc.constant({ kind: 'alone' as const }),
  fc.constant({ kind: 'lapse' as const }),
  fc.constant({ kind: 'resume' as const }),
)

test('nobody answers later than its newest right lasts, nor after a lapse before it is known what is still its own', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const fence = new Fence(deadlines)
      let [now, until, inDoubt] = [10_000, 0, true]
      for (const one of steps) {
        if (one.kind === 'pass') now += one.ms
        if (one.kind === 'confirm') {
          fence.confirm(now - one.ago, one.grantMs)
          until = Math.max(until, now - one.ago + Math.min(deadlines.leaseMs, one.grantMs))
        }
        if (one.kind === 'alone') {
          fence.extendAlone(now)
          until = Math.max(until, now + deadlines.stallMs)
        }
        if (one.kind === 'lapse') {
          fence.lapse(now)
          inDoubt ||= now >= until
        }
        if (one.kind === 'resume') {
          fence.resume(now)
          inDoubt &&= now >= until
        }
        expect(fence.mayAnswer(now)).toBe(!inDoubt && now < until)
      }
    }),
  )
})

test('a right that is given up ends at once, and what is held is in doubt', () => {
  const fence = new Fence(deadlines)
  fence.confirm(0)
  fence.resume(1)
  expect(fence.mayAnswer(2)).toBe(true)
  fence.revoke()
  expect([fence.mayAnswer(3), fence.suspended]).toEqual([false, true])
})

test('a right is given for no longer than the own lasts', () => {
  const fence = new Fence(deadlines)
  expect([fence.grantMs('serve', 0), fence.grantMs('fence', 0)]).toEqual([0, 0])
  fence.confirm(0)
  expect([fence.grantMs('serve', 700), fence.grantMs('fence', 700), fence.grantMs('fence', 720)]).toEqual([
    0xffff, 20, 0,
  ])
})

/** Members by index, the first by name first; each is on one side of a partition that began long ago. */
const partition = fc
  .array(fc.boolean(), { minLength: 1, maxLength: 9 })
  .map((sides) => sides.map((side) => (side ? 'a' : 'b')))

function mayLead(sides: readonly string[], side: string): boolean {
  const [now, leaseMs] = [10_000, 720]
  const here = sides.flatMap((one, member) => (one === side ? [member] : []))
  const [coordinator] = here
  if (coordinator === undefined) return false
  // What the other side confirmed before counts no more, be it the first of all.
  const confirmedAt = sides.flatMap((one, member) =>
    member === coordinator ? [] : [one === side ? now - 50 : now - leaseMs],
  )
  const first = coordinator === 0 ? Number.POSITIVE_INFINITY : now - leaseMs
  return majorityUntil(confirmedAt, sides.length, first, leaseMs) > now
}

test('of two sides exactly one leads: the larger, and of equal halves that of the first', () => {
  fc.assert(
    fc.property(partition, (sides) => {
      const count = sides.filter((side) => side === 'a').length
      const larger = count * 2 === sides.length ? sides[0] : count * 2 > sides.length ? 'a' : 'b'
      expect([mayLead(sides, 'a'), mayLead(sides, 'b')]).toEqual([larger === 'a', larger === 'b'])
    }),
  )
})

test('half leads for as long as the first is known to follow', () => {
  const until = (first: number) => majorityUntil([1000, 400], 4, first, 720)
  expect([until(Number.POSITIVE_INFINITY), until(1000), until(400), until(Number.NEGATIVE_INFINITY)]).toEqual(
    [1720, 1720, 1120, 1120],
  )
})
