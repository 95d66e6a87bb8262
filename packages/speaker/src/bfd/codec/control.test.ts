import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ControlPacket, decodeControl, encodeControl, sessionStates } from './control.ts'
import { decodeEcho, encodeEcho } from './echo.ts'

const packet: ControlPacket = {
  state: 'up',
  diagnostic: 3,
  poll: true,
  final: false,
  controlPlaneIndependent: false,
  demand: false,
  multiplier: 3,
  myDiscriminator: 0x01020304,
  yourDiscriminator: 0x05060708,
  desiredTransmitMs: 300,
  requiredReceiveMs: 50,
  requiredEchoMs: 0,
}

test('the bytes of a packet', () => {
  const hex = '23e00318 01020304 05060708 000493e0 0000c350 00000000'
  expect(Buffer.from(encodeControl(packet)).toString('hex')).toBe(hex.replaceAll(' ', ''))
})

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const anyPacket: fc.Arbitrary<ControlPacket> = fc.record({
  state: fc.constantFrom(...sessionStates),
  diagnostic: fc.integer({ min: 0, max: 31 }),
  poll: fc.boolean(),
  final: fc.boolean(),
  controlPlaneIndependent: fc.boolean(),
  demand: fc.boolean(),
  multiplier: fc.integer({ min: 1, max: 255 }),
  myDiscriminator: u32.map((n) => n || 1),
  yourDiscriminator: u32.map((n) => n || 1),
  desiredTransmitMs: u32.map((us) => us / 1000),
  requiredReceiveMs: u32.map((us) => us / 1000),
  requiredEchoMs: u32.map((us) => us / 1000),
})

test('what is written is read back', () => {
  fc.assert(
    fc.property(anyPacket, (one) => {
      expect(decodeControl(encodeControl(one))).toEqual(one)
    }),
  )
})

describe('refused', () => {
  const cases: readonly [string, (bytes: Uint8Array) => void, string][] = [
    ['version 2', (b) => b.set([0x43], 0), 'badVersion'],
    ['a length below 24', (b) => b.set([23], 3), 'badLength'],
    ['a length beyond the datagram', (b) => b.set([25], 3), 'badLength'],
    ['authentication in too few bytes', (b) => b.set([0xe4], 1), 'badLength'],
    ['multiplier 0', (b) => b.set([0], 2), 'zeroMultiplier'],
    ['multipoint', (b) => b.set([0xe1], 1), 'multipoint'],
    ['my discriminator 0', (b) => b.fill(0, 4, 8), 'zeroDiscriminator'],
    ['your discriminator 0 in state up', (b) => b.fill(0, 8, 12), 'zeroDiscriminator'],
  ]
  test.each(cases)('%s', (_name, change, reason) => {
    const bytes = encodeControl(packet)
    change(bytes)
    expect(decodeControl(bytes)).toBe(reason)
  })

  test('authentication that was not agreed', () => {
    const bytes = Uint8Array.of(...encodeControl(packet), 1, 2, 3, 4)
    bytes.set([0xe4, 3, 28], 1)
    expect(decodeControl(bytes)).toBe('authenticated')
  })

  test('cut anywhere', () => {
    for (let length = 0; length < 24; length++)
      expect(decodeControl(encodeControl(packet).subarray(0, length))).toBe('tooShort')
  })
})

test('a peer that does not know us yet has no discriminator of ours', () => {
  const first = { ...packet, state: 'down', yourDiscriminator: 0 } as const
  expect(decodeControl(encodeControl(first))).toEqual(first)
})

test('bytes that follow the packet are ignored', () => {
  expect(decodeControl(Uint8Array.of(...encodeControl(packet), 9, 9))).toEqual(packet)
})

const echoed = { discriminator: 0xfffefdfc, sequence: 7 }
const addresses = {
  ownMac: Uint8Array.of(2, 0, 0, 0, 0, 1),
  peerMac: Uint8Array.of(2, 0, 0, 0, 0, 2),
  ownIp: Uint8Array.of(10, 0, 0, 1),
}

test('an echo goes to the peer as a frame, and to ourselves as a datagram', () => {
  const frame = encodeEcho(addresses, echoed)
  const hex = Buffer.from(frame).toString('hex')
  expect(hex.slice(0, 28)).toBe('0200000000020200000000010800')
  expect(hex.slice(52, 68)).toBe('0a0000010a000001')
  let sum = 0
  for (let at = 14; at < 34; at += 2) sum += (frame[at] ?? 0) * 256 + (frame[at + 1] ?? 0)
  expect((sum & 0xffff) + (sum >>> 16)).toBe(0xffff)
  expect(decodeEcho(frame)).toEqual(echoed)
})

test('no bytes make a decoder throw', () => {
  const valid = [encodeControl(packet), encodeEcho(addresses, echoed)]
  const mutated = fc
    .tuple(fc.constantFrom(...valid), fc.array(fc.tuple(fc.nat(60), fc.nat(255))), fc.nat(60))
    .map(([bytes, changes, length]) => {
      const copy = bytes.slice()
      for (const [at, value] of changes) copy.set(at < copy.length ? [value] : [], at < copy.length ? at : 0)
      return copy.subarray(0, length)
    })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), mutated), (bytes) => {
      expect(['string', 'object']).toContain(typeof decodeControl(bytes))
      expect(['undefined', 'object']).toContain(typeof decodeEcho(bytes))
    }),
    { numRuns: 5000 },
  )
})
