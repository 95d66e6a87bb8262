import { expect, test } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { emptyWorld, take } from '../model/objects.ts'
import { readObjects } from './objects.ts'

const proxy = (name: string, host: string, service: string) => `
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: ${name}, namespace: web, creationTimestamp: '2026-01-0${name.length}T00:00:00Z'}
spec:
  virtualhost: {fqdn: ${host}}
  routes:
  - services: [{name: ${service}, port: 80}]
`
const service = (name: string) => `
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: web}
spec: {ports: [{name: http, port: 80}]}
`

function engineOf(...documents: readonly string[]): Engine {
  const { changes } = readObjects(documents.join('---\n'))
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  const engine = new Engine(world)
  engine.apply(changes)
  return engine
}

const shop = engineOf(
  service('shop'),
  service('other'),
  proxy('a', 'a.test', 'shop'),
  proxy('bb', 'b.test', 'shop'),
  proxy('ccc', 'c.test', 'other'),
  proxy('dddd', 'a.test', 'shop'),
)

test('a refused scope concerns the HTTPProxy that has the host, until it is accepted', () => {
  const scope = { type: 'scopes', name: 'http/a.test' } as const
  expect(shop.refuse(scope, 'bad regex')).toEqual(['web/a'])
  expect(shop.refusals('a.test', 'web/a')).toEqual(['host "a.test": scopes "http/a.test": bad regex'])
  expect(shop.refusals('a.test', 'web/dddd')).toEqual([])
  expect(shop.refusals('b.test', 'web/bb')).toEqual([])
  expect(shop.refuse(scope, undefined)).toEqual(['web/a'])
  expect(shop.refusals('a.test', 'web/a')).toEqual([])
})

test('a refused cluster, and its endpoints, concern every host that uses them', () => {
  const name = [...shop.snapshot().clusters.keys()].find((one) => one.startsWith('web/shop/')) ?? ''
  expect(shop.refuse({ type: 'clusters', name }, 'no')).toEqual(['web/a', 'web/bb'])
  expect(shop.refuse({ type: 'endpoints', name: 'web/shop/http' }, 'never')).toEqual(['web/a', 'web/bb'])
  expect(shop.refusals('b.test', 'web/bb')).toEqual([
    `host "b.test": clusters "${name}": no`,
    'host "b.test": endpoints "web/shop/http": never',
  ])
  expect(shop.refusals('c.test', 'web/ccc')).toEqual([])
})

test('what is everybody’s, or gone, concerns nobody', () => {
  expect(shop.refuse({ type: 'listeners', name: 'ingress_http' }, 'address in use')).toEqual([])
  expect(shop.refuse({ type: 'scopes', name: 'http/gone.test' }, 'no')).toEqual([])
  expect(shop.refuse({ type: 'clusters', name: 'web/gone/80/da39a3ee5e' }, 'no')).toEqual([])
  expect(shop.refuse({ type: 'secrets', name: 'web/gone' }, 'no')).toEqual([])
})
