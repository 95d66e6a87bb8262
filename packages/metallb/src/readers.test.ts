import { parseGoDuration } from '@landfall/api'
import { formatRange, parseIP, parseRange } from '@landfall/netip'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { buildConfig } from './build-config.ts'
import { formatCommunity, parseCommunity } from './communities.ts'
import { poolOf, usableWithin } from './pool-of.ts'
import { objectsOf } from './testing.ts'

test.each([
  ['90s', 90],
  ['1h30m', 5400],
  ['1.5s', 1.5],
  ['500ms', 0.5],
  ['.5m', 30],
  ['0', 0],
  ['-3s', -3],
  ['2562047h', 2562047 * 3600],
])('duration %s is %d seconds', (text, seconds) => {
  expect(parseGoDuration(text)).toBeCloseTo(seconds, 6)
})

test.each(['', '90', 's', '1d', '1 s', '1s ', '1..5s', '--1s', '.s'])('%j is no duration', (text) => {
  expect(parseGoDuration(text)).toBeUndefined()
})

test.each(['0:0', '65535:65535', '65535:65281', 'large:0:0:0', 'large:4294967295:1:2'])(
  'community %s reads and is written the same',
  (text) => {
    const community = parseCommunity(text)
    expect(community && formatCommunity(community)).toBe(text)
  },
)

test.each(['', '1', '1:2:3', '65536:1', '1:65536', 'large:1:2', 'large:4294967296:0:0', '-1:1', 'no-export'])(
  '%j is no community',
  (text) => {
    expect(parseCommunity(text)).toBeUndefined()
  },
)

test('an address belongs to the pool that rules; to a refused one only where no other holds it', () => {
  const { config } = buildConfig(
    objectsOf(
      parseAllDocuments(`
kind: IPAddressPool
metadata: {name: a-younger, creationTimestamp: "2026-01-02T00:00:00Z"}
spec: {addresses: [10.0.0.128/25, 10.1.0.0/24]}
---
kind: IPAddressPool
metadata: {name: older, creationTimestamp: "2026-01-01T00:00:00Z"}
spec: {addresses: [10.0.0.0/24]}
`).map((document) => document.toJS()),
    ),
  )
  const holder = (text: string) => {
    const ip = parseIP(text)
    return ip && poolOf(config, ip)?.name
  }
  const within = (text: string) => {
    const range = parseRange(text)
    return range && usableWithin(config, range).map(formatRange)
  }
  expect(within('10.0.0.128-10.1.0.9')).toEqual(['10.0.0.128-10.0.0.255'])
  expect(within('10.1.0.0/24')).toEqual([])
  expect(holder('10.0.0.200')).toBe('older')
  expect(holder('10.1.0.1')).toBe('a-younger')
  expect(holder('10.2.0.1')).toBeUndefined()
})
