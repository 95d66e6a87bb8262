import { isIP } from 'node:net'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { arbitraries } from './arbitraries.ts'
import { compareIP, formatIP, ipBytes, ipFromBytes, parseIP, unmapIP } from './ip.ts'

const { ips } = arbitraries(fc)

test.each([
  ['0.0.0.0', '0.0.0.0'],
  ['192.0.2.255', '192.0.2.255'],
  ['2001:DB8::0001', '2001:db8::1'],
  ['::', '::'],
  ['1::', '1::'],
  ['::1', '::1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1:0:0:2:2:0:0:3', '1::2:2:0:0:3'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
])('%s reads as an address and is written as %s', (text, canonical) => {
  const ip = parseIP(text)
  expect(ip && formatIP(ip)).toBe(canonical)
})

test.each([
  '',
  ' 192.0.2.1',
  '192.0.2.1 ',
  '192.0.2.01',
  '192.0.2.256',
  '192.0.2',
  '192.0.2.1.1',
  '0x1.2.3.4',
  '1.2.3.1e1',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7::8',
  'fe80::1%eth0',
  '[::1]',
  '12345::',
  '1.2.3.4::',
  '::1.2.3.4:5',
  '1:2:3:4:5:6:7:1.2.3.4',
  '::1.2.3.04',
])('%j is no address', (text) => {
  expect(parseIP(text)).toBeUndefined()
})

test('text and bytes read back to the same address', () => {
  fc.assert(
    fc.property(ips, (ip) => {
      expect(parseIP(formatIP(ip))).toEqual(ip)
      expect(ipFromBytes(ipBytes(ip))).toEqual(ip)
    }),
  )
})

test('an IPv4-mapped address stays IPv6', () => {
  expect(parseIP('::ffff:192.0.2.1')?.family).toBe(6)
})

test('agrees with node:net on what is an address, zones aside', () => {
  const shreds = fc.array(fc.constantFrom('1', '0', '255', '256', 'ff', 'f', ':', '::', '.', '1.2.3.4'), {
    maxLength: 16,
  })
  fc.assert(
    fc.property(shreds, (parts) => {
      const text = parts.join('')
      expect(parseIP(text)?.family ?? 0).toBe(isIP(text))
    }),
    { numRuns: 2000 },
  )
})

test('IPv4 comes before IPv6, then the lower value', () => {
  const sorted = ['::1', '10.0.0.2', '10.0.0.1', '::'].map((text) => parseIP(text) ?? fail(text))
  expect(sorted.toSorted(compareIP).map(formatIP)).toEqual(['10.0.0.1', '10.0.0.2', '::', '::1'])
})

test('three bytes are no address', () => {
  expect(ipFromBytes(new Uint8Array(3))).toBeUndefined()
})

function fail(text: string): never {
  throw new Error(`no address: ${text}`)
}

test.each([
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::ffff:0:192.0.2.1', '::ffff:0:c000:201'],
  ['2001:db8::1', '2001:db8::1'],
  ['192.0.2.1', '192.0.2.1'],
])('%s without its mapping is %s', (text, expected) => {
  const ip = parseIP(text)
  expect(ip && formatIP(unmapIP(ip))).toBe(expected)
})
