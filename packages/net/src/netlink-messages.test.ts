import { formatIP } from '@landfall/netip'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { listInterfaces } from './interfaces.ts'
import { decodeNetlink, dumpRequest, RTM_GETLINK } from './netlink-messages.ts'

function attribute(type: number, value: readonly number[]): number[] {
  const length = 4 + value.length
  return [length, 0, type, 0, ...value, ...Array<number>((4 - (length % 4)) % 4).fill(0)]
}

function message(type: number, body: readonly number[], flags = 0): Uint8Array {
  return Uint8Array.of(16 + body.length, 0, 0, 0, type, 0, flags, 0, 1, 0, 0, 0, 0, 0, 0, 0, ...body)
}

const eth0 = [...Buffer.from('eth0\0')]
const mac = [2, 0, 0, 0, 0, 1]
const linkHeader = (family: number): number[] => [family, 0, 1, 0, 7, 0, 0, 0, 0x43, 0, 1, 0, 0, 0, 0, 0]
const linkBody = [
  ...linkHeader(0),
  ...attribute(3, eth0),
  ...attribute(1, mac),
  ...attribute(10, [9, 0, 0, 0]),
  ...attribute(47, [3, 0, 0, 0]),
]

test('a link', () => {
  expect(decodeNetlink(message(16, linkBody))).toEqual([
    {
      kind: 'link',
      link: {
        index: 7,
        name: 'eth0',
        mac: Uint8Array.from(mac),
        ethernet: true,
        up: true,
        running: true,
        carrierUps: 3,
        broadcast: true,
        loopback: false,
        noArp: false,
        master: 9,
      },
    },
  ])
})

test('a bridge port that leaves is no link that goes', () => {
  expect(decodeNetlink(message(17, [...linkHeader(7), ...attribute(3, eth0)]))).toEqual([])
})

test('an address: the local one of a pair, and the long flags over the short', () => {
  const attributes = [
    ...attribute(1, [192, 0, 2, 1]),
    ...attribute(2, [192, 0, 2, 9]),
    ...attribute(8, [0x40, 0, 0, 0]),
  ]
  const [decoded] = decodeNetlink(message(20, [2, 32, 0, 0, 7, 0, 0, 0, ...attributes]))
  if (decoded?.kind !== 'address') throw new Error('no address')
  expect({ ...decoded.address, ip: formatIP(decoded.address.ip) }).toEqual({
    index: 7,
    ip: '192.0.2.9',
    prefixLength: 32,
    tentative: true,
    duplicate: false,
  })
})

test('the end, an error, and a dump that raced', () => {
  expect(decodeNetlink(message(3, [0, 0, 0, 0]))).toEqual([{ kind: 'done' }])
  expect(decodeNetlink(message(2, [0xff, 0xff, 0xff, 0xff]))).toEqual([{ kind: 'error', errno: 1 }])
  const raced = Uint8Array.from([...message(16, linkBody)].with(6, 0x10))
  expect(decodeNetlink(raced).map(({ kind }) => kind)).toEqual(['interrupted', 'link'])
})

test('several messages in one datagram, and a request that asks for all', () => {
  expect(decodeNetlink(Buffer.concat([message(16, linkBody), message(3, [0, 0, 0, 0])]))).toHaveLength(2)
  expect([...dumpRequest(RTM_GETLINK, 1).subarray(0, 8)]).toEqual([32, 0, 0, 0, 18, 0, 1, 3])
})

test('any bytes decode to something', () => {
  const mutated = fc
    .array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 5 })
    .map((changes) => changes.reduce((bytes, [at, byte]) => bytes.with(at, byte), message(16, linkBody)))
  const decodes = fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), mutated), (bytes) => {
    decodeNetlink(bytes)
  })
  expect(fc.check(decodes, { numRuns: 3000 })).toMatchObject({ failed: false })
})

test('this host has a loopback interface with its address', () => {
  const lo = listInterfaces().find(({ loopback }) => loopback)
  expect(lo?.addresses.map(({ ip, prefixLength }) => `${formatIP(ip)}/${prefixLength}`)).toContain(
    '127.0.0.1/8',
  )
})
