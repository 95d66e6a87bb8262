import { parseIP } from '@landfall/netip'
import { expect, test } from 'vitest'
import { answeringInterfaces, defaultExcludes, type LinkState } from './interface-rules.ts'

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
    addresses: [{ ip: linkLocal, duplicate: false }],
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
