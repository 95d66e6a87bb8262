/** The plan under whatever befalls members, with orders that are carried out late, and in any order among the nodes. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ledger } from './ledger.ts'
import type { Candidate } from './placement.ts'
import { Plan, type Scene } from './plan.ts'

const nodes = ['a', 'b', 'c', 'd']

interface Told {
  readonly kind: 'release' | 'take'
  readonly address: string
}

/** What members really hold, beside what the coordinator knows. */
class World {
  readonly held = new Map<string, Set<string>>(nodes.map((node) => [node, new Set()]))
  readonly alive = new Set(nodes)
  readonly leaving = new Set<string>()
  readonly wrong: string[] = []
  readonly moves: string[] = []
  readonly candidates = new Map<string, readonly Candidate[]>()
  readonly #orders = new Map<string, Told[]>(nodes.map((node) => [node, []]))
  readonly #ledger: Ledger = new Ledger((address) => this.#plan.touch(address))
  readonly #plan: Plan = new Plan(this.#ledger, {
    release: (node, address) => this.#orders.get(node)?.push({ kind: 'release', address }),
    take: (node, address) => this.#orders.get(node)?.push({ kind: 'take', address }),
  })
  now = 0

  desire(address: string, unit: string, eligible: readonly string[], preferred = ''): void {
    const candidates = eligible.map((node) => ({ node, weight: node === preferred ? 1 : 0 }))
    this.candidates.set(unit, candidates)
    this.#plan.set({ key: address, unit, candidates })
  }

  mayOwn(node: string): boolean {
    return this.alive.has(node) && !this.leaving.has(node)
  }

  holders(address: string): readonly string[] {
    return nodes.filter((node) => this.held.get(node)?.has(address))
  }

  scene(): Scene {
    return {
      now: this.now,
      mayOwn: (node) => this.mayOwn(node),
      mayTake: (node) => this.mayOwn(node),
      isAlive: (node) => this.alive.has(node),
      isLeaving: (node) => this.leaving.has(node),
      standing: () => 0,
      mayPlace: true,
      preferAfterMs: undefined,
    }
  }

  settle(): void {
    this.now += 10
    this.#plan.settle(this.scene(), 100)
  }

  rebalance(): boolean {
    return this.#plan.rebalance(this.scene())
  }

  /** The node's oldest order, which it confirms. False: it has none. */
  carryOut(node: string): boolean {
    const order = this.#orders.get(node)?.shift()
    const held = this.held.get(node)
    if (order === undefined || held === undefined) return false
    const { kind, address } = order
    if (kind === 'release') {
      held.delete(address)
      this.#ledger.apply(node, [address], [])
      return true
    }
    const others = this.holders(address).filter((one) => one !== node)
    if (others.length > 0) this.wrong.push(`${node} takes ${address}, which ${others.join()} has`)
    if (!held.has(address)) this.moves.push(`${address} to ${node}`)
    held.add(address)
    this.#ledger.apply(node, [], [address])
    return true
  }

  die(node: string): void {
    this.alive.delete(node)
    this.held.get(node)?.clear()
    this.#orders.set(node, [])
    this.#ledger.close(node, { node, kind: 'dead', at: this.now })
    this.#plan.touchAll()
  }

  live(node: string): void {
    this.alive.add(node)
    this.leaving.delete(node)
    this.#plan.touchAll()
  }

  leave(node: string): void {
    this.leaving.add(node)
    this.#plan.touchAll()
  }

  calm(): void {
    for (let round = 0; round < 20; round++) {
      this.settle()
      for (const node of nodes) while (this.carryOut(node));
    }
  }

  loads(): readonly number[] {
    return nodes.filter((node) => this.mayOwn(node)).map((node) => this.held.get(node)?.size ?? 0)
  }
}

const addresses = ['1', '2', '3', '4', '5', '6']
/** Two of them belong together. */
const unitOf = (address: string): string => (address === '2' ? '1' : address)
const node = fc.constantFrom(...nodes)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('carryOut' as const), node }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle' as const), node }) },
  fc.record({ kind: fc.constantFrom('die' as const, 'live' as const, 'leave' as const), node }),
  fc.record({ kind: fc.constant('rebalance' as const), node }),
  fc.record({
    kind: fc.constant('desire' as const),
    node,
    unit: fc.constantFrom(...new Set(addresses.map(unitOf))),
    eligible: fc.subarray(nodes, { minLength: 1 }),
  }),
)

/** The order is not carried out yet when a move is meant, and the move's goal is shut out before it is. */
const movedToWhatMayNotHoldIt: (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[] = [
  { kind: 'settle', node: 'a' },
  { kind: 'desire', node: 'c', unit: '1', eligible: ['a', 'c', 'd'] },
  { kind: 'settle', node: 'a' },
  { kind: 'desire', node: 'a', unit: '1', eligible: ['d'] },
]

test('nobody is given what another has; in the end each address has one owner that may have it, if there is one', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new World()
      for (const address of addresses) world.desire(address, unitOf(address), nodes)
      for (const one of steps) {
        if (one.kind === 'carryOut') world.carryOut(one.node)
        else if (one.kind === 'settle') world.settle()
        else if (one.kind === 'rebalance') world.rebalance()
        else if (one.kind !== 'desire') world[one.kind](one.node)
        else
          for (const address of addresses)
            if (unitOf(address) === one.unit) world.desire(address, one.unit, one.eligible, one.node)
      }
      world.calm()
      for (const address of addresses) {
        const candidates = world.candidates.get(unitOf(address)) ?? []
        const able = candidates.map((one) => one.node).filter((name) => world.mayOwn(name))
        const holders = world.holders(address)
        // What a leaving node has, stays while nobody else may have it.
        const right =
          able.length > 0 ? able.includes(holders.join()) : holders.every((one) => world.leaving.has(one))
        expect({ address, holders, able, right }).toMatchObject({ right: true })
      }
      expect(world.holders('1')).toEqual(world.holders('2'))
      expect(world.wrong).toEqual([])
    }),
    { numRuns: 500, examples: [[movedToWhatMayNotHoldIt]] },
  )
})

test('equal nodes get equally much; a death moves what it must, a return nothing, a rebalance evens out', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), node, (count, victim) => {
      const spread = (world: World): number => Math.max(...world.loads()) - Math.min(...world.loads())
      const world = new World()
      for (let i = 0; i < count; i++) world.desire(`${i}`, `${i}`, nodes)
      world.calm()
      expect([world.moves.length, spread(world) <= 1]).toEqual([count, true])
      const lost = [...(world.held.get(victim) ?? [])]
      world.die(victim)
      world.calm()
      const moved = world.moves.splice(0).slice(count)
      expect(moved).toHaveLength(lost.length)
      expect(new Set(moved.map((move) => move.split(' ')[0]))).toEqual(new Set(lost))
      expect(spread(world)).toBeLessThanOrEqual(1)
      world.live(victim)
      world.calm()
      expect(world.moves).toEqual([])
      while (world.rebalance()) world.calm()
      expect(spread(world)).toBeLessThanOrEqual(1)
      expect(world.wrong).toEqual([])
    }),
  )
})
