import { readFileSync } from 'node:fs'
import type { ConfigMap, Key } from '@landfall/kube/model'
import { formatRange, type IP, parseIP } from '@landfall/netip'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { heldPool } from '../held-pool.ts'
import { LegacyConfig } from './legacy-config.ts'

const name = { namespace: 'metallb-system', name: 'config' }

function configMap(config: string): ConfigMap {
  const fixed = { uid: 'u', resourceVersion: '1', generation: 0, creationTimestamp: '2026-01-01T00:00:00Z' }
  return { meta: { ...name, ...fixed, labels: {}, annotations: {}, deleting: false }, data: { config } }
}

function holding(...texts: readonly string[]): ReadonlyMap<Key, readonly IP[]> {
  return new Map(texts.map((text) => [`default/${text}`, [parseIP(text) ?? { family: 4, value: 0n }]]))
}

const pool = (addresses: string, more = '') =>
  configMap(`address-pools: [{name: p, protocol: layer2, addresses: [${addresses}]${more}}]`)

/** Ranges in force and reasons of refusal after each ConfigMap in turn. */
function follow(steps: readonly (ConfigMap | undefined)[], held = holding()) {
  const legacy = new LegacyConfig(name)
  return steps.map((step) => {
    const { config, refusals } = legacy.build(step, [], held)
    const ranges = config.pools.flatMap(({ ranges }) => ranges.map(formatRange))
    return [ranges.join(), refusals.map(({ reason }) => reason).join()]
  })
}

const good = '10.0.0.0-10.0.0.3'

test.each([
  ['broken YAML', configMap('address-pools: ['), 'InvalidYAML'],
  ['an unknown key', pool('10.0.0.0/30', ', colour: red'), 'UnknownField'],
  ['overlapping CIDRs', pool('10.0.0.0/30, 10.0.0.1/32'), 'OverlappingPool'],
  ['the pool in use dropped', pool('10.9.0.0/30'), 'DropsAddressInUse'],
  ['the address in use left out', pool('10.0.0.0/30', ', avoid-buggy-ips: true'), 'DropsAddressInUse'],
  ['the ConfigMap deleted', undefined, 'MissingField'],
])('after a bad edit, %s, the old configuration stays until it is mended', (_, bad, reason) => {
  expect(follow([pool('10.0.0.0/30'), bad, pool('10.0.0.0/30')], holding('10.0.0.0'))).toEqual([
    [good, ''],
    [good, reason],
    [good, ''],
  ])
})

test('a configuration that covers what is in use replaces the old one', () => {
  const larger = pool('10.0.0.0/29')
  expect(follow([pool('10.0.0.0/30'), larger], holding('10.0.0.1'))[1]).toEqual(['10.0.0.0-10.0.0.7', ''])
})

test('with nothing to stay with a configuration is taken whatever is in use', () => {
  expect(follow([pool('10.0.0.0/30')], holding('10.9.0.0'))).toEqual([[good, '']])
})

test('the example of the reference manifest of v0.4 is taken, with one note', () => {
  const file = new URL('../../testdata/legacy/004-rke-baremetal.yaml', import.meta.url)
  const { data } = parse(readFileSync(file, 'utf8'))
  const { config, notes } = new LegacyConfig(name).build(configMap(data.config), [], holding())
  expect([config.pools.length, notes.length]).toEqual([1, 1])
})

test.each<[string, string, string | undefined]>([
  ['an unknown key', 'address-pools: [{name: p, protocol: layer2, addresses: [10.0.0.0/30], x: y}]', 'p: l2'],
  [
    'an overlap',
    'address-pools: [{name: p, protocol: bgp, addresses: [10.0.0.0/30, 10.0.0.0/31]}]',
    'p: bgp',
  ],
  [
    'broken YAML below',
    'address-pools:\n- name: p\n  protocol: layer2\n  addresses: [10.0.0.0/30]\npeers: [',
    'p: l2',
  ],
  ['broken YAML above', 'peers: [\naddress-pools: [{name: p}]', undefined],
  ['no YAML', '"', undefined],
])('who saw only a refused one announces what can be read of it: %s', (_, config, expected) => {
  const built = new LegacyConfig(name).build(configMap(config), [], holding('10.0.0.1'))
  expect(built.refusals.length).toBeGreaterThan(0)
  expect(built.config.incomplete).toBe(true)
  expect(built.config.pools.every(({ refused }) => refused)).toBe(true)
  const ip = parseIP('10.0.0.1') ?? { family: 4, value: 0n }
  const pool = heldPool(built.config, ip, { ips: [ip], allocatedFrom: '' })
  const protocol = (pool?.l2.length ?? 0) > 0 ? 'l2' : 'bgp'
  expect(pool && `${pool.name}: ${protocol}`).toBe(expected)
})

test('a configuration that drops an address in use is taken once nobody has it any more', () => {
  const legacy = new LegacyConfig(name)
  legacy.build(pool('10.0.0.0/30'), [], holding('10.0.0.0'))
  const dropping = pool('10.9.0.0/30')
  const ranges = (held: ReadonlyMap<Key, readonly IP[]>) =>
    legacy.build(dropping, [], held).config.pools.flatMap(({ ranges }) => ranges.map(formatRange))
  expect(ranges(holding('10.0.0.0'))).toEqual([good])
  expect(ranges(holding())).toEqual(['10.9.0.0-10.9.0.3'])
})
