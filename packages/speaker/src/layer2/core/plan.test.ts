import { expect, test } from 'vitest'
import { Ledger } from './ledger.ts'
import type { Candidate } from './placement.ts'
import { Plan, type Scene } from './plan.ts'

const even: readonly Candidate[] = ['a', 'b', 'c'].map((node) => ({ node, weight: 0 }))
const preferC: readonly Candidate[] = even.map(({ node }) => ({ node, weight: node === 'c' ? 10 : 0 }))

/** A plan whose orders are carried out at once, and written down. */
function planner() {
  const told: string[] = []
  const ledger = new Ledger((address) => live.touch(address))
  const live: Plan = new Plan(ledger, {
    release: (node, address) => {
      told.push(`${node} releases ${address}`)
      ledger.apply(node, [address], [])
    },
    take: (node, address, { reason }) => {
      told.push(`${node} takes ${address}: ${reason}`)
      ledger.apply(node, [], [address])
    },
  })
  const scene = (some: Partial<Scene> = {}): Scene => ({
    now: 0,
    mayOwn: () => true,
    mayTake: some.mayOwn ?? (() => true),
    isAlive: () => true,
    isLeaving: () => false,
    standing: () => 0,
    mayPlace: true,
    preferAfterMs: undefined,
    ...some,
  })
  const settle = (some: Partial<Scene> = {}): readonly string[] => {
    for (let turn = 0; turn < 10; turn++) live.settle(scene(some), 100)
    return told.splice(0)
  }
  return { plan: live, scene, settle }
}

test('a heavier node is chosen first; of equals the least loaded, then the first by name', () => {
  const { plan, settle } = planner()
  plan.set({ key: '1', unit: '1', candidates: preferC })
  plan.set({ key: '2', unit: '2', candidates: even })
  plan.set({ key: '3', unit: '3', candidates: even })
  expect(settle()).toEqual(['c takes 1: placed', 'a takes 2: placed', 'b takes 3: placed'])
})

test('who does not know what is desired is given only what nobody else may have', () => {
  const { plan, settle } = planner()
  plan.set({ key: '1', unit: '1', candidates: preferC })
  plan.set({ key: '2', unit: '2', candidates: [{ node: 'c', weight: 0 }] })
  expect(settle({ mayTake: (node) => node !== 'c' })).toEqual(['a takes 1: placed', 'c takes 2: placed'])
})

test('a better node that joins takes over only by the flag, after its delay', () => {
  const { plan, scene, settle } = planner()
  plan.set({ key: '1', unit: '1', candidates: preferC })
  expect(settle({ mayOwn: (node) => node !== 'c' })).toEqual(['a takes 1: placed'])
  plan.touchAll()
  expect(settle({ now: 1000 })).toEqual([])
  plan.prefer(scene({ now: 5999, preferAfterMs: 5000 }))
  expect(settle({ now: 5999 })).toEqual([])
  plan.prefer(scene({ now: 6000, preferAfterMs: 5000 }))
  expect(settle({ now: 6000 })).toEqual(['a releases 1', 'c takes 1: preferred'])
})

test('a preference that is written down later counts at once', () => {
  const { plan, settle } = planner()
  plan.set({ key: '1', unit: '1', candidates: even })
  expect(settle()).toEqual(['a takes 1: placed'])
  plan.set({ key: '1', unit: '1', candidates: preferC })
  expect(settle()).toEqual(['a releases 1', 'c takes 1: preferred'])
})

test('a holder that is cordoned gives up what others can have, and gets it back only when asked', () => {
  const cordonA: readonly Candidate[] = even.map(({ node }) => ({ node, weight: node === 'a' ? -1e9 : 0 }))
  const { plan, settle } = planner()
  plan.set({ key: '1', unit: '1', candidates: even })
  expect(settle()).toEqual(['a takes 1: placed'])
  plan.set({ key: '1', unit: '1', candidates: cordonA })
  expect(settle({ mayOwn: (node) => node === 'a' })).toEqual([])
  plan.set({ key: '1', unit: '1', candidates: even })
  plan.set({ key: '1', unit: '1', candidates: cordonA })
  expect(settle()).toEqual(['a releases 1', 'b takes 1: preferred'])
  plan.set({ key: '1', unit: '1', candidates: even })
  expect(settle()).toEqual([])
})

test('one that was cordoned takes nothing back, however much it is preferred', () => {
  const cordonC = preferC.map(({ node, weight }) => ({ node, weight: node === 'c' ? weight - 1e9 : weight }))
  const { plan, settle } = planner()
  plan.set({ key: '1', unit: '1', candidates: preferC })
  expect(settle()).toEqual(['c takes 1: placed'])
  plan.set({ key: '1', unit: '1', candidates: cordonC })
  expect(settle()).toEqual(['c releases 1', 'a takes 1: preferred'])
  plan.set({ key: '1', unit: '1', candidates: preferC })
  expect(settle()).toEqual([])
})

test('a preference that was written down in the time of another coordinator moves nothing later', () => {
  const { plan, settle } = planner()
  plan.set({ key: '1', unit: '1', candidates: even })
  expect(settle()).toEqual(['a takes 1: placed'])
  plan.set({ key: '1', unit: '1', candidates: preferC })
  plan.reset()
  expect(settle()).toEqual([])
})

test('addresses that come to belong together come to one node', () => {
  const { plan, settle } = planner()
  plan.set({ key: '1', unit: '1', candidates: even })
  plan.set({ key: '2', unit: '2', candidates: even })
  settle()
  plan.set({ key: '2', unit: '1', candidates: even })
  expect(settle()).toEqual(['b releases 2', 'a takes 2: grouped'])
})

test('what nobody is known to have held waits; what a leaving node has, stays while nobody else can have it', () => {
  const { plan, settle } = planner()
  plan.set({ key: '1', unit: '1', candidates: even })
  expect(settle({ mayPlace: false })).toEqual([])
  expect(settle({ mayOwn: (node) => node === 'b' })).toEqual(['b takes 1: placed'])
  plan.touchAll()
  expect(settle({ mayOwn: () => false, isLeaving: (node) => node === 'b' })).toEqual([])
})
