import type { KubeObject, Meta } from '@landfall/kube/model'
import { expect, test } from 'vitest'
import { Configuration } from './configuration.ts'

function meta(name: string): Meta {
  return {
    namespace: 'metallb-system',
    name,
    uid: name,
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: {},
    annotations: {},
    deleting: false,
  }
}

const config = 'address-pools: [{name: old, protocol: layer2, addresses: [10.7.0.0/28]}]'

test.each([
  ['no pool', [], 'configMap', ['old'], []],
  ['a pool that is refused', ['10.300.0.0/24'], 'configMap', ['old'], ['InvalidAddress']],
  ['a usable pool', ['10.8.0.0/28'], 'objects', ['new'], []],
])('beside a ConfigMap and %s', async (_, addresses, source, pools, refused) => {
  const objects: Readonly<Record<string, object>> = {
    ConfigMap: { meta: meta('config'), data: { config } },
    ...(addresses.length === 0 ? {} : { IPAddressPool: { meta: meta('new'), spec: { addresses } } }),
  }
  const configuration = new Configuration({
    node: 'n1',
    namespace: 'metallb-system',
    configMap: 'config',
    watch: <T extends KubeObject>({ kind }: { readonly kind: string }) => {
      const object = objects[kind]
      return { items: new Map(object === undefined ? [] : [['metallb-system/one', object as T]]) }
    },
    onLoad: () => {},
  })
  await configuration.load()
  const built = configuration.build([], () => [])
  expect(built?.source).toBe(source)
  expect(built?.config.pools.map(({ name }) => name)).toEqual(pools)
  expect(built?.refusals.map(({ reason }) => reason)).toEqual(refused)
})
