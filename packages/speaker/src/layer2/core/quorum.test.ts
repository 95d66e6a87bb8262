import { expect, test } from 'vitest'
import { headerOf } from '../codec/testing.ts'
import type { PartitionPolicy } from './fence.ts'
import { Membership, type Peer } from './membership.ts'
import { confirmedBy, isEnoughAlone } from './quorum.ts'
import { deadlinesOf } from './timing.ts'

const deadlines = deadlinesOf({ intervalMs: 100, misses: 6 }, true)
const { leaseMs } = deadlines
const epoch = 5

/** `self` coordinates; the others are those given. */
function sideOf(self: string, others: readonly string[], policy: PartitionPolicy = 'fence') {
  const membership = new Membership(self, 7n, deadlines)
  membership.setPeers(
    others.map((node) => ({ node, addresses: [node] })),
    0,
  )
  let counter = 1n
  const side = { self, policy, membership, leaseMs }
  return {
    side,
    /** The node says that it follows `self`, and confirms what was sent now. */
    hear: (node: string, now: number): Peer => {
      const { counter: ack } = membership.identify(node, now)
      const following = { epoch, coordinator: self }
      const header = headerOf(node, { counter: counter++, echo: 7n, ack, following, hears: true })
      const received = membership.receive(header, node, true, now)
      if (received.kind !== 'accepted') throw new Error(received.kind)
      return received.peer
    },
  }
}

test('one that follows is enough to serve on', () => {
  const { side, hear } = sideOf('a', ['b', 'c', 'd'], 'serve')
  expect(confirmedBy(side, hear('c', 100), epoch)).toBe(100)
})

test('of four the half with the first leads, the other does not', () => {
  const first = sideOf('a', ['b', 'c', 'd'])
  expect(confirmedBy(first.side, first.hear('c', 100), epoch)).toBe(100)
  const second = sideOf('b', ['a', 'c', 'd'])
  expect(confirmedBy(second.side, second.hear('c', 100), epoch)).toBe(Number.NEGATIVE_INFINITY)
  second.hear('d', 200)
  expect(confirmedBy(second.side, second.hear('c', 250), epoch)).toBe(200)
})

test('the first, which followed while it joined and is cut off now, stands for no half any more', () => {
  const { side, hear } = sideOf('b', ['a', 'c', 'd'])
  hear('a', 100)
  expect(confirmedBy(side, hear('c', 150), epoch)).toBe(100)
  expect(confirmedBy(side, hear('c', 5000), epoch)).toBe(100)
})

test('alone serves whoever is the only one, or the first of two', () => {
  const enough = (self: string, others: readonly string[], policy?: PartitionPolicy) =>
    isEnoughAlone(sideOf(self, others, policy).side)
  expect([enough('a', []), enough('a', ['b']), enough('b', ['a']), enough('a', ['b', 'c'])]).toEqual([
    true,
    true,
    false,
    false,
  ])
  expect(enough('b', ['a', 'c'], 'serve')).toBe(true)
})
