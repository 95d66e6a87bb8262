import { expect, test } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { emptyWorld, take } from '../model/objects.ts'
import type { ResourceType } from '../xds/resource.ts'
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

const refused = (type: ResourceType, name: string, message: string, version = '0'.repeat(16)) => ({
  type,
  name,
  version,
  build: '1.40.0',
  message,
})
const said = (host: string, root: string) =>
  shop.refusals(host, root).map(({ type, name, message }) => `${type} ${name}: ${message}`)

test('a refused scope concerns the HTTPProxy that has the host, until it is accepted', () => {
  const scope = refused('scopes', 'http/a.test', 'bad regex')
  expect(shop.refuse(scope)).toEqual(['web/a'])
  expect(shop.refusals('a.test', 'web/a')).toEqual([{ ...scope, layout: 'scoped' }])
  expect(shop.refusals('a.test', 'web/dddd')).toEqual([])
  expect(shop.refusals('b.test', 'web/bb')).toEqual([])
  expect(shop.clear(scope)).toEqual(['web/a'])
  expect(shop.refusals('a.test', 'web/a')).toEqual([])
})

test('a refused cluster, and its endpoints, concern every host that uses them', () => {
  const name = [...shop.snapshot().clusters.keys()].find((one) => one.startsWith('web/shop/')) ?? ''
  expect(shop.refuse(refused('clusters', name, 'no'))).toEqual(['web/a', 'web/bb'])
  expect(shop.refuse(refused('endpoints', 'web/shop/http', 'never'))).toEqual(['web/a', 'web/bb'])
  expect(said('b.test', 'web/bb')).toEqual([`clusters ${name}: no`, 'endpoints web/shop/http: never'])
  expect(said('c.test', 'web/ccc')).toEqual([])
})

test('what is everybody’s, or gone, concerns nobody', () => {
  expect(shop.refuse(refused('listeners', 'ingress_http', 'address in use'))).toEqual([])
  expect(shop.refuse(refused('scopes', 'http/gone.test', 'no'))).toEqual([])
  expect(shop.refuse(refused('clusters', 'web/gone/80/da39a3ee5e', 'no'))).toEqual([])
  expect(shop.refuse(refused('secrets', 'web/gone', 'no'))).toEqual([])
})

test('what a status says stands while the host wants that content, until an Envoy here takes it', () => {
  const engine = engineOf(service('shop'), proxy('a', 'a.test', 'shop'), proxy('bb', 'b.test', 'shop'))
  const { scopes, clusters, endpoints } = engine.snapshot()
  const [scope] = scopes.values()
  const [cluster] = clusters.values()
  const [table] = endpoints.values()
  if (scope === undefined || cluster === undefined || table === undefined) throw new Error('nothing made')
  const content = refused('scopes', 'http/a.test', 'no', scope.version)
  expect(engine.stands('a.test', 'web/a', content)).toBe(true)
  expect(engine.stands('b.test', 'web/bb', content)).toBe(false)
  expect(engine.stands('a.test', 'web/bb', content)).toBe(false)
  expect(engine.stands('a.test', 'web/a', { ...content, version: 'f'.repeat(16) })).toBe(false)
  expect(engine.stands('a.test', 'web/a', { ...content, type: 'routes' })).toBe(false)
  expect(engine.stands('b.test', 'web/bb', { ...content, ...cluster, type: 'clusters' })).toBe(true)
  expect(engine.stands('b.test', 'web/bb', { ...content, ...table, type: 'endpoints' })).toBe(true)
  engine.refuse(content)
  expect(engine.stands('a.test', 'web/a', content)).toBe(true)
  engine.clear(content)
  expect(engine.stands('a.test', 'web/a', content)).toBe(false)
  engine.refuse(content)
  expect(engine.stands('a.test', 'web/a', content)).toBe(true)
})
