import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { arbitraries } from './arbitraries.ts'
import { formatPrefix, lastIP, maskIP, parsePrefix, prefixContains } from './prefix.ts'
import { formatRange, overlap, parseRange, rangeContains, rangeSize, rangeToPrefixes } from './range.ts'

const { ips, prefixes, ranges } = arbitraries(fc)

test.each([
  ['192.0.2.0/24', '192.0.2.0-192.0.2.255'],
  ['192.0.2.77/30', '192.0.2.76-192.0.2.79'],
  ['192.0.2.1-192.0.2.1', '192.0.2.1-192.0.2.1'],
  ['192.0.2.1  -  192.0.2.9', '192.0.2.1-192.0.2.9'],
  ['2001:db8::/126', '2001:db8::-2001:db8::3'],
  ['0.0.0.0/0', '0.0.0.0-255.255.255.255'],
])('%s is the range %s', (text, expected) => {
  const range = parseRange(text)
  expect(range && formatRange(range)).toBe(expected)
})

test.each([
  '192.0.2.1',
  '192.0.2.0/33',
  '192.0.2.0/024',
  '192.0.2.0/',
  '/24',
  '192.0.2.9-192.0.2.1',
  '192.0.2.1-2001:db8::1',
  '192.0.2.1-',
  '192.0.2.1-192.0.2.2-192.0.2.3',
  ' 192.0.2.0/24',
  '192.0.2.0/24 ',
  ' 192.0.2.1-192.0.2.2',
  '192.0.2.1\t-192.0.2.2',
])('%j is no range', (text) => {
  expect(parseRange(text)).toBeUndefined()
})

test('a prefix reads back, and holds its first and last address but not their neighbours', () => {
  fc.assert(
    fc.property(prefixes, (prefix) => {
      expect(parsePrefix(formatPrefix(prefix))).toEqual(prefix)
      const last = lastIP(prefix)
      expect(prefixContains(prefix, prefix.ip) && prefixContains(prefix, last)).toBe(true)
      expect(prefixContains(prefix, { family: last.family, value: last.value + 1n })).toBe(false)
    }),
  )
})

test('masking keeps the leading bits and clears the rest', () => {
  fc.assert(
    fc.property(ips, fc.nat(32), (ip, length) => {
      const host = BigInt((ip.family === 4 ? 32 : 128) - length)
      expect(maskIP(ip, length).value).toBe((ip.value >> host) << host)
    }),
  )
})

test('the prefixes of a range are ascending, touch each other and cover exactly it', () => {
  fc.assert(
    fc.property(ranges, (range) => {
      let next = range.first.value
      for (const prefix of rangeToPrefixes(range)) {
        expect(prefix.ip.value).toBe(next)
        expect(maskIP(prefix.ip, prefix.length)).toEqual(prefix.ip)
        next = lastIP(prefix).value + 1n
      }
      expect(next).toBe(range.last.value + 1n)
    }),
  )
})

test('the prefixes of a range are as few as possible', () => {
  const range = parseRange('10.0.0.1-10.0.0.14')
  expect(range && rangeToPrefixes(range).map(formatPrefix)).toEqual([
    '10.0.0.1/32',
    '10.0.0.2/31',
    '10.0.0.4/30',
    '10.0.0.8/30',
    '10.0.0.12/31',
    '10.0.0.14/32',
  ])
  const all = parseRange('::/0')
  expect(all && rangeToPrefixes(all).map(formatPrefix)).toEqual(['::/0'])
})

test('overlap is having an address in common', () => {
  const small = fc.tuple(fc.nat(12), fc.nat(12)).map(([a, b]) => ({
    first: { family: 4 as const, value: BigInt(Math.min(a, b)) },
    last: { family: 4 as const, value: BigInt(Math.max(a, b)) },
  }))
  fc.assert(
    fc.property(small, small, (a, b) => {
      let common = false
      for (let value = 0n; value <= 12n; value++) {
        const ip = { family: 4 as const, value }
        common ||= rangeContains(a, ip) && rangeContains(b, ip)
      }
      expect(overlap(a, b)).toBe(common)
    }),
  )
})

test('ranges of different families never overlap', () => {
  const v4 = parseRange('0.0.0.0/0')
  const v6 = parseRange('::/0')
  expect(v4 && v6 && overlap(v4, v6)).toBe(false)
  expect(v6 && rangeSize(v6)).toBe(1n << 128n)
})
