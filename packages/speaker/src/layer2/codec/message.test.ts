import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressBudget, type Body, changeReasons, fitting, mostHolders } from './bodies.ts'
import { keyOfBytes } from './ethernet.ts'
import { decodeMessage, encodeMessage, type Message, maxMessage, messageKey } from './message.ts'
import { headerOf } from './testing.ts'

const key = messageKey(Buffer.from('secret'))
const uint64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
const name = fc.string({ minLength: 1, maxLength: 253, unit: fc.constantFrom(...Array.from('abz019.-')) })
const number = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const addresses = fc
  .array(
    fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
    { maxLength: 60 },
  )
  .map((all) => all.map((bytes) => keyOfBytes(bytes)))
  .map((all) => all.slice(0, fitting(all, 0)))
const bodies: fc.Arbitrary<Body | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.record({
    kind: fc.constant('order' as const),
    sequence: fc.nat({ max: 0xffffffff }),
    reason: fc.constantFrom(...changeReasons),
    silentMs: fc.nat({ max: 0xffffffff }),
    release: addresses,
    take: fc.constant([]),
  }),
  fc.record({
    kind: fc.constant('delta' as const),
    from: uint64,
    to: uint64,
    removed: fc.constant([]),
    added: addresses,
  }),
  fc.record({ kind: fc.constant('inquire' as const), part: fc.nat({ max: 0xffff }) }),
  fc.record({
    kind: fc.constant('claims' as const),
    digest: uint64,
    part: fc.nat({ max: 0xffff }),
    parts: fc.nat({ max: 0xffff }),
    addresses,
  }),
  fc.record({
    kind: fc.constant('testament' as const),
    holders: fc.array(uint64, { maxLength: mostHolders }),
  }),
)
const messages: fc.Arbitrary<Message> = fc.record({
  header: fc.record({
    state: fc.constantFrom('joining', 'serving', 'leaving', 'left'),
    wantsReply: fc.boolean(),
    node: name,
    incarnation: uint64,
    counter: uint64,
    echo: uint64,
    ack: uint64,
    timing: fc.record({
      intervalMs: fc.integer({ min: 1, max: 0xffff }),
      misses: fc.integer({ min: 1, max: 255 }),
    }),
    fencing: fc.boolean(),
    following: fc.record({ epoch: number, coordinator: fc.oneof(fc.constant(''), name) }),
    hears: fc.boolean(),
    first: fc.option(fc.record({ node: name, blind: fc.boolean(), heardMs: fc.nat({ max: 0xffffffff }) }), {
      nil: undefined,
    }),
    suspended: fc.boolean(),
    settled: fc.boolean(),
    rebalance: fc.boolean(),
    blind: fc.boolean(),
    backing: number,
    held: uint64,
    known: uint64,
    grantMs: fc.nat({ max: 0xffff }),
    orderAck: fc.nat({ max: 0xffffffff }),
  }),
  body: bodies,
})

test('what was encoded is decoded, with a key and without, and fits into one datagram', () => {
  fc.assert(
    fc.property(messages, fc.constantFrom(key, undefined), (message, key) => {
      const datagram = encodeMessage(message, key)
      expect(datagram.length).toBeLessThanOrEqual(maxMessage)
      expect(decodeMessage(datagram, key)).toEqual(message)
    }),
  )
})

test('with names of usual length a full message stays below an Ethernet frame', () => {
  const header = headerOf('worker-1.example.internal', { following: { epoch: 1, coordinator: 'worker-2' } })
  const address = keyOfBytes(new Uint8Array(16))
  const all = Array.from({ length: 500 }, () => address)
  const count = fitting(all, 0)
  expect(count).toBe(Math.floor(addressBudget / 17))
  const body = { kind: 'claims', digest: 1n, part: 0, parts: 1, addresses: all.slice(0, count) } as const
  expect(encodeMessage({ header, body }, key).length).toBeLessThan(1200)
})

describe('refused', () => {
  const message: Message = { header: headerOf('n1', { counter: 2n }), body: undefined }

  test('one changed byte', () => {
    fc.assert(
      fc.property(messages, fc.nat(), fc.integer({ min: 1, max: 255 }), (message, at, flip) => {
        const datagram = encodeMessage(message, key)
        const index = at % datagram.length
        datagram[index] = (datagram[index] ?? 0) ^ flip
        expect(['malformed', 'notAuthentic', 'otherVersion']).toContain(decodeMessage(datagram, key))
      }),
    )
  })

  test('another key, and none where one is wanted', () => {
    const other = messageKey(Buffer.from('other'))
    expect(decodeMessage(encodeMessage(message, other), key)).toBe('notAuthentic')
    expect(decodeMessage(encodeMessage(message, undefined), key)).toBe('notAuthentic')
  })

  test('any other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(key, undefined), (bytes, key) => {
        expect(decodeMessage(bytes, key)).toBe('malformed')
      }),
    )
    const whole = encodeMessage(message, key)
    for (let length = 0; length < whole.length; length++)
      expect(typeof decodeMessage(whole.subarray(0, length), key)).toBe('string')
  })
})
