import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat, heartbeatKey } from './heartbeat.ts'

const key = heartbeatKey(Buffer.from('secret'))
const uint64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
const heartbeats: fc.Arbitrary<Heartbeat> = fc.record({
  state: fc.constantFrom('joining', 'serving', 'leaving'),
  node: fc.string({ minLength: 1, maxLength: 63, unit: fc.constantFrom(...Array.from('abz019.-')) }),
  incarnation: uint64,
  counter: uint64,
  echo: uint64,
})

test('what was encoded is decoded, with a key and without', () => {
  fc.assert(
    fc.property(heartbeats, fc.constantFrom(key, undefined), (heartbeat, key) => {
      expect(decodeHeartbeat(encodeHeartbeat(heartbeat, key), key)).toEqual(heartbeat)
    }),
  )
})

describe('refused', () => {
  const heartbeat: Heartbeat = { state: 'serving', node: 'n1', incarnation: 1n, counter: 2n, echo: 3n }

  test('one changed byte', () => {
    fc.assert(
      fc.property(heartbeats, fc.nat(), fc.integer({ min: 1, max: 255 }), (heartbeat, at, flip) => {
        const datagram = encodeHeartbeat(heartbeat, key)
        const index = at % datagram.length
        datagram[index] = (datagram[index] ?? 0) ^ flip
        expect(['malformed', 'notAuthentic']).toContain(decodeHeartbeat(datagram, key))
      }),
    )
  })

  test('another key, and none where one is wanted', () => {
    const other = heartbeatKey(Buffer.from('other'))
    expect(decodeHeartbeat(encodeHeartbeat(heartbeat, other), key)).toBe('notAuthentic')
    expect(decodeHeartbeat(encodeHeartbeat(heartbeat, undefined), key)).toBe('notAuthentic')
  })

  test('any other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(key, undefined), (bytes, key) => {
        expect(decodeHeartbeat(bytes, key)).toBe('malformed')
      }),
    )
    const whole = encodeHeartbeat(heartbeat, key)
    for (let length = 0; length < whole.length; length++)
      expect(typeof decodeHeartbeat(whole.subarray(0, length), key)).toBe('string')
  })
})
