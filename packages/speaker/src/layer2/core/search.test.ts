import { expect, test } from 'vitest'
import { headerOf } from '../codec/testing.ts'
import { Membership } from './membership.ts'
import { Search } from './search.ts'
import { deadlinesOf } from './timing.ts'

const deadlines = deadlinesOf({ intervalMs: 100, misses: 6 }, false)
const beats = 30

/** Of so many peers, all heard once, at 1000, how often each is asked for; `living`: those that are heard still. */
function asked(self: string, count: number, living: readonly string[] = [], from = 3000, during = beats) {
  const names = Array.from({ length: count }, (_, i) => `n${String(i + 1).padStart(2, '0')}`)
  const membership = new Membership(self, 1n, deadlines)
  membership.setPeers(
    names.map((node) => ({ node, addresses: [node] })),
    0,
  )
  const hear = (node: string, now: number, state?: 'left'): void => {
    const { counter } = membership.identify(node, now)
    const header = headerOf(node, { echo: 1n, ack: counter, counter, ...(state && { state }) })
    membership.receive(header, node, true, now)
  }
  for (const node of names) if (node !== self) hear(node, 1000)
  const search = new Search(self, membership)
  const times = new Map<string, number>()
  let most = 0
  for (let beat = 0; beat < during; beat++) {
    const now = from + beat * 100
    for (const node of living) hear(node, now)
    const some = search.next(now)
    most = Math.max(most, some.length)
    for (const { node } of some) times.set(node, (times.get(node) ?? 0) + 1)
  }
  return { times, most, membership, search, hear }
}

test('each lost peer is asked for every third beat, none that lives, or said goodbye', () => {
  const { times, most, search, hear } = asked('n01', 6, ['n02', 'n03'])
  expect(Object.fromEntries(times)).toEqual({ n04: 10, n05: 10, n06: 10 })
  expect(most).toBe(1)
  for (const node of ['n04', 'n05', 'n06']) hear(node, 7000, 'left')
  expect([1, 2, 3].flatMap((beat) => search.next(7000 + beat)).map(({ node }) => node)).not.toContain('n04')
})

test('of many that are lost three are asked for with a beat, all in their turn', () => {
  const { times, most } = asked('n01', 31)
  expect([times.size, most]).toEqual([30, 3])
  expect(new Set(times.values())).toEqual(new Set([beats / 10]))
})

test.each([
  ['a minute', 60_000, 10],
  ['ten minutes', 600_000, 100],
])('after %s each is asked for less often, no two with one beat', (_, silentMs, between) => {
  const few = asked('n01', between + 1, [], 1000 + silentMs, between * 3)
  expect([few.times.size, few.most]).toEqual([between, 1])
  expect(new Set(few.times.values())).toEqual(new Set([3]))
  const many = asked('n01', between * 2 + 1, [], 1000 + silentMs, between * 2)
  expect([many.times.size, many.most]).toEqual([between * 2, 1])
})

test('those that are lost for long do not hold up one that was lost just now', () => {
  const { search, hear } = asked('n01', 100, [], 700_000)
  hear('n50', 700_000)
  const times = Array.from({ length: beats }, (_, beat) => search.next(701_000 + beat * 100))
  expect(times.flat().filter(({ node }) => node === 'n50')).toHaveLength(beats / 3)
})

test('one that only beats to the hubs asks for nobody', () => {
  expect(asked('n30', 30, ['n01', 'n02', 'n03']).times.size).toBe(0)
})

test('one that never spoke, or is not listed any more, is not asked for', () => {
  const membership = new Membership('a', 1n, deadlines)
  membership.setPeers([{ node: 'b', addresses: ['b'] }], 0)
  const search = new Search('a', membership)
  expect([1, 2, 3].flatMap((beat) => search.next(3000 + beat))).toEqual([])
})
