import { parseIP, parsePrefix } from '@landfall/netip'
import { describe, expect, test } from 'vitest'
import { decodeMessage, encodeMessage, type Message, type SessionContext, shutdownText } from './index.ts'

const external: SessionContext = { fourOctetAS: true, internal: false, messageLimit: 4096 }
const marker = 'ff'.repeat(16)
const ip = (text: string) => parseIP(text) ?? expect.unreachable(text)
const prefix = (text: string) => parsePrefix(text) ?? expect.unreachable(text)

interface Golden {
  readonly name: string
  readonly message: Message
  readonly bytes: string
  readonly context?: SessionContext
}

/** Each byte by the RFCs' own diagrams. */
const goldens: readonly Golden[] = [
  { name: 'KEEPALIVE', message: { kind: 'keepalive' }, bytes: '0013 04' },
  {
    name: 'OPEN with a 4-octet AS and its capabilities in one parameter',
    message: {
      kind: 'open',
      asField: 23456,
      holdSeconds: 90,
      routerID: 0xc0000201,
      capabilities: [
        { kind: 'multiprotocol', family: { afi: 1, safi: 1 } },
        { kind: 'multiprotocol', family: { afi: 2, safi: 1 } },
        { kind: 'fourOctetAS', asn: 4200000000 },
      ],
    },
    bytes: '0031 01 04 5ba0 005a c0000201 14 02 12 0104 00010001 0104 00020001 4104 fa56ea00',
  },
  {
    name: 'OPEN with graceful restart, refresh and extended messages',
    message: {
      kind: 'open',
      asField: 65000,
      holdSeconds: 0,
      routerID: 1,
      capabilities: [
        { kind: 'routeRefresh' },
        { kind: 'extendedMessage' },
        { kind: 'enhancedRouteRefresh' },
        {
          kind: 'gracefulRestart',
          restarting: true,
          notification: true,
          seconds: 120,
          families: [{ afi: 1, safi: 1, forwarding: true }],
        },
        { kind: 'extendedNextHop', families: [{ afi: 1, safi: 1, nextHopAfi: 2 }] },
      ],
    },
    bytes: '0035 01 04 fde8 0000 00000001 18 02 16 0200 0600 4600 4006 c078 0001 01 80 0506 0001 0001 0002',
  },
  {
    name: 'UPDATE of IPv4 routes',
    message: {
      kind: 'update',
      withdrawn: [],
      attributes: [
        { kind: 'origin', origin: 'igp' },
        { kind: 'asPath', segments: [{ kind: 'sequence', asns: [65000] }] },
        { kind: 'nextHop', address: ip('10.0.0.1') },
        { kind: 'communities', values: [65000 * 65536 + 7] },
        { kind: 'largeCommunities', values: [{ global: 65000, local1: 1, local2: 2 }] },
      ],
      announced: [prefix('192.0.2.1/32'), prefix('198.51.100.0/22')],
    },
    bytes:
      '004a 02 0000 002a 400101 00 400206 02 01 0000fde8 400304 0a000001 c00804 fde80007' +
      ' c0200c 0000fde8 00000001 00000002 20 c0000201 16 c63364',
  },
  {
    name: 'UPDATE of an AS path of two octets',
    context: { ...external, fourOctetAS: false },
    message: {
      kind: 'update',
      withdrawn: [],
      attributes: [{ kind: 'asPath', segments: [{ kind: 'sequence', asns: [23456, 65000] }] }],
      announced: [],
    },
    bytes: '0020 02 0000 0009 400206 02 02 5ba0 fde8',
  },
  {
    name: 'UPDATE of IPv6 routes to an internal peer',
    context: { ...external, internal: true },
    message: {
      kind: 'update',
      withdrawn: [],
      attributes: [
        {
          kind: 'mpReach',
          family: 6,
          nextHop: { address: ip('2001:db8::1') },
          prefixes: [prefix('2001:db8:1::/48')],
        },
        { kind: 'origin', origin: 'incomplete' },
        { kind: 'asPath', segments: [] },
        { kind: 'localPref', value: 100 },
      ],
      announced: [],
    },
    bytes:
      '0044 02 0000 002d 800e1c 0002 01 10 20010db8000000000000000000000001 00 30 20010db80001' +
      ' 400101 02 400200 400504 00000064',
  },
  {
    name: 'UPDATE that withdraws',
    message: {
      kind: 'update',
      withdrawn: [prefix('0.0.0.0/0'), prefix('10.0.0.0/9')],
      attributes: [{ kind: 'mpUnreach', family: 6, prefixes: [prefix('::/0')] }],
      announced: [],
    },
    bytes: '0022 02 0004 00 09 0a00 0007 800f04 0002 01 00',
  },
  {
    name: 'NOTIFICATION of a shutdown with its text',
    message: { kind: 'notification', error: { code: 6, subcode: 2, data: shutdownText('bye') } },
    bytes: '0019 03 06 02 03 627965',
  },
  {
    name: 'ROUTE-REFRESH',
    message: { kind: 'routeRefresh', family: { afi: 2, safi: 1 }, subtype: 0 },
    bytes: '0017 05 0002 00 01',
  },
]

describe.each(goldens)('$name', ({ message, bytes, context = external }) => {
  const expected = marker + bytes.replaceAll(' ', '')

  test('is written byte for byte', () => {
    expect(Buffer.from(encodeMessage(message, context)).toString('hex')).toBe(expected)
  })

  test('is read back', () => {
    const decoded = decodeMessage(new Uint8Array(Buffer.from(expected, 'hex')), context)
    expect(decoded).toMatchObject({ ok: true, value: message })
  })
})
