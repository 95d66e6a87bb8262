import { type IP, parseIP } from '@landfall/netip'
import { expect, test } from 'vitest'
import { answeringInterfaces, defaultExcludes, type LinkState, neighborOf } from './interface-rules.ts'

function link(name: string, change: Partial<LinkState> = {}): LinkState {
  const linkLocal = parseIP('fe80::1')
  if (linkLocal === undefined) throw new Error('fe80::1')
  return {
    index: 1,
    name,
    mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
    ethernet: true,
    up: true,
    running: true,
    carrierUps: 1,
    broadcast: true,
    loopback: false,
    noArp: false,
    master: 0,
    addresses: [{ ip: linkLocal, prefixLength: 64, tentative: false, duplicate: false }],
    ...change,
  }
}

const excludes = defaultExcludes.map((pattern) => new RegExp(pattern))
const answers = (l: LinkState): string =>
  answeringInterfaces([l], excludes)
    .map((i) => [i.arp ? 'arp' : '', i.ndp ? 'ndp' : ''].filter(Boolean).join('+'))
    .join()

test.each<[string, LinkState, string]>([
  ['a card', link('eth0'), 'arp+ndp'],
  ['a bond', link('bond0'), 'arp+ndp'],
  ['a bridge', link('br0'), 'arp+ndp'],
  ['a VLAN', link('eth0.100'), 'arp+ndp'],
  ['without carrier', link('eth0', { running: false }), 'arp+ndp'],
  ['a member of a bond', link('eth0', { master: 7 }), ''],
  ['down', link('eth0', { up: false }), ''],
  ['NOARP', link('eth0', { noArp: true }), ''],
  ['no Ethernet', link('ib0', { ethernet: false }), ''],
  ['not able to broadcast', link('eth0', { broadcast: false }), 'ndp'],
  ['without a link-local address', link('eth0', { addresses: [] }), 'arp'],
  ['neither', link('eth0', { broadcast: false, addresses: [] }), ''],
  ['excluded by default: veth', link('veth12ab'), ''],
  ['excluded by default: cni0', link('cni0'), ''],
  ['excluded by default: lo', link('lo'), ''],
  ['lo is matched whole', link('lom0'), 'arp+ndp'],
])('%s', (_name, l, expected) => {
  expect(answers(l)).toBe(expected)
})

test('a link-local address that another host has does not count', () => {
  const [address] = link('eth0').addresses
  if (address === undefined) throw new Error('no address')
  expect(answers(link('eth0', { addresses: [{ ...address, duplicate: true }] }))).toBe('arp')
})

test('a host is a neighbor of the address whose prefix it is in, once that is known to be unique', () => {
  const addresses = ['10.0.0.9', '192.0.2.9', '2001:db8:1::9', '2001:db8:2::9'].map((text) => ({
    ip: ipOf(text),
    prefixLength: text.includes(':') ? 64 : 24,
    tentative: text === '2001:db8:2::9',
    duplicate: false,
  }))
  const near = (host: string) => neighborOf({ addresses }, ipOf(host))
  expect(near('192.0.2.77')).toEqual(ipOf('192.0.2.9'))
  expect(near('2001:db8:1::77')).toEqual(ipOf('2001:db8:1::9'))
  expect([near('192.0.3.77'), near('2001:db8:2::77'), near('2001:db8:3::77')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})

function ipOf(text: string): IP {
  const ip = parseIP(text)
  if (ip === undefined) throw new Error(text)
  return ip
}
