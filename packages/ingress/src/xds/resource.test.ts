import { expect, test } from 'vitest'
import { makeResource } from './resource.ts'

test('the version is the hash of the content and of nothing else', () => {
  const bytes = new Uint8Array([1, 2, 3])
  expect(makeResource('a', bytes).version).toBe('039058c6f2c0cb49')
  expect(makeResource('b', bytes, { clusters: ['x'] }).version).toBe(makeResource('a', bytes).version)
  expect(makeResource('a', new Uint8Array([1, 2, 4])).version).not.toBe(makeResource('a', bytes).version)
})
