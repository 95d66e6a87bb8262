/** Values as they should not be, in objects that are good otherwise. */
import { projectcontourResources } from '@landfall/api/crd'
import type { RawObject } from '@landfall/kube'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomWorld } from '../golden/random-objects.ts'
import type { Schema } from '../golden/random-values.ts'
import { validate } from './validate.ts'

interface Place {
  readonly object: number
  readonly path: readonly (string | number)[]
  /** undefined: of a kind that has no schema here. */
  readonly schema: Schema | undefined
}

const powers = [2 ** 16, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 62, 2 ** 63, 2 ** 64, 1e300]
const numbers = powers.flatMap((power) => [power, power - 1, -power, -power - 1]).concat([0, -1, 0.5])
const ranges = { int32: [-(2 ** 31), 2 ** 31 - 1], int64: [-(2 ** 63), 2 ** 63 - 1] } as const

function schemaOf({ kind }: RawObject): Schema | undefined {
  const resource = projectcontourResources.find((one) => one.kind === kind)
  return resource?.versions.find(({ name }) => name === resource.version)?.spec
}

function placesIn(value: unknown, schema: Schema | undefined, found: Place): readonly Place[] {
  if (typeof value === 'number') return [{ ...found, schema }]
  if (typeof value !== 'object' || value === null) return []
  const isList = Array.isArray(value)
  return Object.entries(value).flatMap(([key, inner]) =>
    placesIn(inner, isList ? schema?.items : schema?.properties?.[key], {
      ...found,
      path: [...found.path, isList ? Number(key) : key],
    }),
  )
}

function replaced(value: unknown, [key, ...rest]: Place['path'], by: unknown): unknown {
  if (key === undefined) return by
  if (Array.isArray(value))
    return value.map((item, index) => (index === key ? replaced(item, rest, by) : item))
  const fields = { ...(value as Readonly<Record<string, unknown>>) }
  return { ...fields, [key]: replaced(fields[key], rest, by) }
}

/** `spec.routes[0].weight` */
function written(path: Place['path']): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .slice(1)
}

function isOutside({ format, type, minimum, maximum }: Schema, value: number): boolean {
  if (type === 'integer' && !Number.isInteger(value)) return true
  const [lowest, highest] = format === 'int32' || format === 'int64' ? ranges[format] : [-Infinity, Infinity]
  return value < Math.max(lowest, minimum ?? lowest) || value > Math.min(highest, maximum ?? highest)
}

const configuration = {
  apiVersion: 'projectcontour.io/v1alpha1',
  kind: 'ContourConfiguration',
  metadata: { namespace: 'web', name: 'contour' },
  spec: {
    xdsServer: { port: 8001 },
    envoy: {
      listener: { maxRequestsPerConnection: 5, socketOptions: { tos: 4 } },
      cluster: { circuitBreakers: { maxConnections: 7 } },
      network: { numTrustedHops: 1, adminPort: 9001 },
    },
    tracing: { extensionService: { namespace: 'web', name: 'a' }, maxPathTagLength: 9 },
  },
}

test('nothing throws, and each integer out of its range is told with its object and path', () => {
  const property = fc.property(
    fc.nat(40),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom(...numbers)), { minLength: 1, maxLength: 4 }),
    (seed, changes) => {
      let objects: readonly RawObject[] = [...randomWorld(seed, 8), configuration]
      const places = objects.flatMap((raw, object) =>
        placesIn(raw['spec'], schemaOf(raw), { object, path: ['spec'], schema: undefined }),
      )
      const changed = new Map(changes.map(([nth, value]) => [nth % places.length, value]))
      for (const [nth, value] of changed) {
        const { object = 0, path = [] } = places[nth] ?? {}
        objects = objects.map((raw, index) =>
          index === object ? (replaced(raw, path, value) as RawObject) : raw,
        )
      }
      const documents = objects.map((object) => ({ kind: 'object', file: 'a.yaml', object }) as const)
      const findings = validate(documents, {}, 'default')
      for (const [nth, value] of changed) {
        const place = places[nth]
        if (place?.schema === undefined || !isOutside(place.schema, value)) continue
        const { kind, metadata } = objects[place.object] ?? configuration
        const told = findings
          .filter(
            (one) => one.kind === kind && one.namespace === metadata.namespace && one.name === metadata.name,
          )
          .flatMap(({ problems }) => problems.map(({ message }) => message))
        const path = written(place.path)
        expect(told, `${path}: ${value}`).toContainEqual(expect.stringContaining(`${path}: `))
      }
    },
  )
  fc.assert(property, { numRuns: 150 })
})

const odd = [null, 'x', '', 5, true, [], {}, [null], [5], { a: 1 }]

/** Of all that stands in the object, but for what it is and how it is called. */
function allPaths(value: unknown, path: Place['path'] = []): readonly Place['path'][] {
  if (typeof value !== 'object' || value === null) return [path]
  const isList = Array.isArray(value)
  const below = Object.entries(value).flatMap(([key, inner]) =>
    allPaths(inner, [...path, isList ? Number(key) : key]),
  )
  return [path, ...below].filter(
    (one) => one.length > 0 && !['kind', 'apiVersion', 'metadata'].includes(one.join('.')),
  )
}

test('nothing throws, whatever stands in a field', () => {
  const property = fc.property(
    fc.nat(40),
    fc.array(fc.tuple(fc.nat(), fc.nat(), fc.constantFrom(...odd)), { minLength: 1, maxLength: 3 }),
    (seed, changes) => {
      const objects = [...randomWorld(seed, 8), configuration]
      for (const [nth, place, value] of changes) {
        const index = nth % objects.length
        const object = objects[index] ?? configuration
        const paths = allPaths(object).filter((path) => path.join('.') !== 'metadata.name')
        objects[index] = replaced(object, paths[place % paths.length] ?? [], value) as RawObject
      }
      const documents = objects.map((object) => ({ kind: 'object', file: 'a.yaml', object }) as const)
      expect(validate(documents, {}, 'default').length).toBeGreaterThan(0)
    },
  )
  fc.assert(property, { numRuns: 300 })
})
