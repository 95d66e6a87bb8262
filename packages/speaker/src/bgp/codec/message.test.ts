import type { Family, IP, Prefix } from '@landfall/netip'
import { maxValue, prefixOf } from '@landfall/netip'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Attribute,
  type Capability,
  decodeMessage,
  encodeMessage,
  type Message,
  nextFrame,
  type SessionContext,
} from './index.ts'

const context = (fourOctetAS: boolean): SessionContext => ({
  fourOctetAS,
  internal: true,
  messageLimit: 65535,
})
const u8 = fc.integer({ min: 0, max: 0xff })
const u16 = fc.integer({ min: 0, max: 0xffff })
const u32 = fc.integer({ min: 0, max: 0xffffffff })
const bytes = fc.uint8Array({ maxLength: 40 })
const ipOf = (family: Family): fc.Arbitrary<IP> =>
  fc.bigInt(0n, maxValue(family)).map((value) => ({ family, value }))
const prefixesOf = (family: Family): fc.Arbitrary<readonly Prefix[]> =>
  fc.array(
    fc
      .tuple(ipOf(family), fc.integer({ min: 0, max: family === 4 ? 32 : 128 }))
      .map(([ip, n]) => prefixOf(ip, n)),
    { maxLength: 20 },
  )
const family = fc.record({ afi: u16, safi: u8 })

const capability: fc.Arbitrary<Capability> = fc.oneof(
  fc.record({ kind: fc.constant('multiprotocol' as const), family }),
  fc.constantFrom<Capability>(
    { kind: 'routeRefresh' },
    { kind: 'extendedMessage' },
    { kind: 'enhancedRouteRefresh' },
  ),
  fc.record({ kind: fc.constant('fourOctetAS' as const), asn: u32 }),
  fc.record({
    kind: fc.constant('extendedNextHop' as const),
    families: fc.array(fc.record({ afi: u16, safi: u16, nextHopAfi: u16 }), { maxLength: 5 }),
  }),
  fc.record({
    kind: fc.constant('gracefulRestart' as const),
    restarting: fc.boolean(),
    notification: fc.boolean(),
    seconds: fc.integer({ min: 0, max: 4095 }),
    families: fc.array(fc.record({ afi: u16, safi: u8, forwarding: fc.boolean() }), { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('other' as const), code: fc.integer({ min: 128, max: 255 }), data: bytes }),
)

const segments = fc.array(
  fc.record({
    kind: fc.constantFrom('set' as const, 'sequence' as const),
    asns: fc.array(u16, { minLength: 1, maxLength: 20 }),
  }),
  { maxLength: 4 },
)
const some = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 90 })
const nextHop = (of: Family) =>
  fc.oneof(
    ipOf(of).map((address) => ({ address })),
    fc.record({ address: ipOf(6), linkLocal: ipOf(6) }),
  )
const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  fc.record({
    kind: fc.constant('origin' as const),
    origin: fc.constantFrom('igp' as const, 'egp' as const, 'incomplete' as const),
  }),
  fc.record({ kind: fc.constantFrom('asPath' as const, 'as4Path' as const), segments }),
  fc.record({
    kind: fc.constant('nextHop' as const),
    address: ipOf(4).filter(({ value }) => {
      const first = value >> 24n
      return first !== 0n && first !== 127n && first < 224n
    }),
  }),
  fc.record({ kind: fc.constantFrom('med' as const, 'localPref' as const), value: u32 }),
  fc.constant<Attribute>({ kind: 'atomicAggregate' }),
  fc.record({
    kind: fc.constantFrom('aggregator' as const, 'as4Aggregator' as const),
    asn: u16,
    address: ipOf(4),
  }),
  fc.record({ kind: fc.constant('communities' as const), values: some(u32) }),
  fc.record({ kind: fc.constant('originatorID' as const), routerID: u32 }),
  fc.record({ kind: fc.constant('clusterList' as const), ids: some(u32) }),
  fc.constantFrom<Family>(4, 6).chain((of) =>
    fc.record({
      kind: fc.constant('mpReach' as const),
      family: fc.constant(of),
      nextHop: nextHop(of),
      prefixes: prefixesOf(of),
    }),
  ),
  fc.constantFrom<Family>(4, 6).chain((of) =>
    fc.record({
      kind: fc.constant('mpUnreach' as const),
      family: fc.constant(of),
      prefixes: prefixesOf(of),
    }),
  ),
  fc.record({
    kind: fc.constant('extendedCommunities' as const),
    values: some(fc.bigInt(0n, 0xffffffffffffffffn)),
  }),
  fc.record({
    kind: fc.constant('largeCommunities' as const),
    values: some(fc.record({ global: u32, local1: u32, local2: u32 })),
  }),
  fc.record({
    kind: fc.constant('other' as const),
    type: fc.integer({ min: 128, max: 255 }),
    flags: fc.constantFrom(0x80, 0xc0, 0xe0),
    data: bytes,
  }),
)

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    kind: fc.constant('open' as const),
    asField: u16,
    holdSeconds: u16,
    routerID: u32,
    capabilities: fc.array(capability, { maxLength: 12 }),
  }),
  fc.record({
    kind: fc.constant('update' as const),
    withdrawn: prefixesOf(4),
    attributes: fc.uniqueArray(attribute, {
      maxLength: 8,
      selector: (one) => (one.kind === 'other' ? one.type : one.kind),
    }),
    announced: prefixesOf(4),
  }),
  fc.record({
    kind: fc.constant('notification' as const),
    error: fc.record({ code: u8, subcode: u8, data: bytes }),
  }),
  fc.constant<Message>({ kind: 'keepalive' }),
  fc.record({ kind: fc.constant('routeRefresh' as const), family, subtype: u8 }),
)

test('whatever is written is read back', () => {
  fc.assert(
    fc.property(message, fc.boolean(), (one, fourOctetAS) => {
      const decoded = decodeMessage(encodeMessage(one, context(fourOctetAS)), context(fourOctetAS))
      if (!decoded.ok) throw new Error(JSON.stringify(decoded.error))
      expect(decoded.value).toMatchObject(one)
      expect(encodeMessage(decoded.value, context(fourOctetAS))).toEqual(
        encodeMessage(one, context(fourOctetAS)),
      )
    }),
    { numRuns: 500 },
  )
})

describe('no bytes make a decoder throw', () => {
  /** True unless an answer is neither a message that can be written again nor an error with a known code. */
  const answers = (input: Uint8Array) =>
    [context(true), { ...context(false), internal: false, messageLimit: 4096 }].every((one) => {
      const decoded = decodeMessage(input, one)
      if (decoded.ok) return encodeMessage(decoded.value, one).length >= 19
      return decoded.error.code >= 1 && decoded.error.code <= 7
    })

  test('random bodies behind a right header', () => {
    const body = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.uint8Array({ maxLength: 200 }))
    fc.assert(
      fc.property(body, ([type, data]) => {
        expect(answers(framed(type, data))).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  test('messages with bytes changed, cut and doubled', () => {
    const changes = fc.array(fc.tuple(fc.nat(400), u8), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(message, changes, fc.nat(60), (one, edits, cut) => {
        const whole = encodeMessage(one, context(true))
        const data = whole.slice(19, Math.max(19, whole.length - cut))
        for (const [at, value] of edits) if (data.length > 0) data[at % data.length] = value
        expect(answers(framed(whole[18] ?? 0, data))).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  test('any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (input) => {
        expect(answers(input)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })
})

test('a stream is cut at the same places however it arrives', () => {
  const stream = fc
    .array(message, { minLength: 1, maxLength: 5 })
    .map((all) => all.map((one) => encodeMessage(one, context(true))))
  fc.assert(
    fc.property(stream, fc.array(fc.nat(100), { minLength: 1, maxLength: 30 }), (frames, sizes) => {
      const whole = Buffer.concat(frames)
      const found: Uint8Array[] = []
      let pending = Buffer.alloc(0)
      for (let at = 0, i = 0; at < whole.length; i++) {
        const size = (sizes[i % sizes.length] ?? 0) + 1
        pending = Buffer.concat([pending, whole.subarray(at, at + size)])
        at += size
        for (let next = nextFrame(pending, 65535); next.kind === 'frame'; next = nextFrame(pending, 65535)) {
          found.push(new Uint8Array(next.frame))
          pending = pending.subarray(next.frame.length)
        }
      }
      expect(found).toEqual(frames)
    }),
    { numRuns: 200 },
  )
})

function framed(type: number, body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(19 + body.length).fill(0xff, 0, 16)
  frame.set([(19 + body.length) >> 8, (19 + body.length) & 0xff, type], 16)
  frame.set(body, 19)
  return frame
}
