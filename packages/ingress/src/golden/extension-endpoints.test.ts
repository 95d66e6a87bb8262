import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ExtensionCluster, ServiceCluster } from '../dag/cluster.ts'
import { plainSettings } from '../dag/upstream.ts'
import { EndpointTables } from '../engine/endpoint-tables.ts'
import type { SliceChange } from '../model/objects.ts'
import { readObjects } from './objects.ts'

const settings = {
  ...plainSettings,
  protocol: 'h2c' as const,
  healthPortName: undefined,
  circuitBreakers: undefined,
  external: undefined,
}
const services = ['a', 'b', 'c']

type Weights = readonly (readonly [string, number])[]

const extension = (weights: Weights): ExtensionCluster => ({
  kind: 'extension',
  namespace: 'd',
  name: 'auth',
  targets: weights.map(([service, weight]) => ({ service, portName: '', weight })),
  settings,
  authority: undefined,
})

const service = (name: string): ServiceCluster => ({
  kind: 'service',
  namespace: 'd',
  service: name,
  port: 80,
  portName: '',
  settings,
  authority: undefined,
})

function slice(
  name: string,
  addresses: readonly string[],
  conditions: Readonly<Record<string, boolean>> = { ready: true },
): SliceChange {
  const metadata = { namespace: 'd', name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } }
  const endpoints = addresses.map((address) => ({ addresses: [address], conditions }))
  const raw = { kind: 'EndpointSlice', metadata, addressType: 'IPv4', ports: [{ port: 8080 }], endpoints }
  const [change] = readObjects(JSON.stringify(raw)).slices
  if (change === undefined) throw new Error('nothing read')
  return change
}

function shown(tables: EndpointTables): readonly string[] {
  return [...tables.table.copy().values()].map(({ name, version }) => `${name} ${version}`).toSorted()
}

const weights: fc.Arbitrary<Weights> = fc
  .uniqueArray(fc.constantFrom(...services), { minLength: 1 })
  .chain((names) =>
    fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), fc.integer({ min: 0, max: 3 })))),
  )
const change = fc.oneof(
  fc.record({ kind: fc.constant('want' as const), weights }),
  fc.record({ kind: fc.constant('drop' as const) }),
  fc.record({
    kind: fc.constant('slice' as const),
    name: fc.constantFrom(...services),
    addresses: fc.uniqueArray(fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3')),
  }),
)

test('after any history, the endpoints are those of the last clusters and slices', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (history) => {
      const tables = new EndpointTables()
      tables.want(service('a'))
      let held: ExtensionCluster | undefined
      const slices = new Map<string, SliceChange>()
      for (const step of history) {
        if (step.kind === 'slice') {
          const { after } = slice(step.name, step.addresses)
          tables.apply([{ key: `d/${step.name}-1`, before: slices.get(step.name)?.after, after }])
          slices.set(step.name, slice(step.name, step.addresses))
        } else {
          const wanted = step.kind === 'want' ? extension(step.weights) : undefined
          if (wanted !== undefined) tables.want(wanted)
          if (held !== undefined) tables.unwant(held)
          held = wanted
        }
      }
      const fresh = new EndpointTables()
      fresh.apply([...slices.values()])
      fresh.want(service('a'))
      if (held !== undefined) fresh.want(held)
      expect(shown(tables)).toEqual(shown(fresh))
    }),
  )
})

test('a change of a Service re-encodes its own port and the ExtensionServices that it is behind', () => {
  const tables = new EndpointTables()
  tables.want(service('a'))
  tables.want(
    extension([
      ['a', 1],
      ['b', 2],
    ]),
  )
  tables.table.drain()
  const changed = (name: string): readonly string[] => {
    tables.apply([slice(name, ['10.0.0.1'])])
    return [...tables.table.drain().keys()]
  }
  expect(changed('a')).toEqual(['d/a', 'extension/d/auth'])
  expect(changed('b')).toEqual(['extension/d/auth'])
  expect(changed('c')).toEqual([])
})

test('rule 39: a pod that is terminating, or not ready, leaves the endpoints at once', () => {
  const tables = new EndpointTables()
  tables.want(service('a'))
  const none = shown(tables)
  tables.apply([slice('a', ['10.0.0.1'])])
  expect(shown(tables)).not.toEqual(none)
  tables.apply([slice('a', ['10.0.0.1'], { ready: false, serving: true, terminating: true })])
  expect(shown(tables)).toEqual(none)
})
