import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { headerOf } from '../codec/testing.ts'
import { Allegiance } from './allegiance.ts'
import { Membership } from './membership.ts'
import { deadlinesOf } from './timing.ts'

const deadlines = deadlinesOf({ intervalMs: 100, misses: 6 }, false)
const own = 7n
const nodes = ['a', 'b', 'd', 'e']

/** The third of five. */
function member() {
  const membership = new Membership('c', own, deadlines)
  membership.setPeers(
    nodes.map((node) => ({ node, addresses: [node] })),
    0,
  )
  const allegiance = new Allegiance('c', membership, deadlines)
  allegiance.begin(0)
  let [now, counter] = [10, 1n]
  return {
    membership,
    allegiance,
    pass: (ms: number) => {
      now += ms
      return now
    },
    hear: (node: string, epoch: number, coordinator: string, backing = 0) => {
      const { counter: ack } = membership.identify(node, now)
      const of = {
        counter: counter++,
        echo: own,
        ack,
        following: { epoch, coordinator },
        backing,
        hears: true,
        first: coordinator === '' ? undefined : { node: coordinator, blind: false, heardMs: 1 },
      }
      const header = headerOf(node, of)
      membership.receive(header, node, true, now)
      allegiance.heard(header, now)
    },
  }
}

const heard = fc.record({
  node: fc.constantFrom(...nodes),
  epoch: fc.nat(1000),
  coordinator: fc.constantFrom('', 'c', ...nodes),
  backing: fc.nat(1000),
})

test('whoever comes to lead does so by an epoch above all that it has heard of, each time', () => {
  fc.assert(
    fc.property(fc.array(fc.array(heard, { maxLength: 6 }), { maxLength: 5 }), (reigns) => {
      const { allegiance, hear, pass } = member()
      let highest = -1
      for (const messages of reigns) {
        for (const { node, epoch, coordinator, backing } of messages) {
          hear(node, epoch, coordinator, backing)
          highest = Math.max(highest, epoch, backing)
        }
        allegiance.lead(pass(1))
        expect(allegiance.following.epoch).toBeGreaterThan(highest)
        expect(allegiance.leads).toBe(true)
        highest = allegiance.following.epoch
      }
    }),
  )
})

test('only the first that lives is followed, and only by a later epoch', () => {
  fc.assert(
    fc.property(fc.array(heard, { minLength: 1, maxLength: 12 }), (messages) => {
      const { allegiance, membership, hear, pass } = member()
      for (const { node, epoch, coordinator } of messages) {
        hear(node, epoch, coordinator)
        const following = allegiance.toFollow(pass(1))
        if (following === undefined) continue
        const live = nodes.filter((one) => membership.alive(one, pass(0)))
        expect(live.filter((one) => one < following.coordinator)).toEqual([])
        expect(following.epoch).toBeGreaterThan(allegiance.following.epoch)
        allegiance.following = following
      }
    }),
  )
})

test('a coordinator that is blocked by the word of another is followed once that has changed its mind', () => {
  const { allegiance, hear, pass } = member()
  hear('d', 3, 'a')
  hear('b', 4, 'b')
  expect(allegiance.toFollow(pass(1))).toBeUndefined()
  hear('d', 4, 'b')
  expect(allegiance.toFollow(pass(1))).toEqual({ epoch: 4, coordinator: 'b' })
})
