import { expect, test } from 'vitest'
import { type Layout, layoutFor, onDemandSince } from './layout.ts'
import type { Way } from './stream.ts'

const delta: Way = { variant: 'delta', only: undefined }
const full: Way = { variant: 'full', only: undefined }

test.each<[build: string, Way, Layout]>([
  ['1.40.0', delta, 'scoped'],
  ['1.33.0', delta, 'scoped'],
  ['2.0.0', delta, 'scoped'],
  ['', delta, 'scoped'],
  ['1.32.9', delta, 'classic'],
  ['1.40.0', full, 'classic'],
  ['1.40.0', { variant: 'full', only: 'clusters' }, 'classic-streams'],
  ['1.40.0', { variant: 'delta', only: 'routes' }, 'classic-streams'],
])('Envoy "%s" by way of %j follows %s', (build, way, layout) => {
  expect(layoutFor({ id: 'e', build }, way)).toBe(layout)
})

test('certificates on demand ask for a newer Envoy', () => {
  const layout = (build: string) => layoutFor({ id: 'e', build }, delta, onDemandSince)
  expect(['1.36.4', '1.37.0', '1.40.0', ''].map(layout)).toEqual(['classic', 'scoped', 'scoped', 'scoped'])
})
