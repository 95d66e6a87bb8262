import { expect, test } from 'vitest'
import { buildConfig } from '../build-config.ts'
import { objectsOf, type Written } from '../testing.ts'
import { besideRefusedPools, sourceOf } from './source.ts'

const pool = (name: string, address: string, namespace = 'metallb-system'): Written => ({
  kind: 'IPAddressPool',
  metadata: { name, namespace },
  spec: { addresses: [address] },
})
const good = pool('good', '10.0.0.0/28')
const bad = pool('bad', '10.300.0.0/24')
const build = (...pools: readonly Written[]) => buildConfig(objectsOf(pools))

test.each([
  ['nothing', [], false, 'none'],
  ['a ConfigMap', [], true, 'configMap'],
  ['a pool', [good], false, 'objects'],
  ['both', [good], true, 'objects'],
  ['a refused pool alone', [bad], false, 'objects'],
  ['a refused pool beside a ConfigMap', [bad], true, 'configMap'],
  ['a refused pool beside a good one and a ConfigMap', [bad, good], true, 'objects'],
  ['a pool of another namespace and a ConfigMap', [pool('far', '10.0.0.0/28', 'default')], true, 'configMap'],
])('%s', (_, pools, hasConfigMap, expected) => {
  expect(sourceOf(build(...pools), hasConfigMap)).toBe(expected)
})

test('beside a ruling ConfigMap refused pools are told of, and what they may have given stays', () => {
  const legacy = { ...build(good), notes: ['old'] }
  const { config, refusals, notes } = besideRefusedPools(legacy, build(bad))
  expect(config).toEqual({ ...legacy.config, incomplete: true })
  expect(refusals.map(({ name, reason }) => `${name} ${reason}`)).toEqual(['bad InvalidAddress'])
  expect(notes).toEqual(['old'])
  expect(besideRefusedPools(legacy, build())).toBe(legacy)
})
