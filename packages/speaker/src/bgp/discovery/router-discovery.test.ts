import { parseIP } from '@landfall/netip'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeAdvertisement, encodeAdvertisement, encodeSolicitation } from './router-discovery.ts'

const mac = Uint8Array.of(2, 0, 0, 0, 0, 9)
const address = parseIP('fe80::9') ?? expect.unreachable('no address')
const frame = encodeAdvertisement(mac, address, 30)

test('to all nodes, with a lifetime and our MAC address', () => {
  expect(Buffer.from(frame).toString('hex')).toBe(
    '333300000001 020000000009 86dd 6c000000 0018 3a ff fe800000000000000000000000000009 ff020000000000000000000000000001'
      .concat(' 86 00 78df 00 18 001e 00000000 00000000 0101 020000000009')
      .replaceAll(' ', ''),
  )
  expect(decodeAdvertisement(frame)).toEqual({ address, lifetimeSeconds: 30, low: true })
  const other = encodeAdvertisement(mac, address, 0, 0)
  expect(decodeAdvertisement(other)).toEqual({ address, lifetimeSeconds: 0, low: false })
})

test('a solicitation goes to all routers, and says where to answer', () => {
  const bytes = encodeSolicitation(mac, address)
  expect(Buffer.from(bytes).toString('hex')).toBe(
    '333300000002 020000000009 86dd 6c000000 0010 3a ff fe800000000000000000000000000009 ff020000000000000000000000000002'
      .concat(' 85 00 7a1c 00000000 0101 020000000009')
      .replaceAll(' ', ''),
  )
  expect(decodeAdvertisement(bytes)).toBeUndefined()
})

describe('not believed', () => {
  const cases: Record<string, (bytes: Uint8Array) => void> = {
    'a hop limit below 255': (b) => b.set([254], 21),
    'a solicitation': (b) => b.set([133], 54),
    'a source that is not of the link': (b) => b.set([0x20], 22),
    'a wrong checksum': (b) => b.set([1], 57),
    'a length beyond the frame': (b) => b.set([2], 18),
  }
  test.each(Object.entries(cases))('%s', (_name, change) => {
    const bytes = frame.slice()
    change(bytes)
    expect(decodeAdvertisement(bytes)).toBeUndefined()
  })
})

test('no bytes make the decoder throw', () => {
  const mutated = fc.tuple(fc.nat(77), fc.nat(255), fc.nat(80)).map(([at, value, length]) => {
    const bytes = frame.slice()
    bytes.set([value], at)
    return bytes.subarray(0, length)
  })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), mutated), (bytes) => {
      expect(['undefined', 'object']).toContain(typeof decodeAdvertisement(bytes))
    }),
    { numRuns: 3000 },
  )
})
