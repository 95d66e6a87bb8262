import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { configMapType } from './core-types.ts'
import type { RawObject } from './resource.ts'
import { type Change, Store } from './store.ts'
import { configMap } from './testing/fake-api-server.ts'
import type { WatchEvent } from './watch-stream.ts'

const newStore = () => {
  const bad: string[] = []
  const store = new Store(
    (raw: RawObject) => {
      if (Number(raw.metadata.resourceVersion) % 7 === 0) throw new Error('bad')
      return configMapType.project(raw)
    },
    (raw) => void bad.push(raw.metadata.name),
  )
  return { store, bad }
}

const name = fc.constantFrom('a', 'b', 'c', 'd')
const step = fc.oneof(
  fc.record({ kind: fc.constant('event' as const), name, deleted: fc.boolean() }),
  fc.record({ kind: fc.constant('list' as const), names: fc.uniqueArray(name) }),
)

it('tells of changes that, applied to a copy, always give what it holds', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { store } = newStore()
      const copy = new Map<string, unknown>()
      const versions = new Map<string, number>()
      let version = 0
      const follow = (changes: readonly Change<unknown>[]) => {
        for (const { key, before, after } of changes) {
          expect(copy.get(key)).toBe(before)
          expect(before).not.toBe(after)
          if (after === undefined) copy.delete(key)
          else copy.set(key, after)
        }
        expect(copy).toEqual(store.items)
      }
      for (const one of steps) {
        version++
        if (one.kind === 'event') {
          versions.set(one.name, version)
          const type: WatchEvent['type'] = one.deleted ? 'DELETED' : 'MODIFIED'
          follow(store.apply({ type, object: configMap(one.name, version) }))
        } else {
          const list = store.startList()
          for (const listed of one.names) list.add(configMap(listed, versions.get(listed) ?? version))
          follow(list.finish())
        }
      }
      follow(store.clear())
      expect(copy.size).toBe(0)
    }),
  )
})

it('keeps the value of what is listed in the version that it holds', () => {
  const { store } = newStore()
  store.apply({ type: 'ADDED', object: configMap('a', 1) })
  const held = store.items.get('default/a')
  const list = store.startList()
  list.add(configMap('a', 1))
  expect(list.finish()).toEqual([])
  expect(store.items.get('default/a')).toBe(held)
})

it('takes a new object of the same name and version for another one', () => {
  const { store } = newStore()
  const again = configMap('a', 1)
  store.apply({ type: 'ADDED', object: again })
  const other = { ...again, metadata: { ...again.metadata, uid: 'other' } }
  expect(store.apply({ type: 'ADDED', object: other })).toHaveLength(1)
})

it('names each object that it cannot read, in lists and in events', () => {
  const { store, bad } = newStore()
  const list = store.startList()
  list.add(configMap('a', 7))
  list.add(configMap('b', 1))
  expect(list.finish()).toHaveLength(1)
  store.apply({ type: 'MODIFIED', object: configMap('b', 14) })
  expect([bad, store.items.size]).toEqual([['a', 'b'], 0])
})
