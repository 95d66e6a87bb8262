import { type Family, maxValue, type Prefix, parseIP, prefixOf } from '@landfall/netip'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Attribute,
  decodeMessage,
  encodeMessage,
  endOfRib,
  packAnnouncement,
  packWithdrawal,
  type SessionContext,
  type UpdateMessage,
} from './index.ts'

const context = (messageLimit: number): SessionContext => ({
  fourOctetAS: true,
  internal: false,
  messageLimit,
})
const ip = (text: string) => parseIP(text) ?? expect.unreachable(text)
const attributes: readonly Attribute[] = [
  { kind: 'communities', values: [1, 2, 3] },
  { kind: 'origin', origin: 'igp' },
  { kind: 'asPath', segments: [{ kind: 'sequence', asns: [65000] }] },
]

function hostRoutes(family: Family, count: number): readonly Prefix[] {
  const first = family === 4 ? ip('10.0.0.0') : ip('2001:db8::')
  return Array.from({ length: count }, (_, i) =>
    prefixOf({ family, value: first.value + BigInt(i) }, family === 4 ? 32 : 128),
  )
}

const sizes = (messages: readonly UpdateMessage[], one: SessionContext) =>
  messages.map((message) => encodeMessage(message, one).length)
const announcedBy = (messages: readonly UpdateMessage[]) =>
  messages.flatMap(({ announced, attributes: [first] }) =>
    first?.kind === 'mpReach' ? first.prefixes : announced,
  )
const withdrawnBy = (messages: readonly UpdateMessage[]) =>
  messages.flatMap(({ withdrawn, attributes: [first] }) =>
    first?.kind === 'mpUnreach' ? first.prefixes : withdrawn,
  )

describe.each([
  [4, '10.77.0.11'],
  [6, 'fd77::11'],
  [4, 'fd77::11'],
] as const)('IPv%i by %s', (family, address) => {
  const nextHop = { address: ip(address) }

  test.each([4096, 65535])('2,000 routes in the fewest messages of at most %i bytes', (limit) => {
    const prefixes = hostRoutes(family, 2000)
    const messages = packAnnouncement({ family, nextHop, attributes, prefixes }, context(limit))
    const lengths = sizes(messages ?? [], context(limit))
    const size = family === 4 ? 5 : 17
    expect(announcedBy(messages ?? [])).toEqual(prefixes)
    expect(Math.max(...lengths)).toBeLessThanOrEqual(limit)
    for (const length of lengths.slice(0, -1)) expect(length).toBeGreaterThan(limit - size)
  })

  test('withdrawals keep to the limit too', () => {
    const prefixes = hostRoutes(family, 2000)
    const messages = packWithdrawal(family, prefixes, context(4096))
    expect(withdrawnBy(messages)).toEqual(prefixes)
    expect(Math.max(...sizes(messages, context(4096)))).toBeLessThanOrEqual(4096)
  })

  test('attributes that leave no room give no message', () => {
    const values = Array.from({ length: 1020 }, (_, i) => i)
    const long: readonly Attribute[] = [{ kind: 'communities', values }]
    const announcement = { family, nextHop, attributes: long, prefixes: hostRoutes(family, 1) }
    expect(packAnnouncement(announcement, context(4096))).toBeUndefined()
    expect(packAnnouncement(announcement, context(65535))).toHaveLength(1)
  })
})

test('what is packed is what a peer reads, whatever the lengths', () => {
  const prefix = (family: Family) =>
    fc
      .tuple(fc.bigInt(0n, maxValue(family)), fc.integer({ min: 0, max: family === 4 ? 32 : 128 }))
      .map(([value, length]) => prefixOf({ family, value }, length))
  const input = fc
    .constantFrom<Family>(4, 6)
    .chain((family) => fc.tuple(fc.constant(family), fc.array(prefix(family), { maxLength: 300 })))
  fc.assert(
    fc.property(input, fc.integer({ min: 200, max: 600 }), ([family, prefixes], limit) => {
      const nextHop = { address: ip(family === 4 ? '192.0.2.1' : '2001:db8::1') }
      const packed = packAnnouncement({ family, nextHop, attributes, prefixes }, context(limit)) ?? []
      const read = packed.map((message) => {
        const decoded = decodeMessage(encodeMessage(message, context(limit)), context(limit))
        if (!decoded.ok || decoded.value.kind !== 'update') throw new Error('not an update')
        expect(decoded.value.faults).toEqual([])
        return decoded.value
      })
      expect(announcedBy(read)).toEqual(prefixes)
    }),
    { numRuns: 100 },
  )
})

test('attributes stand by type, MP_REACH first', () => {
  const prefixes = [prefixOf(ip('2001:db8::'), 64)]
  const nextHop = { address: ip('2001:db8::1') }
  const [message] = packAnnouncement({ family: 6, nextHop, attributes, prefixes }, context(4096)) ?? []
  expect(message?.attributes.map(({ kind }) => kind)).toEqual(['mpReach', 'origin', 'asPath', 'communities'])
})

test('the end of the first round is an empty UPDATE, by family', () => {
  expect(sizes([endOfRib(4), endOfRib(6)], context(4096))).toEqual([23, 29])
})
