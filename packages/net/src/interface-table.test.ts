import { isDeepStrictEqual } from 'node:util'
import { parseIP } from '@landfall/netip'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { InterfaceTable } from './interface-table.ts'
import type { Link, LinkAddress, NetlinkMessage } from './netlink-messages.ts'

function link(index: number, change: Partial<Link> = {}): Link {
  return {
    index,
    name: `eth${index}`,
    mac: Uint8Array.of(2, 0, 0, 0, 0, index),
    ethernet: true,
    up: true,
    running: true,
    carrierUps: 1,
    broadcast: true,
    loopback: false,
    noArp: false,
    master: 0,
    ...change,
  }
}

function address(index: number, last: number, tentative = false): LinkAddress {
  const ip = parseIP(`2001:db8::${last}`)
  if (ip === undefined) throw new Error('no address')
  return { index, ip, prefixLength: 64, tentative, duplicate: false }
}

const index = fc.integer({ min: 1, max: 3 })
const links = fc
  .record({ index, up: fc.boolean(), renamed: fc.boolean(), mac: fc.nat(1) })
  .map(({ index, up, renamed, mac }) =>
    link(index, { up, mac: Uint8Array.of(2, 0, 0, 0, mac, index), ...(renamed ? { name: 'lan' } : {}) }),
  )
const addresses = fc.tuple(index, fc.integer({ min: 1, max: 3 }), fc.boolean()).map((of) => address(...of))
const messages: fc.Arbitrary<readonly NetlinkMessage[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('link' as const, 'linkGone' as const), link: links }),
    fc.record({ kind: fc.constantFrom('address' as const, 'addressGone' as const), address: addresses }),
  ),
  { maxLength: 25 },
)

function tableOf(all: readonly NetlinkMessage[]): InterfaceTable {
  const table = new InterfaceTable()
  for (const message of all) table.apply(message)
  return table
}

const sorted = (table: InterfaceTable): unknown =>
  table.snapshot().map((one) => ({
    ...one,
    addresses: one.addresses.toSorted((a, b) => Number(a.ip.value - b.ip.value)),
  }))

test('a change gives another snapshot, nothing else does, and each is as if it were the first', () => {
  fc.assert(
    fc.property(messages, (all) => {
      const table = new InterfaceTable()
      for (const [i, message] of all.entries()) {
        const before = table.snapshot()
        const changed = table.apply(message)
        expect(table.snapshot() !== before).toBe(changed)
        expect(sorted(table)).toEqual(sorted(tableOf(all.slice(0, i + 1))))
      }
    }),
  )
})

test('an interface that did not change keeps its value', () => {
  const table = tableOf([
    { kind: 'link', link: link(1) },
    { kind: 'link', link: link(2) },
    { kind: 'address', address: address(2, 1) },
  ])
  const [first, second] = table.snapshot()
  expect(table.apply({ kind: 'address', address: address(2, 1, true) })).toBe(true)
  expect(table.snapshot()[0]).toBe(first)
  expect(table.snapshot()[1]).not.toBe(second)
  expect(table.snapshot()[1]?.addresses).toMatchObject([{ tentative: true }])
})

test('after a dump it is what was dumped, and a dump of the same changes nothing', () => {
  fc.assert(
    fc.property(messages, messages, (before, dumped) => {
      const table = tableOf(before)
      const was = sorted(table)
      const changed = table.become(tableOf(dumped))
      expect(sorted(table)).toEqual(sorted(tableOf(dumped)))
      expect(changed || isDeepStrictEqual(sorted(table), was)).toBe(true)
      expect(table.become(tableOf(dumped))).toBe(false)
    }),
  )
})
