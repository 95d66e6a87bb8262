import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Allocator } from './allocator.ts'
import { configOf, pool, service } from './testing.ts'
import { countedUsage, fullnessOf, usageOf } from './usage.ts'

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

test.each([
  ['TestPoolCount: /24', ['1.2.3.0/24'], false, '256', '0'],
  ['TestPoolCount: /24 + /25', ['1.2.3.0/24', '2.3.4.128/25'], false, '384', '0'],
  ['TestPoolCount: with avoidBuggyIPs', ['1.2.3.0/24', '2.3.4.128/25'], true, '381', '0'],
  [
    'TestPoolCount: with a v6 /64',
    ['1.2.3.0/24', '2.3.4.128/25', '1000::/64'],
    true,
    '381',
    '9223372036854775807',
  ],
  ['TestPoolCount: /31 + v6 /127', ['1.2.3.0/31', '1000::/127'], true, '1', '2'],
  ['62 host bits count as infinite', ['1000::/66'], false, '0', '9223372036854775807'],
  ['61 host bits count exactly', ['1000::/67'], false, '0', '2305843009213693952'],
  ['a /32 that is left out makes nothing negative', ['1.2.3.0/32'], true, '0', '0'],
])('counters, %s', (_, addresses, avoidBuggyIPs, v4, v6) => {
  const usage = countedUsage(pool('p', addresses, { avoidBuggyIPs }), empty)
  expect([String(usage.v4.total), String(usage.v6.total)]).toEqual([v4, v6])
})

const use = (assigned: number, total: number) => ({ assigned: BigInt(assigned), total: BigInt(total) })

test.each([
  [0, 100, 'EnoughFree'],
  [74, 100, 'EnoughFree'],
  [75, 100, 'Usage75Percent'],
  [84, 100, 'Usage75Percent'],
  [85, 100, 'Usage85Percent'],
  [95, 100, 'Usage95Percent'],
  [999, 1000, 'Usage95Percent'],
  [1, 1, 'Full'],
])('%d of %d: %s', (assigned, total, reason) => {
  const { status, message, ...said } = fullnessOf({ v4: use(assigned, total), v6: use(0, 0) })
  expect(said.reason).toBe(reason)
  expect(status).toBe(reason === 'EnoughFree' ? 'False' : 'True')
  expect(message).toContain(`IPv4: ${assigned} of ${total} in use`)
})

test('the fuller family decides', () => {
  const { reason, message } = fullnessOf({ v4: use(3, 4), v6: use(0, 1000) })
  expect([reason, message]).toEqual([
    'Usage75Percent',
    'IPv4: 3 of 4 in use (75 %), IPv6: 0 of 1000 in use (0 %)',
  ])
})
