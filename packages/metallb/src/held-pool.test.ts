import { formatIP, parseIP } from '@landfall/netip'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildConfig } from './build-config.ts'
import type { Config } from './config.ts'
import { heldPool, isUnread } from './held-pool.ts'
import { objectsOf, type Written } from './testing.ts'

const pool = (name: string, addresses: readonly string[], metadata: object = {}): Written => ({
  kind: 'IPAddressPool',
  metadata: { name, ...metadata },
  spec: { addresses },
})
const l2 = (name: string, spec?: object): Written => ({ kind: 'L2Advertisement', metadata: { name }, spec })
const bgp = (name: string, spec?: object): Written => ({ kind: 'BGPAdvertisement', metadata: { name }, spec })
const gold = { ipAddressPoolSelectors: [{ matchLabels: { class: 'gold' } }] }
const silver = { ipAddressPoolSelectors: [{ matchLabels: { class: 'silver' } }] }

const configOf = (...objects: readonly Written[]) => buildConfig(objectsOf(objects)).config
const ip = (text: string) => {
  const parsed = parseIP(text)
  if (parsed === undefined) throw new Error(text)
  return parsed
}
const held = (config: Config, texts: readonly string[], allocatedFrom: string) =>
  texts.map((text) => {
    const found = heldPool(config, ip(text), { ips: texts.map(ip), allocatedFrom })
    const names = [...(found?.l2 ?? []), ...(found?.bgp ?? [])].map(({ name }) => name)
    return found && `${found.name}: ${names.join()}`
  })

const address = '10.0.0.1'

test.each<[string, readonly Written[], string, string | undefined]>([
  ['a pool that has it', [pool('p', ['10.0.0.0/24']), l2('a')], '', 'p: a'],
  ['a pool that has it, whatever was noted', [pool('p', ['10.0.0.0/24']), l2('a')], 'q', 'p: a'],
  ['a refused pool that has it', [pool('p', ['10.0.0.0/24', 'x']), l2('a')], 'p', 'p: a'],
  ['a refused pool that does not show it', [pool('p', ['x']), l2('a')], 'p', 'p: a'],
  ['a pool that shrank', [pool('p', ['10.0.0.8/29']), l2('a', { ipAddressPools: ['p'] })], 'p', 'p: a'],
  ['a pool that is gone, advertised with all', [l2('a'), bgp('b')], 'p', 'p: a,b'],
  ['a pool that is gone, advertised by name', [l2('a', { ipAddressPools: ['p'] })], 'p', 'p: a'],
  ['a pool that is gone, and others named', [l2('a', { ipAddressPools: ['q'] })], 'p', 'p: '],
  ['a pool that is gone, the one way by label', [l2('a', gold)], 'p', 'p: a'],
  ['a pool that is gone, alike by label', [l2('a', gold), bgp('b', gold)], 'p', 'p: a,b'],
  ['a pool that is gone, unlike by label', [l2('a', gold), bgp('b', silver)], 'p', 'p: '],
  ['a pool that is gone, by name and not by label', [l2('a'), bgp('b', gold)], 'p', 'p: a'],
  ['a pool that is gone, aggregated', [bgp('b', { aggregationLength: 24 })], 'p', 'p: b'],
  ['a pool that is gone, contradicted', [bgp('b', { localPref: 1 }), bgp('c')], 'p', 'p: b'],
  ['no pool, and none noted', [l2('a')], '', undefined],
  ['a refused advertisement', [l2('a', { ipAddressPools: ['p', 'p'] })], 'p', 'p: '],
])('the pool of a held address: %s', (_, objects, allocatedFrom, expected) => {
  const nodes = { kind: 'Node', metadata: { name: 'n1' } }
  expect(held(configOf(nodes, ...objects), [address], allocatedFrom)).toEqual([expected])
})

test('of two addresses each has its own pool', () => {
  const config = configOf(l2('a', { ipAddressPools: ['v4'] }), l2('b', { ipAddressPools: ['v6'] }))
  expect(held(config, [address, 'fd00::1'], 'v4,v6')).toEqual(['v4: a', 'v6: b'])
  expect(held(config, [address, 'fd00::1'], 'v4')).toEqual(['v4: a', 'v4: a'])
})

test.each<[string, readonly Written[], string, boolean]>([
  ['in a pool', [pool('p', ['10.0.0.0/24', 'x'])], 'p', false],
  ['its pool is refused', [pool('p', ['x'])], 'p', true],
  ['another pool is refused', [pool('q', ['x'])], 'p', false],
  ['its pool is smaller', [pool('p', ['10.0.0.8/29'])], 'p', false],
  ['its pool is gone', [], 'p', false],
])('whether an address is not to be read: %s', (_, objects, allocatedFrom, expected) => {
  const allocation = { ips: [ip(address)], allocatedFrom }
  expect(isUnread(configOf(...objects), ip(address), allocation)).toBe(expected)
  expect(isUnread({ ...configOf(), incomplete: true }, ip(address), allocation)).toBe(true)
})

test('how an address is announced does not change when its pool goes, unless labels decide', () => {
  const names = fc.constantFrom('p', 'q', 'r')
  const spec = fc.record({ ipAddressPools: fc.uniqueArray(names, { maxLength: 2 }) })
  const ads = fc.array(fc.tuple(fc.boolean(), spec), { maxLength: 5 })
  fc.assert(
    fc.property(ads, names, (specs, name) => {
      const nodes = { kind: 'Node', metadata: { name: 'n1' } }
      const objects = specs.map(([isL2, each], index) => (isL2 ? l2 : bgp)(`a${index}`, each))
      const all = ['p', 'q', 'r'].map((each, index) => pool(each, [`10.0.${index}.0/24`]))
      const address = `10.0.${['p', 'q', 'r'].indexOf(name)}.7`
      const whole = configOf(nodes, ...objects, ...all)
      const without = configOf(nodes, ...objects, ...all.filter(({ metadata }) => metadata.name !== name))
      expect(held(without, [address], name)).toEqual(held(whole, [address], name))
      const unread = configOf(nodes, ...objects, pool(name, ['x']))
      expect(held(unread, [address], name)).toEqual(held(whole, [address], name))
      expect(formatIP(ip(address))).toBe(address)
    }),
  )
})
