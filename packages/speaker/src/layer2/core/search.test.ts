import { expect, test } from 'vitest'
import { headerOf } from '../codec/testing.ts'
import { Membership } from './membership.ts'
import { Search } from './search.ts'
import { deadlinesOf } from './timing.ts'

const deadlines = deadlinesOf({ intervalMs: 100, misses: 6 }, false)
const beats = 30

/** Of so many peers, all heard once, how often each is asked for; `living`: those that are heard still. */
function asked(self: string, count: number, living: readonly string[] = []) {
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
  for (let beat = 0; beat < beats; beat++) {
    const now = 3000 + beat * 100
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

test('one that only beats to the hubs asks for nobody', () => {
  expect(asked('n30', 30, ['n01', 'n02', 'n03']).times.size).toBe(0)
})

test('one that never spoke, or is not listed any more, is not asked for', () => {
  const membership = new Membership('a', 1n, deadlines)
  membership.setPeers([{ node: 'b', addresses: ['b'] }], 0)
  const search = new Search('a', membership)
  expect([1, 2, 3].flatMap((beat) => search.next(3000 + beat))).toEqual([])
})
