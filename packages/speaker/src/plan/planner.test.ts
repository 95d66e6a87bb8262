import { readdirSync, readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { Planner } from './planner.ts'
import { goldenOf, type Written, worldOf } from './testing.ts'

const folder = new URL('./testdata/', import.meta.url)
const files = readdirSync(folder)
const cases = files.filter((file) => file.endsWith('.yaml')).map((file) => file.replace('.yaml', ''))

const written = new Map(cases.map((name) => [name, parsed(name)]))

function parsed(name: string): readonly Written[] {
  const text = readFileSync(new URL(`${name}.yaml`, folder), 'utf8')
  return parseAllDocuments(text).map((document) => document.toJS())
}

function read(name: string): readonly Written[] {
  return written.get(name) ?? []
}

describe('golden: as worker-1 sees it', () => {
  test.each(cases)('%s', async (name) => {
    const plan = new Planner().plan(worldOf('worker-1', read(name)))
    await expect(goldenOf(plan)).toMatchFileSnapshot(new URL(`${name}.golden.json`, folder).pathname)
  })

  test('no golden without its case', () => {
    const goldens = files.filter((file) => file.endsWith('.golden.json'))
    expect(goldens.filter((file) => !cases.includes(file.replace('.golden.json', '')))).toEqual([])
  })
})

test('every node sees the same candidates', () => {
  for (const name of cases) {
    const orders = ['worker-1', 'worker-2', 'worker-3'].map((node) => {
      const { layer2 } = new Planner().plan(worldOf(node, read(name)))
      return [...layer2.values()].map(({ ip, unit, candidates }) => ({ ip, unit, candidates }))
    })
    expect(orders[1]).toEqual(orders[0])
    expect(orders[2]).toEqual(orders[0])
  }
})

test('a planner that saw other worlds decides as a new one, whatever the order of the objects', () => {
  const worlds = fc.constantFrom(...cases).chain((name) => {
    const objects = [...read(name)]
    return fc.subarray(objects).chain((some) => fc.shuffledSubarray(some, { minLength: some.length }))
  })
  fc.assert(
    fc.property(fc.array(worlds, { minLength: 1, maxLength: 6 }), (history) => {
      const planner = new Planner()
      for (const objects of history) {
        const world = worldOf('worker-1', objects)
        const sorted = worldOf(
          'worker-1',
          objects.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)),
        )
        const plan = planner.plan(world)
        expect(goldenOf(planner.plan(world))).toBe(goldenOf(plan))
        expect(goldenOf(plan)).toBe(goldenOf(new Planner().plan(sorted)))
      }
    }),
    { numRuns: 100 },
  )
})

test('an address in a status is announced the same while its pool is refused, smaller or gone', () => {
  const names = fc.constantFrom('pool', 'other')
  const choice = fc.record({ ipAddressPools: fc.uniqueArray(names, { maxLength: 2 }) })
  const ad = fc.tuple(fc.constantFrom('L2Advertisement', 'BGPAdvertisement'), choice)
  const spare = { kind: 'IPAddressPool', metadata: { name: 'other' }, spec: { addresses: ['10.9.0.0/24'] } }
  const site = read('pool-refused').filter(({ kind }) => !/Pool|Advertisement/.test(kind))
  const pool = (...addresses: readonly string[]) => ({
    ...spare,
    metadata: { name: 'pool' },
    spec: { addresses },
  })
  fc.assert(
    fc.property(fc.array(ad, { maxLength: 4 }), (ads) => {
      const advertised = ads.map(([kind, spec], index) => ({ kind, metadata: { name: `ad-${index}` }, spec }))
      const planned = (...pools: readonly Written[]) =>
        goldenOf(new Planner().plan(worldOf('worker-1', [...site, ...advertised, spare, ...pools])))
      const whole = planned(pool('192.168.1.240/30'))
      for (const pools of [[], [pool('x')], [pool('192.168.1.244/30')], [pool('192.168.1.240/30', 'x')]])
        expect(planned(...pools)).toBe(whole)
    }),
    { numRuns: 50 },
  )
})

test('a change of one Service leaves the plans of the others as they were', () => {
  const world = worldOf('worker-1', read('shared-address-follows-oldest'))
  const planner = new Planner()
  const before = new Map(planner.plan(world).services)
  const web = world.services.get('default/web')
  if (web === undefined) throw new Error('no Service web')
  const after = planner.plan({
    ...world,
    services: new Map([...world.services, ['default/web', { ...web, externalTrafficPolicy: 'Local' }]]),
  })
  expect(after.services.get('default/old')).toBe(before.get('default/old'))
  expect(after.services.get('default/web')).not.toBe(before.get('default/web'))
})

test('told which Services may have changed, it plans as one that looks at all', () => {
  const name = fc.constantFrom('old', 'web', 'api', 'mail')
  const ips = fc.array(fc.constantFrom('192.168.1.1', '192.168.1.2', '192.168.1.3'), { maxLength: 2 })
  const step = fc.record({
    name,
    gone: fc.boolean(),
    ips,
    type: fc.constantFrom('LoadBalancer', 'ClusterIP'),
    node: fc.constantFrom('worker-1', 'worker-2', undefined),
    created: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
  })
  const around: readonly Written[] = [
    { kind: 'Node', metadata: { name: 'worker-1' } },
    { kind: 'Node', metadata: { name: 'worker-2' } },
    { kind: 'IPAddressPool', metadata: { name: 'pool' }, spec: { addresses: ['192.168.1.0/24'] } },
    {
      kind: 'L2Advertisement',
      metadata: { name: 'l2' },
      spec: { serviceSelectors: [{ matchLabels: { app: 'web' } }] },
    },
    { kind: 'L2Advertisement', metadata: { name: 'all' } },
    { kind: 'BGPAdvertisement', metadata: { name: 'bgp' } },
    { kind: 'BGPPeer', metadata: { name: 'tor' }, spec: { myASN: 1, peerASN: 1, peerAddress: '10.0.0.1' } },
  ]
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 3 }), { minLength: 1, maxLength: 6 }), (rounds) => {
      const world = worldOf('worker-1', around)
      const [services, slices] = [new Map(world.services), new Map(world.slices)]
      const planner = new Planner()
      planner.plan({ ...world, services, slices })
      for (const round of rounds) {
        for (const { name, gone, ips, type, node, created } of round) {
          const key = `default/${name}` as const
          const endpoints = [{ ready: true, serving: true, terminating: false, nodeName: node }]
          const made = worldOf('worker-1', [
            {
              kind: 'Service',
              metadata: { name, labels: { app: name }, creationTimestamp: created },
              spec: { type, ingress: ips.map((ip) => ({ ip })) },
            },
            { kind: 'EndpointSlice', metadata: { name }, spec: { serviceName: name, endpoints } },
          ])
          const service = made.services.get(key)
          if (gone || service === undefined) services.delete(key)
          else services.set(key, service)
          if (node === undefined) slices.delete(key)
          else slices.set(key, made.slices.get(key) ?? [])
        }
        const now = { ...world, services, slices }
        const changed = new Set(round.map(({ name }) => `default/${name}` as const))
        const known = planner.plan(now, new Set())
        expect(known.changedAddresses.size).toBe(0)
        const [before, addresses] = [new Map(known.services), new Map(known.layer2)]
        const plan = planner.plan(now, changed)
        expect(goldenOf(plan)).toBe(goldenOf(new Planner().plan(now)))
        const others = [...new Set([...addresses.keys(), ...plan.layer2.keys()])].filter(
          (text) => !plan.changedAddresses.has(text),
        )
        for (const text of others) expect(plan.layer2.get(text)).toBe(addresses.get(text))
        for (const key of new Set([...before.keys(), ...plan.services.keys()]))
          expect(plan.changed.has(key)).toBe(before.get(key) !== plan.services.get(key))
      }
    }),
    { numRuns: 300 },
  )
})
