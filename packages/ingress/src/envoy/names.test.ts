import { expect, test } from 'vitest'
import { clusterName, squeeze } from './names.ts'

const cluster = {
  namespace: 'web',
  service: 'shop',
  port: 80,
  portName: 'http',
  protocol: '',
  strategy: 'RoundRobin',
} as const

test('a cluster of default settings has the hash of nothing', () => {
  expect(clusterName(cluster)).toBe('web/shop/80/da39a3ee5e')
})

test('settings make another cluster', () => {
  const names = [
    clusterName(cluster),
    clusterName({ ...cluster, protocol: 'h2c' }),
    clusterName({ ...cluster, strategy: 'Random' }),
  ]
  expect(new Set(names).size).toBe(3)
})

test('long names stay below 60 characters and apart', () => {
  const long = 'a'.repeat(63)
  const one = squeeze([long, `${long}1`, '80', 'da39a3ee5e'])
  const two = squeeze([long, `${long}2`, '80', 'da39a3ee5e'])
  expect(one.length).toBeLessThan(60)
  expect(one).not.toBe(two)
  expect(squeeze([long]).length).toBeLessThanOrEqual(60)
})
