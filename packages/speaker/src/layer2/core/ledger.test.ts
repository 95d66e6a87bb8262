import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Holdings } from './holdings.ts'
import { Ledger } from './ledger.ts'

const nodes = ['a', 'b', 'c']
const addresses = ['1', '2', '3', '4']

function digestOf(held: readonly string[]): bigint {
  const holdings = new Holdings()
  for (const address of held) holdings.add(address)
  return holdings.digest
}

const node = fc.constantFrom(...nodes)
const some = fc.subarray(addresses)
const step = fc.oneof(
  fc.record({ kind: fc.constant('expect' as const), node, address: fc.constantFrom(...addresses) }),
  fc.record({ kind: fc.constant('cancel' as const), node, address: fc.constantFrom(...addresses) }),
  fc.record({ kind: fc.constant('apply' as const), node, removed: some, added: some }),
  fc.record({ kind: fc.constant('claims' as const), node, first: some, second: some }),
  fc.record({ kind: fc.constant('close' as const), node, limit: fc.nat(4) }),
  fc.record({ kind: fc.constant('leave' as const), node }),
  fc.record({ kind: fc.constant('settle' as const), limit: fc.nat(4) }),
)

test('who holds what another holds is counted, whatever happens', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const ledger = new Ledger(() => {})
      const wrong: unknown[] = []
      for (const one of steps) {
        if (one.kind === 'expect') ledger.expect(one.node, one.address)
        if (one.kind === 'cancel') ledger.cancel(one.node, one.address)
        if (one.kind === 'apply') ledger.apply(one.node, one.removed, one.added)
        if (one.kind === 'close') ledger.close(one.node, { node: one.node, kind: 'dead', at: 0 }, one.limit)
        if (one.kind === 'leave') ledger.leave(one.node, { node: one.node, kind: 'left', at: 0 })
        if (one.kind === 'settle') ledger.settle(one.limit)
        if (one.kind === 'claims') {
          const digest = digestOf([...new Set([...one.first, ...one.second])])
          ledger.observe(one.node, digest)
          ledger.applyClaims(one.node, digest, 0, 2, one.first)
          ledger.applyClaims(one.node, digest, 1, 2, one.second)
          if (ledger.digestOf(one.node) !== digest) wrong.push(one)
        }
        expect(wrong).toEqual([])
        const held = addresses.map((address) => ledger.holdersOf(address))
        for (const name of nodes)
          expect(ledger.isDisputed(name)).toBe(held.some((holders) => holders.size > 1 && holders.has(name)))
        expect(new Set(ledger.conflicts)).toEqual(
          new Set(addresses.filter((_, i) => (held[i]?.size ?? 0) > 1)),
        )
      }
    }),
  )
})

test('what a part of claims names counts as held before the rest is here; what no part names, no more', () => {
  const ledger = new Ledger(() => {})
  ledger.apply('a', [], ['1'])
  const digest = digestOf(['2', '3'])
  expect(ledger.observe('a', digest)).toBe(false)
  expect(ledger.applyClaims('a', digest, 0, 2, ['2'])).toBe(true)
  expect([ledger.isKnown('a'), [...ledger.holdersOf('2')], [...ledger.holdersOf('1')]]).toEqual([
    false,
    ['a'],
    ['a'],
  ])
  expect(ledger.applyClaims('a', digest, 1, 2, ['3'])).toBe(false)
  expect([ledger.isKnown('a'), ledger.load('a'), ledger.holdersOf('1').size]).toEqual([true, 2, 0])
})

test('a node that is gone is closed in parts', () => {
  const ledger = new Ledger(() => {})
  ledger.apply('a', [], ['1', '2'])
  ledger.expect('a', '3')
  const loss = { node: 'a', kind: 'dead', at: 7 } as const
  expect([ledger.close('a', loss, 2), ledger.nodes, [...ledger.addresses]]).toEqual([false, ['a'], ['3']])
  expect([ledger.close('a', loss, 2), ledger.nodes, [...ledger.addresses]]).toEqual([true, [], []])
  expect(addresses.map((address) => ledger.lossOf(address)?.at)).toEqual([7, 7, 7, undefined])
})

test('from one that is gone it is taken in parts, but not what its successor of that name says it holds', () => {
  const ledger = new Ledger(() => {})
  ledger.apply('a', [], ['1', '2', '3'])
  ledger.observe('a', digestOf(['1', '2', '3']))
  ledger.leave('a', { node: 'a', kind: 'left', at: 7 })
  expect([ledger.load('a'), ledger.isKnown('a'), [...ledger.addresses]]).toEqual([0, false, ['1', '2', '3']])
  ledger.apply('a', [], ['2'])
  ledger.settle(1)
  expect([ledger.hasEstates, [...ledger.addresses]]).toEqual([true, ['2', '3']])
  ledger.settle(3)
  expect([ledger.hasEstates, [...ledger.addresses], ledger.load('a')]).toEqual([false, ['2'], 1])
  expect(addresses.map((address) => ledger.lossOf(address)?.kind)).toEqual([
    'left',
    undefined,
    'left',
    undefined,
  ])
})
