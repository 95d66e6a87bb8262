import { expect, test } from 'vitest'
import { resource, snapshot } from './script.ts'
import { ResourceStore } from './store.ts'

const names = (changed: ReadonlyMap<string, unknown> | undefined) =>
  [...(changed ?? [])].map(([name]) => name)

test('a snapshot changes what differs in content, and nothing else', () => {
  const store = new ResourceStore()
  store.replace(snapshot({ clusters: [resource('a', '1'), resource('b', '1'), resource('c', '1')] }))
  const change = store.replace(
    snapshot({ clusters: [resource('a', '1'), resource('b', '2'), resource('d', '1')] }),
  )
  expect(names(change.clusters)).toEqual(['b', 'd', 'c'])
  expect(change.clusters?.get('c')).toBeUndefined()
  expect(Object.keys(change)).toEqual(['clusters'])
})

test('a change in between is seen by the next snapshot, though its map is the same', () => {
  const store = new ResourceStore()
  const first = snapshot({ endpoints: [resource('a', '1')] })
  store.replace(first)
  expect(names(store.apply({ endpoints: new Map([['a', resource('a', '2')]]) }).endpoints)).toEqual(['a'])
  expect(names(store.apply({ endpoints: new Map([['a', resource('a', '2')]]) }).endpoints)).toEqual([])
  expect(names(store.replace(first).endpoints)).toEqual(['a'])
  expect(store.replace(first)).toEqual({})
})
