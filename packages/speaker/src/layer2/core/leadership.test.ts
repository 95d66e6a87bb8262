import { expect, test } from 'vitest'
import { keyOfBytes } from '../codec/ethernet.ts'
import { headerOf } from '../codec/testing.ts'
import { Leadership } from './leadership.ts'
import { Membership } from './membership.ts'
import { deadlinesOf } from './timing.ts'

const deadlines = deadlinesOf({ intervalMs: 100, misses: 6 }, false)
const address = keyOfBytes(Uint8Array.of(192, 0, 2, 1))

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
