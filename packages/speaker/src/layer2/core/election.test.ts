import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Coordinating, Header } from '../codec/message.ts'
import { headerOf } from '../codec/testing.ts'
import { Allegiance } from './allegiance.ts'
import { beatTargets, firstLive, nextExpiry } from './election.ts'
import { Membership } from './membership.ts'
import { deadlinesOf } from './timing.ts'

const deadlines = deadlinesOf({ intervalMs: 100, misses: 6 }, false)
const { detectMs, intervalMs } = deadlines
const nodes = ['a', 'b', 'c', 'd', 'e']
const led = (coordinator: string): Partial<Header> => ({ following: { epoch: 1, coordinator } })

function member(node: string) {
  const membership = new Membership(node, 1n, deadlines)
  membership.setPeers(
    nodes.filter((one) => one !== node).map((one) => ({ node: one, addresses: [one] })),
    0,
  )
  const allegiance = new Allegiance(node, membership, deadlines)
  allegiance.begin(0)
  allegiance.settle(detectMs * 2)
  let counter = 0n
  return {
    membership,
    allegiance,
    first: (now: number) => firstLive({ node, joining: false, blind: false }, membership, now)?.node,
    hear: (from: string, now: number, some: Partial<Header>) => {
      const { counter: ack } = membership.identify(from, now)
      const header = headerOf(from, { counter: ++counter, echo: 1n, ack, ...some })
      membership.receive(header, from, true, now)
      allegiance.heard(header, now)
    },
  }
}

const word = (heardMs: number, blind = false): Coordinating => ({ node: 'a', blind, heardMs })

describe('one that is not heard here', () => {
  test('is left its place while someone who is heard hears it', () => {
    const { first, hear, membership } = member('c')
    hear('d', 1000, { ...led('a'), hears: true, first: word(500) })
    expect(first(1000 + detectMs - 1)).toBe('a')
    expect(nextExpiry('c', membership, 1000)).toBe(1000 + detectMs)
    hear('d', 1000 + detectMs - 1, led('a'))
    expect(first(1000 + detectMs)).toBe('c')
  })

  test('by way of others for its detection time', () => {
    const { first, hear, membership } = member('c')
    hear('d', 1000, { first: word(500) })
    expect(nextExpiry('c', membership, 1000)).toBe(500 + detectMs)
    expect(first(500 + detectMs - 1)).toBe('a')
    expect(first(500 + detectMs)).toBe('c')
  })

  test.each(['left', 'joining'] as const)('not when it was heard to be %s since', (state) => {
    const { first, hear } = member('c')
    hear('a', 1000, { state })
    hear('d', 1001, { first: word(20) })
    expect(first(1002)).toBe('c')
    hear('d', 1000 + detectMs, { first: word(20) })
    expect(first(1001 + detectMs)).toBe('a')
  })

  test('when it was heard to be joining, and who is heard follows it already', () => {
    const { first, hear } = member('c')
    hear('a', 1000, { state: 'joining' })
    hear('d', 1001, { ...led('a'), hears: true, first: word(20) })
    expect(first(1002)).toBe('a')
  })

  test('not when it has no API server, and this one has', () => {
    const { first, hear } = member('c')
    hear('d', 1000, { first: word(20, true) })
    expect(first(1001)).toBe('c')
  })
})

describe('a member of many that beats to the hubs', () => {
  const [self, hubs] = ['n12', ['n01', 'n02', 'n03']]
  const names = Array.from({ length: 12 }, (_, i) => `n${String(i + 1).padStart(2, '0')}`)

  /** Beats then, is answered by the hubs but for the last time; whom it beats to next. */
  function targets(beats: readonly number[], answered: boolean, now: number): readonly string[] {
    const membership = new Membership(self, 1n, deadlines)
    membership.setPeers(
      names.map((node) => ({ node, addresses: [node] })),
      0,
    )
    for (const [i, at] of beats.entries())
      for (const node of hubs) {
        const { counter } = membership.identify(node, at)
        const header = headerOf(node, { counter, echo: 1n, ack: counter })
        if (answered || i < beats.length - 1) membership.receive(header, node, true, at + 1)
      }
    return beatTargets(self, membership, true, now)
  }

  test('beats to all when none of them answered', () => {
    expect(targets([1000, 1100], false, 1200)).toHaveLength(11)
    expect(targets([1000, 1170], false, 1340)).toHaveLength(11)
  })

  test('does not when it was late itself', () => {
    for (const late of [0, 60, 120, 240]) expect(targets([1000, 1100], true, 1200 + late)).toEqual(hubs)
  })
})

test('who gives way to one that is not heard stands aside until rights that one gave have ended', () => {
  const { allegiance, hear } = member('c')
  let now = 2 * detectMs
  hear('d', now, {})
  allegiance.lead(now)
  hear('d', now, { first: word(20) })
  expect(allegiance.isSuperseded(now)).toBe(false)
  now += intervalMs * 1.5 + 1
  expect(allegiance.isSuperseded(now)).toBe(true)
  allegiance.stepDown()
  hear('d', now + 1, {})
  expect(allegiance.mustLead(now + 1)).toBe(true)
  expect(allegiance.lead(now + 1)).toEqual({
    kind: 'none',
    rightsUntil: now + deadlines.leaseMs + deadlines.marginMs,
  })
})

test('a word ends, however it goes round among those who do not hear the one it is of', () => {
  const told = fc.array(
    fc.tuple(fc.constantFrom('b', 'c', 'd', 'e'), fc.constantFrom('b', 'c', 'd', 'e'), fc.nat(20)),
  )
  fc.assert(
    fc.property(told, (tellings) => {
      const members = new Map(nodes.slice(1).map((node) => [node, member(node)]))
      let now = 10_000
      members.get('b')?.hear('e', now, { first: word(1) })
      for (const [from, to, pause] of tellings) {
        now += pause
        const first = members.get(from)?.allegiance.coordinating(now)
        if (from !== to) members.get(to)?.hear(from, now, { first })
        const until = Math.max(...[...members.values()].map(({ membership }) => lastEnd(membership)))
        expect(until).toBeLessThanOrEqual(10_000 + detectMs)
      }
    }),
  )
})

function lastEnd({ peers }: Membership): number {
  const ends = [...peers.values()].map(({ heardAt, header }) =>
    header?.first === undefined ? 0 : heardAt - header.first.heardMs + detectMs,
  )
  return Math.max(...ends)
}
