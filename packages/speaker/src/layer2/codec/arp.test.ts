import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeArpRequest, encodeArpReply, encodeArpRequest, encodeGratuitousArp } from './arp.ts'
import { bytesOfKey, keyOfBytes } from './ethernet.ts'

const mac = Uint8Array.of(2, 0, 0, 0, 0, 1)
const ourMac = Uint8Array.of(2, 0, 0, 0, 0, 9)
const client = Uint8Array.of(192, 0, 2, 1)
const vip = Uint8Array.of(192, 0, 2, 9)

/** A request as a Linux host broadcasts it. */
function request(change: (frame: Uint8Array) => void = () => {}): Uint8Array {
  const hex = 'ffffffffffff0200000000010806000108000604000102000000000 1c0000201000000000000c0000209'
  const frame = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  change(frame)
  return frame
}

test('a request gives sender and target', () => {
  expect(decodeArpRequest(request())).toEqual({ senderMac: mac, senderIP: client, target: keyOfBytes(vip) })
})

test('a request of ours is as a host broadcasts it', () => {
  expect(encodeArpRequest(mac, client, vip)).toEqual(request())
})

test('a probe (sender 0.0.0.0) is a request, padding is ignored', () => {
  const padded = new Uint8Array(60)
  padded.set(request((frame) => frame.fill(0, 28, 32)))
  expect(decodeArpRequest(padded)?.senderIP).toEqual(new Uint8Array(4))
})

describe('no request', () => {
  const cases: Record<string, (frame: Uint8Array) => void> = {
    'another ethertype': (f) => f.set([0x08, 0x00], 12),
    'no Ethernet': (f) => f.set([0, 6], 14),
    'no IPv4': (f) => f.set([0x86, 0xdd], 16),
    'wrong address lengths': (f) => f.set([6, 16], 18),
    'a reply': (f) => f.set([0, 2], 20),
    'an announcement of the sender': (f) => f.set(vip, 28),
    'a group address as sender': (f) => f.set([3], 22),
  }
  test.each(Object.entries(cases))('%s', (_name, change) => {
    expect(decodeArpRequest(request(change))).toBeUndefined()
  })

  test('cut anywhere', () => {
    for (let length = 0; length < 42; length++)
      expect(decodeArpRequest(request().subarray(0, length))).toBeUndefined()
  })
})

test('the reply goes to the sender alone and names our MAC', () => {
  const asked = decodeArpRequest(request())
  if (asked === undefined) throw new Error('not decoded')
  expect(Buffer.from(encodeArpReply(ourMac, vip, asked)).toString('hex')).toBe(
    '02000000000102000000000908060001080006040002020000000009c0000209020000000001c0000201',
  )
})

test('the announcement is one request and one reply to everybody', () => {
  expect(encodeGratuitousArp(ourMac, vip).map((frame) => Buffer.from(frame).toString('hex'))).toEqual([
    'ffffffffffff02000000000908060001080006040001020000000009c0000209000000000000c0000209',
    'ffffffffffff02000000000908060001080006040002020000000009c0000209ffffffffffffc0000209',
  ])
})

test('any bytes are decoded or refused, and what is decoded stood there', () => {
  const frames = fc
    .tuple(fc.array(fc.tuple(fc.nat(59), fc.nat(255)), { maxLength: 6 }), fc.nat(60))
    .map(([changes, length]) => {
      const frame = new Uint8Array(60)
      frame.set(request())
      for (const [at, byte] of changes) frame[at] = byte
      return frame.subarray(0, length)
    })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), frames), (frame) => {
      const asked = decodeArpRequest(frame)
      if (asked === undefined) return
      expect(bytesOfKey(asked.target)).toEqual(frame.slice(38, 42))
      expect(encodeArpReply(ourMac, bytesOfKey(asked.target), asked)).toHaveLength(42)
    }),
    { numRuns: 2000 },
  )
})
