import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Engine, type ResourceChange } from '../engine/engine.ts'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import { type Change, emptyWorld, take } from '../model/objects.ts'
import { layouts } from '../xds/layout.ts'
import { resourceTypes, type Snapshot } from '../xds/resource.ts'
import {
  changeOf,
  dag,
  everything,
  hosts,
  names,
  objects,
  slice,
  step,
  verdicts,
  versions,
} from './random-history.ts'
import { brokenRules } from './readable.ts'

/** undefined: the object is deleted. */
const steps = fc.array(
  fc.record({ object: objects, deleted: fc.boolean(), age: fc.integer({ min: 1, max: 3 }) }),
  { minLength: 1, maxLength: 25 },
)

/** What Envoy would refuse of it by the rules in its protos. */
function broken(snapshot: Snapshot): readonly string[] {
  return resourceTypes.flatMap((type) =>
    [...(snapshot[type]?.values() ?? [])].flatMap((resource) => brokenRules(type, resource)),
  )
}

describe('the engine', { timeout: 60_000 }, () => {
  test.each(layouts)('after any history says what a fresh one says of the last world, %s', (layout) => {
    const options = { ...defaultEngineOptions, layout, dag }
    fc.assert(
      fc.property(
        steps,
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 25, maxLength: 25 }),
        (history, cuts) => {
          const world = emptyWorld()
          const engine = new Engine(world, options)
          const told = mirror(engine)
          let batch: Change[] = []
          for (const [index, { object, deleted, age }] of history.entries()) {
            const change = step(world, changeOf(object, age), deleted)
            take(world, change)
            batch.push(change)
            if (batch.length >= (cuts[index] ?? 1) || index === history.length - 1) {
              engine.apply(batch)
              told.follow(engine.drain())
              batch = []
            }
          }
          const all = everything(world)
          const fresh = new Engine(world, options)
          fresh.apply(all)
          expect(versions(told.state)).toEqual(versions(fresh.snapshot()))
          expect(verdicts(engine, all)).toEqual(verdicts(fresh, all))
        },
      ),
      { numRuns: layout === 'scoped' ? 300 : 100 },
    )
  })

  test('does not care about the order of objects, and writes nothing that breaks the rules of protos', () => {
    const shuffled = fc
      .uniqueArray(objects, { selector: ({ kind, name }) => `${kind} ${name}`, maxLength: 9 })
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })))
    fc.assert(
      fc.property(shuffled, (orders) => {
        const [first, second] = orders.map((list) => {
          const changes = list.map((object) => changeOf(object, 1))
          const world = emptyWorld()
          for (const change of changes) take(world, change)
          const engine = new Engine(world, { ...defaultEngineOptions, dag })
          engine.apply(changes)
          const snapshot = engine.snapshot()
          expect(broken(snapshot)).toEqual([])
          return [versions(snapshot), verdicts(engine, changes)]
        })
        expect(first).toEqual(second)
      }),
    )
  })

  test('rule 37: a host more, or a route changed, leaves the listeners as they are', () => {
    const world = emptyWorld()
    const engine = new Engine(world)
    const change = (name: string, host: string, service: string) => {
      const spec = { virtualhost: { fqdn: host }, routes: [{ services: [{ name: service, port: 80 }] }] }
      const changed = changeOf({ kind: 'HTTPProxy', name, spec }, 1)
      take(world, changed)
      engine.apply([changed])
      return [...engine.drain().listeners.keys()]
    }
    for (const name of ['a', 'b']) {
      const made = changeOf({ kind: 'Service', name, spec: { ports: [{ port: 80 }] } }, 1)
      take(world, made)
      engine.apply([made])
    }
    expect(change('a', 'a.test', 'a')).toContain('ingress_http')
    expect(change('b', 'b.test', 'b')).toEqual([])
    expect(change('a', 'a.test', 'b')).toEqual([])
  })

  test('rule 50: a change of endpoints re-encodes the ports of its Service alone, and no translation', () => {
    const world = emptyWorld()
    const changes = [
      changeOf({ kind: 'Service', name: 'a', spec: { ports: [{ port: 80 }] } }, 1),
      changeOf({ kind: 'Service', name: 'b', spec: { ports: [{ port: 80 }] } }, 1),
      ...names.slice(0, 2).map((name, index) =>
        changeOf(
          {
            kind: 'HTTPProxy',
            name,
            spec: { virtualhost: { fqdn: hosts[index] }, routes: [{ services: [{ name, port: 80 }] }] },
          },
          1,
        ),
      ),
    ]
    for (const change of changes) take(world, change)
    const engine = new Engine(world)
    engine.apply(changes)
    engine.drain()
    expect(afterSlice(engine, 'a', '10.0.0.1')).toEqual({ endpoints: ['d/a'] })
    expect(afterSlice(engine, 'a', '10.0.0.1')).toEqual({})
    expect(afterSlice(engine, 'unused', '10.0.0.1')).toEqual({})
  })
})

/** What an Envoy would hold that was told everything once and then each change. */
function mirror(engine: Engine) {
  const first = engine.snapshot()
  const state = {
    clusters: new Map(first.clusters),
    endpoints: new Map(first.endpoints),
    listeners: new Map(first.listeners),
    routes: new Map(first.routes),
    scopes: new Map(first.scopes),
    secrets: new Map(first.secrets),
  }
  const follow = (change: ResourceChange): void => {
    for (const type of ['clusters', 'endpoints', 'listeners', 'routes', 'scopes', 'secrets'] as const) {
      for (const [name, resource] of change[type]) {
        if (resource === undefined) state[type].delete(name)
        else state[type].set(name, resource)
      }
    }
  }
  return { state, follow }
}

function afterSlice(engine: Engine, service: string, address: string): Readonly<Record<string, unknown>> {
  engine.applySlices([slice(service, [address])])
  const changed = Object.entries(engine.drain()).filter(([, change]) => change.size > 0)
  return Object.fromEntries(changed.map(([type, change]) => [type, [...change.keys()]]))
}
