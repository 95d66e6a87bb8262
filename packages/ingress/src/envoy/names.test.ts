import { expect, test } from 'vitest'
import type { ServiceCluster } from '../dag/cluster.ts'
import { plainSettings } from '../dag/upstream.ts'
import { clusterName, squeeze } from './names.ts'

const settings: ServiceCluster['settings'] = {
  ...plainSettings,
  external: undefined,
  protocol: '',
  healthPortName: undefined,
  circuitBreakers: undefined,
}
const cluster: ServiceCluster = {
  kind: 'service',
  namespace: 'web',
  service: 'shop',
  port: 80,
  portName: 'http',
  authority: undefined,
  settings,
}
const times = { intervalSeconds: 10, timeoutSeconds: 2, unhealthyThreshold: 3, healthyThreshold: 2 }
const httpCheck = { ...times, kind: 'http' as const, path: '/ok', host: 'a.test', expected: [] }
const differing = (change: Partial<ServiceCluster['settings']>): string =>
  clusterName({ ...cluster, settings: { ...settings, ...change } })

test('a cluster of default settings has the hash of nothing', () => {
  expect(clusterName(cluster)).toBe('web/shop/80/da39a3ee5e')
})

test('defect 4: settings make another cluster', () => {
  const names = [
    clusterName(cluster),
    differing({ protocol: 'h2c' }),
    differing({ strategy: 'Random' }),
    differing({ sni: 'a.test' }),
    differing({ idleConnection: 1000 }),
    differing({ idleConnection: 'infinite' }),
    differing({ healthPortName: 'health' }),
    differing({ slowStart: { windowMs: 1000, aggression: 1, minWeightPercent: 10 } }),
    differing({ circuitBreakers: { maxConnections: 1 } }),
    differing({ healthCheck: httpCheck }),
    differing({ healthCheck: { ...httpCheck, host: 'b.test' } }),
    differing({ healthCheck: { ...httpCheck, expected: [{ start: 200, end: 300 }] } }),
    differing({ healthCheck: { ...times, kind: 'tcp' } }),
    differing({ healthCheck: { ...times, kind: 'tcp', intervalSeconds: 5 } }),
    differing({ validation: { authority: 'web/ca/ca.crt', names: ['a.test'] } }),
    differing({ validation: { authority: 'other/ca/ca.crt', names: ['a.test'] } }),
    differing({ validation: { authority: 'web/ca/ca.crt', names: ['a.test', 'b.test'] } }),
  ]
  expect(new Set(names).size).toBe(names.length)
})

test('long names stay below 60 characters and apart', () => {
  const long = 'a'.repeat(63)
  const one = squeeze([long, `${long}1`, '80', 'da39a3ee5e'])
  const two = squeeze([long, `${long}2`, '80', 'da39a3ee5e'])
  expect(one.length).toBeLessThan(60)
  expect(one).not.toBe(two)
  expect(squeeze([long]).length).toBeLessThanOrEqual(60)
})
