import { expect, test } from 'vitest'
import { keyOfBytes } from '../codec/ethernet.ts'
import { headerOf } from '../codec/testing.ts'
import { Leadership, type Own } from './leadership.ts'
import { Membership } from './membership.ts'
import { deadlinesOf } from './timing.ts'

const deadlines = deadlinesOf({ intervalMs: 100, misses: 6 }, false)
const address = keyOfBytes(Uint8Array.of(192, 0, 2, 1))
const own: Own = {
  node: 'a',
  following: { coordinator: 'a', epoch: 1 },
  leaving: false,
  departing: false,
  suspended: false,
  blind: false,
  backing: 0,
  wasSettled: true,
}

test('a right that was given in one reign is waited out in the next', () => {
  const membership = new Membership('a', 1n, deadlines)
  membership.setPeers([{ node: 'b', addresses: ['b'] }], 0)
  const leadership = new Leadership(membership, { deadlines, preferAfterMs: undefined, rebalanceMs: 0 })
  leadership.begin({ kind: 'none', rightsUntil: 0 }, 1000)
  const { counter: ack } = membership.identify('b', 1000)
  membership.receive(headerOf('b', { echo: 1n, ack }), 'b', true, 1000)
  leadership.ledger.apply('b', [], [address])
  leadership.grants('b')
  const dead = 1000 + deadlines.detectMs
  leadership.begin({ kind: 'none', rightsUntil: 0 }, dead)
  expect(leadership.bury('a', dead)).toBe(0)
  expect(leadership.bury('a', 1000 + deadlines.leaseMs + deadlines.marginMs)).toBe(1)
})

test('what a member held that is gone is taken from it in slices, and nothing is settled before', () => {
  const membership = new Membership('a', 1n, deadlines)
  membership.setPeers([{ node: 'b', addresses: ['b'] }], 0)
  const leadership = new Leadership(membership, { deadlines, preferAfterMs: undefined, rebalanceMs: 0 })
  const { ledger } = leadership
  const held = Array.from({ length: 5000 }, (_, i) => keyOfBytes(Uint8Array.of(198, 18, i >> 8, i & 255)))
  ledger.apply('b', [], held)
  let taken = 0
  ledger.watch(() => taken++)
  leadership.gone('b', 1000)
  const slices: number[] = []
  while (ledger.hasEstates) {
    expect([leadership.wakeAt(1000), leadership.isComplete(own, 1000)]).toEqual([1000, false])
    const before = taken
    ledger.settle()
    slices.push(taken - before)
  }
  expect([taken, Math.max(...slices), [...ledger.addresses]]).toEqual([5000, 500, []])
  expect(leadership.isComplete(own, 1000)).toBe(true)
})
