import type { Interface } from '@landfall/net'
import { formatIP, type IP, parseIP, parsePrefix } from '@landfall/netip'
import { describe, expect, test } from 'vitest'
import type { BgpPeerPlan } from '../plan/bgp-plan.ts'
import { type Ends, endsOf, ttlsOf } from './ends.ts'

const ip = (text: string): IP => parseIP(text) ?? expect.unreachable(text)
const peer = (more: Partial<BgpPeerPlan> = {}): BgpPeerPlan => ({
  name: 'tor',
  address: ip('192.0.2.1'),
  port: 179,
  myASN: 65000,
  peerASN: 65530,
  holdTimeSeconds: 90,
  ebgpMultiHop: false,
  routes: [],
  ...more,
})

function link(name: string, ...addresses: readonly string[]): Interface {
  const flags = { ethernet: true, up: true, running: true, broadcast: true, loopback: false, noArp: false }
  const own = addresses.map((text) => ({
    ip: ip(text.replace(' tentative', '')),
    prefixLength: 24,
    tentative: text.endsWith(' tentative'),
    duplicate: false,
  }))
  return { index: 2, name, mac: new Uint8Array(6), carrierUps: 1, master: 0, ...flags, addresses: own }
}
const links = [
  link('eth0', 'fe80::a', '192.0.2.11', '192.0.2.12 tentative', '2001:db8::a'),
  link('eth1', 'fe80::b', '198.51.100.11', '192.0.2.21'),
]

function textOf(ends: Ends): string {
  if (ends.kind === 'missing') return ends.message
  const { remote, local, device, ttl, minTtl } = ends
  const from = local === undefined ? 'any' : formatIP(local)
  return [`${from} -> ${formatIP(remote)}`, device, `ttl ${ttl}`, minTtl && `from ${minTtl}`]
    .filter(Boolean)
    .join(', ')
}

describe('hops', () => {
  test.each([
    ['an external peer is on the link', {}, 1, undefined],
    ['an internal one may be anywhere', { peerASN: 65000 }, 255, undefined],
    ['any AS but ours is external', { peerASN: 'external' }, 1, undefined],
    ['an external one that is said to be far', { ebgpMultiHop: true }, 255, undefined],
    ['TTL security over one hop', { ttlSecurityHops: 1 }, 255, 255],
    ['TTL security over five', { ttlSecurityHops: 5 }, 255, 251],
    ['TTL security over as many as there are', { ttlSecurityHops: 254 }, 255, 2],
    ['TTL security inside the AS', { peerASN: 65000, ttlSecurityHops: 2 }, 255, 254],
  ] as const)('%s', (_what, more, ttl, minTtl) => {
    expect(ttlsOf(peer(more))).toEqual({ ttl, minTtl })
  })
})

describe('ends', () => {
  const address = (text: string) => ({ sourceAddress: { kind: 'address', ip: ip(text) } }) as const
  const of = (name: string) => ({ sourceAddress: { kind: 'interface', name } }) as const
  const within = (text: string) =>
    ({ sourceAddress: { kind: 'prefix', prefix: parsePrefix(text) ?? expect.unreachable(text) } }) as const
  test.each([
    ['nothing said', {}, 'any -> 192.0.2.1, ttl 1'],
    ['a VRF', { vrf: 'red' }, 'any -> 192.0.2.1, red, ttl 1'],
    ['far away', { ebgpMultiHop: true }, 'any -> 192.0.2.1, ttl 255'],
    ['two hops at most', { ttlSecurityHops: 2 }, 'any -> 192.0.2.1, ttl 255, from 254'],
    ['an address', address('192.0.2.21'), '192.0.2.21 -> 192.0.2.1, ttl 1'],
    [
      'an address of no interface',
      address('192.0.2.99'),
      'sourceAddressMissing: this node has no address for 192.0.2.99',
    ],
    [
      'an address that is not usable yet',
      address('192.0.2.12'),
      'sourceAddressMissing: this node has no address for 192.0.2.12',
    ],
    ['an interface', of('eth1'), '198.51.100.11 -> 192.0.2.1, ttl 1'],
    [
      'an interface that is not there',
      of('eth7'),
      'sourceAddressMissing: this node has no address for interface eth7',
    ],
    ['a prefix', within('198.51.100.0/24'), '198.51.100.11 -> 192.0.2.1, ttl 1'],
    ['the first of a prefix', within('192.0.2.0/24'), '192.0.2.11 -> 192.0.2.1, ttl 1'],
    [
      'a prefix without an address',
      within('203.0.113.0/24'),
      'sourceAddressMissing: this node has no address for prefix 203.0.113.0/24',
    ],
    ['IPv6', { address: ip('2001:db8::1'), ...of('eth0') }, '2001:db8::a -> 2001:db8::1, ttl 1'],
    [
      'an interface without IPv6',
      { address: ip('2001:db8::1'), ...of('eth1') },
      'sourceAddressMissing: this node has no address for interface eth1',
    ],
    ['unnumbered', { address: undefined, interface: 'eth0' }, 'any -> fe80::1, eth0, ttl 1'],
    [
      'unnumbered from its interface',
      { address: undefined, interface: 'eth0', ...of('eth0') },
      'fe80::a -> fe80::1, eth0, ttl 1',
    ],
    [
      'unnumbered, nobody there',
      { address: undefined, interface: 'eth1' },
      'neighborUnknown: no router was heard on interface eth1',
    ],
  ] as const)('%s', (_what, more, wanted) => {
    const neighbor = (name: string) => (name === 'eth0' ? ip('fe80::1') : undefined)
    expect(textOf(endsOf(peer(more), links, neighbor))).toBe(wanted)
  })
})
