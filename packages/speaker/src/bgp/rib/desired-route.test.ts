import { parseIP, parsePrefix } from '@landfall/netip'
import { describe, expect, test } from 'vitest'
import type { BgpRoute } from '../../plan/bgp-plan.ts'
import { describeUnsent, resolveRoutes, type SessionFacts } from './desired-route.ts'
import { chooseNextHop } from './next-hop.ts'

const ip = (text: string) => parseIP(text) ?? expect.unreachable(text)
const route = (prefix: string, more: Partial<BgpRoute> = {}): BgpRoute => ({
  prefix: parsePrefix(prefix) ?? expect.unreachable(prefix),
  communities: [],
  ...more,
})
const facts: SessionFacts = {
  localASN: 65000,
  internal: false,
  fourOctetAS: true,
  families: [4, 6],
  nextHops: { 4: { address: ip('10.0.0.1') }, 6: { address: ip('fd00::1') } },
  draining: false,
}
const attributesOf = (one: BgpRoute, more: Partial<SessionFacts> = {}) =>
  [...resolveRoutes([one], { ...facts, ...more }).routes.values()][0]?.set.attributes

describe('path attributes', () => {
  test('outside our AS: our AS in the path, no LOCAL_PREF', () => {
    expect(attributesOf(route('192.0.2.1/32', { localPref: 200 }))).toEqual([
      { kind: 'origin', origin: 'igp' },
      { kind: 'asPath', segments: [{ kind: 'sequence', asns: [65000] }] },
    ])
  })

  test('inside: an empty path, and always LOCAL_PREF', () => {
    const path = { kind: 'asPath', segments: [] }
    const origin = { kind: 'origin', origin: 'igp' }
    expect(attributesOf(route('192.0.2.1/32'), { internal: true })).toEqual([
      origin,
      path,
      { kind: 'localPref', value: 100 },
    ])
    expect(attributesOf(route('192.0.2.1/32', { localPref: 0 }), { internal: true })).toContainEqual({
      kind: 'localPref',
      value: 0,
    })
  })

  test('an AS number that the peer cannot read goes beside the path', () => {
    const kinds = (more: Partial<SessionFacts>) =>
      attributesOf(route('192.0.2.1/32'), more)?.map(({ kind }) => kind)
    expect(kinds({ localASN: 4200000000, fourOctetAS: false })).toEqual(['origin', 'asPath', 'as4Path'])
    expect(kinds({ localASN: 65535, fourOctetAS: false })).toEqual(['origin', 'asPath'])
    expect(kinds({ localASN: 4200000000 })).toEqual(['origin', 'asPath'])
  })

  test('communities, each kind in its attribute', () => {
    const communities = [
      { kind: 'standard', high: 65535, low: 65281 },
      { kind: 'large', global: 1, local1: 2, local2: 3 },
    ] as const
    expect(attributesOf(route('192.0.2.1/32', { communities }))?.slice(2)).toEqual([
      { kind: 'communities', values: [0xffffff01] },
      { kind: 'largeCommunities', values: [{ global: 1, local1: 2, local2: 3 }] },
    ])
  })

  test('MED, a longer path outside our AS, and the bandwidth of a path', () => {
    expect(attributesOf(route('192.0.2.1/32', { med: 7, prepend: 2, bandwidth: 125e6 }))?.slice(1)).toEqual([
      { kind: 'asPath', segments: [{ kind: 'sequence', asns: [65000, 65000, 65000] }] },
      { kind: 'med', value: 7 },
      { kind: 'extendedCommunities', values: [0x4004_fde8_4cee_6b28n] },
    ])
    expect(attributesOf(route('192.0.2.1/32', { prepend: 2 }), { internal: true })).toContainEqual({
      kind: 'asPath',
      segments: [],
    })
  })

  test('a node that is about to go says so, and is the last choice inside our AS', () => {
    const communities = [{ kind: 'standard', high: 1, low: 2 }] as const
    const one = route('192.0.2.1/32', { communities, localPref: 300 })
    expect(attributesOf(one, { draining: true })).toContainEqual({
      kind: 'communities',
      values: [0x10002, 0xffff0000],
    })
    expect(attributesOf(one, { draining: true, internal: true })).toContainEqual({
      kind: 'localPref',
      value: 0,
    })
  })

  test('routes alike share one set', () => {
    const communities = [{ kind: 'standard', high: 1, low: 2 }] as const
    const routes = [
      route('192.0.2.1/32'),
      route('192.0.2.2/32', { communities }),
      route('192.0.2.3/32'),
      route('192.0.2.4/32', { communities: [...communities] }),
    ]
    const sets = [...resolveRoutes(routes, facts).routes.values()].map(({ set }) => set)
    expect(sets[0]).toBe(sets[2])
    expect(sets[1]).toBe(sets[3])
    expect(sets[0]).not.toBe(sets[1])
  })
})

test('a route that the session cannot carry is named with its reason', () => {
  const routes = [route('192.0.2.1/32'), route('2001:db8::1/128')]
  const unsentWith = (more: Partial<SessionFacts>) =>
    resolveRoutes(routes, { ...facts, ...more }).unsent.map(describeUnsent)
  expect(unsentWith({})).toEqual([])
  expect(unsentWith({ families: [6] })).toEqual(['192.0.2.1/32 familyNotNegotiated'])
  expect(unsentWith({ nextHops: { ...facts.nextHops, 6: undefined } })).toEqual(['2001:db8::1/128 noNextHop'])
})

describe('the next hop', () => {
  const plain = { extended: false, unnumbered: false }
  const hop = (family: 4 | 6, session: string, ...beside: readonly string[]) =>
    chooseNextHop(family, { session: ip(session), beside: beside.map(ip), ...plain })?.address

  test('is the session itself, or an address of the other family beside it', () => {
    expect(hop(4, '10.0.0.2', '10.0.0.1')).toEqual(ip('10.0.0.2'))
    expect(hop(6, '10.0.0.2', '10.0.0.1', 'fe80::1', 'fd00::1')).toEqual(ip('fd00::1'))
    expect(hop(4, 'fd00::1', '10.0.0.1')).toEqual(ip('10.0.0.1'))
    expect(hop(4, '127.0.0.1', '10.0.0.1')).toEqual(ip('127.0.0.1'))
    expect(hop(6, 'fe80::1', 'fe80::1', 'fd00::1')).toEqual(ip('fd00::1'))
  })

  test('of a link-local session carries that address too, twice where there is no other', () => {
    const sources = { session: ip('fe80::9'), ...plain }
    const both = (beside: readonly string[]) => chooseNextHop(6, { ...sources, beside: beside.map(ip) })
    expect(both(['fe80::9', 'fd00::1'])).toEqual({ address: ip('fd00::1'), linkLocal: ip('fe80::9') })
    expect(both(['fe80::9'])).toEqual({ address: ip('fe80::9'), linkLocal: ip('fe80::9') })
  })

  test('of IPv4 is an IPv6 one for an unnumbered peer, else only where there is no IPv4 one', () => {
    const sources = { session: ip('fe80::9'), extended: true }
    const beside = [ip('10.0.0.1')]
    expect(chooseNextHop(4, { ...sources, beside, unnumbered: true })).toEqual({
      address: ip('fe80::9'),
      linkLocal: ip('fe80::9'),
    })
    expect(chooseNextHop(4, { ...sources, beside, unnumbered: false })).toEqual({ address: ip('10.0.0.1') })
    const global = { session: ip('fd00::1'), beside: [], unnumbered: false }
    expect(chooseNextHop(4, { ...global, extended: true })).toEqual({ address: ip('fd00::1') })
    expect(chooseNextHop(4, { ...global, extended: false })).toBeUndefined()
  })

  test.each(['fe80::1', '::1', '::', 'ff02::1'])('is never %s', (address) => {
    expect(hop(6, '10.0.0.1', address)).toBeUndefined()
  })

  test.each(['127.0.0.1', '169.254.1.1', '0.0.0.0', '224.0.0.1'])('is never %s', (address) => {
    expect(hop(4, 'fd00::1', address)).toBeUndefined()
  })
})
