import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Allocator } from './allocator.ts'
import { configOf, pool, service } from './testing.ts'
import { countOf, mostCounted, usageOf } from './usage.ts'

const empty = new Allocator().ledger

test.each([
  [['1.2.3.0/24'], false, 256n, 0n],
  [['1.2.3.0/24', '2.3.4.128/25'], false, 384n, 0n],
  [['1.2.3.0/24', '2.3.4.128/25'], true, 381n, 0n],
  [['1.2.3.0/31', '1000::/127'], true, 1n, 2n],
  [['1.2.3.0/32'], true, 0n, 0n],
  [['0.0.0.0/0'], true, (1n << 32n) - (1n << 25n), 0n],
  [['1000::/64'], false, 0n, 1n << 64n],
])('%j with avoidBuggyIPs %s has %s and %s addresses', (addresses, avoidBuggyIPs, v4, v6) => {
  const one = pool('p', addresses, { avoidBuggyIPs })
  expect(usageOf(one, 4, empty)).toEqual({ total: v4, assigned: 0n })
  expect(usageOf(one, 6, empty)).toEqual({ total: v6, assigned: 0n })
})

test('the addresses left out are those that end in .0 or .255', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(1500), (first, more) => {
      const text = (value: number) => `10.0.${value >> 8}.${value & 255}`
      const last = Math.min(first + more, 0xffff)
      let usable = 0n
      for (let value = first; value <= last; value++) if (![0, 255].includes(value & 255)) usable++
      const one = pool('p', [`${text(first)}-${text(last)}`], { avoidBuggyIPs: true })
      expect(usageOf(one, 4, empty).total).toBe(usable)
    }),
  )
})

test('an address counts once however many share it', () => {
  const one = pool('p', ['10.0.0.0/30'])
  const shared = (port: string) => ({ annotations: { 'metallb.io/allow-shared-ip': 'k' }, ports: [port] })
  const allocator = new Allocator()
  const changed = [service('a', shared('TCP/1')), service('b', shared('TCP/2')), service('c')]
  allocator.apply({ config: configOf(one), changed, gone: [] })
  expect(usageOf(one, 4, allocator.ledger)).toEqual({ total: 4n, assigned: 2n })
})

test('what is too much for an int64 is said as the most that fits', () => {
  expect(countOf(1n << 64n)).toBe(mostCounted)
  expect(BigInt(JSON.stringify(mostCounted)) < 1n << 63n).toBe(true)
  expect(JSON.parse(JSON.stringify(mostCounted))).toBe(mostCounted)
  expect([countOf(-1n), countOf(0n), countOf(256n)]).toEqual([0, 0, 256])
})
