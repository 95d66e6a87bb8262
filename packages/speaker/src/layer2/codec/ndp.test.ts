import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesOfKey, keyOfBytes, newFrame } from './ethernet.ts'
import {
  checksum,
  decodeNeighborSolicitation,
  encodeNeighborAdvertisement,
  encodeNeighborSolicitation,
  encodeUnsolicitedAdvertisement,
  solicitedNodeGroup,
} from './ndp.ts'

const mac = Uint8Array.of(2, 0, 0, 0, 0, 1)
const ourMac = Uint8Array.of(2, 0, 0, 0, 0, 9)
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const client = bytes('fe80 0000 0000 0000 0000 0000 0000 0001')
const vip = bytes('2001 0db8 0000 0000 0000 0000 00ab cdef')
const unspecified = new Uint8Array(16)
const sourceOption = [1, 1, ...mac]

interface Shape {
  readonly source?: Uint8Array
  readonly destination?: Uint8Array
  readonly options?: readonly number[]
  readonly change?: (frame: Uint8Array) => void
  readonly changeAfterChecksum?: (frame: Uint8Array) => void
}

function solicitation(shape: Shape = {}): Uint8Array {
  const { source = client, destination = solicitedNodeGroup(vip), options = sourceOption } = shape
  const frame = newFrame(bytes('3333ffabcdef'), mac, 0x86dd, 40 + 24 + options.length)
  frame.set([0x60, 0, 0, 0, 0, 24 + options.length, 58, 255], 14)
  frame.set(source, 22)
  frame.set(destination, 38)
  frame[54] = 135
  frame.set(vip, 62)
  frame.set(options, 78)
  shape.change?.(frame)
  const sum = checksum(frame.subarray(22, 38), frame.subarray(38, 54), frame.subarray(54))
  frame.set([sum >> 8, sum & 0xff], 56)
  shape.changeAfterChecksum?.(frame)
  return frame
}

describe('a solicitation', () => {
  test('gives sender, its MAC from the option, and target', () => {
    expect(decodeNeighborSolicitation(solicitation())).toEqual({
      senderIP: client,
      senderMac: mac,
      target: keyOfBytes(vip),
    })
  })

  test('sent to the target itself may come without the option', () => {
    expect(decodeNeighborSolicitation(solicitation({ destination: vip, options: [] }))?.senderMac).toEqual(
      mac,
    )
  })

  test('from the unspecified address is a probe', () => {
    const probe = decodeNeighborSolicitation(solicitation({ source: unspecified, options: [] }))
    expect(probe).toMatchObject({ senderIP: undefined, target: keyOfBytes(vip) })
  })

  const refused: Record<string, Shape> = {
    'hop limit below 255': { change: (f) => f.set([254], 21) },
    'wrong checksum': { changeAfterChecksum: (f) => f.set([1, 2], 56) },
    'code that is not 0': { change: (f) => f.set([1], 55) },
    'another ICMP type': { change: (f) => f.set([136], 54) },
    'another next header': { change: (f) => f.set([17], 20) },
    'IP version 4': { change: (f) => f.set([0x40], 14) },
    'multicast target': { change: (f) => f.set([0xff], 62) },
    'option of length 0': { options: [1, 0, ...mac] },
    'option beyond the end': { options: [1, 2, ...mac] },
    'group address in the option': { options: [1, 1, 3, 0, 0, 0, 0, 1] },
    'multicast without the option': { options: [] },
    'probe with the option': { source: unspecified },
    'probe to a unicast address': { source: unspecified, destination: vip, options: [] },
    'payload length beyond the frame': { change: (f) => f.set([200], 19) },
  }
  test.each(Object.entries(refused))('is discarded: %s', (_name, shape) => {
    expect(decodeNeighborSolicitation(solicitation(shape))).toBeUndefined()
  })

  test('is discarded when cut anywhere', () => {
    const whole = solicitation()
    for (let length = 0; length < whole.length; length++)
      expect(decodeNeighborSolicitation(whole.subarray(0, length))).toBeUndefined()
  })
})

describe('an advertisement', () => {
  const parts = (frame: Uint8Array) => ({
    to: Buffer.from(frame.subarray(0, 6)).toString('hex'),
    destination: Buffer.from(frame.subarray(38, 54)).toString('hex'),
    source: frame.slice(22, 38),
    flags: frame[58],
    target: frame.subarray(62, 78),
    option: [...frame.subarray(78)],
    checksum: checksum(frame.subarray(22, 38), frame.subarray(38, 54), frame.subarray(54)),
    hopLimit: frame[21],
  })
  const common = { source: vip, target: vip, option: [2, 1, ...ourMac], checksum: 0, hopLimit: 255 }

  test('that was asked for goes to who asked: solicited, no override', () => {
    const asked = decodeNeighborSolicitation(solicitation())
    if (asked === undefined) throw new Error('not decoded')
    expect(parts(encodeNeighborAdvertisement(ourMac, asked, vip))).toEqual({
      ...common,
      to: '020000000001',
      destination: Buffer.from(client).toString('hex'),
      flags: 0x40,
    })
  })

  test('of a takeover, and the answer to a probe, go to all nodes: override, not solicited', () => {
    const probe = decodeNeighborSolicitation(solicitation({ source: unspecified, options: [] }))
    if (probe === undefined) throw new Error('not decoded')
    const toAll = { ...common, to: '333300000001', destination: `ff02${'0'.repeat(26)}01`, flags: 0x20 }
    expect(parts(encodeUnsolicitedAdvertisement(ourMac, vip))).toEqual(toAll)
    expect(parts(encodeNeighborAdvertisement(ourMac, probe, vip))).toEqual(toAll)
  })
})

test('a solicitation of our own asks for the address, and tells the MAC to answer to', () => {
  expect(encodeNeighborSolicitation(mac, client, vip)).toEqual(solicitation())
})

test('the solicited-node group ends in the last 24 bits', () => {
  expect(Buffer.from(solicitedNodeGroup(vip)).toString('hex')).toBe('ff0200000000000000000001ffabcdef')
})

test('any bytes are decoded or refused', () => {
  const mutated = fc
    .array(fc.tuple(fc.nat(85), fc.nat(255)), { maxLength: 4 })
    .map((changes) => solicitation({ change: (f) => changes.forEach(([at, byte]) => f.set([byte], at)) }))
  const targetStoodThere = fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), mutated), (frame) => {
    const asked = decodeNeighborSolicitation(frame)
    return asked === undefined || Buffer.compare(bytesOfKey(asked.target), frame.subarray(62, 78)) === 0
  })
  expect(fc.check(targetStoodThere, { numRuns: 2000 })).toMatchObject({ failed: false })
})
