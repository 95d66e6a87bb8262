import { expect, test } from 'vitest'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import { readObjects } from '../golden/objects.ts'
import { pairOf, proxyObject, secretObject, serviceObjects } from '../golden/traffic.ts'
import { emptyWorld, take } from '../model/objects.ts'
import { type Asked, requestOf } from './request.ts'
import { traceRequest } from './trace.ts'

const { cert, key } = pairOf('server')
const secret = secretObject('pair', { 'tls.crt': cert, 'tls.key': key })
const one = 'services: [{name: one, port: 80}]'

function ask(text: string, scheme: Asked['scheme'], host: string, path = '/', isAddress = false) {
  const { changes } = readObjects(text)
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  const at: Asked = { scheme, host, port: '', path, query: '', method: 'GET', headers: [], isAddress }
  return traceRequest(changes, world, defaultEngineOptions, requestOf(at, { mergeSlashes: true }))
}

function ingress(name: string, host: string): string {
  return `---
kind: Ingress
metadata: {name: ${name}, namespace: web}
spec: {rules: [{${host === '' ? '' : `host: "${host}", `}http: {paths: [{path: /, pathType: Prefix,
  backend: {service: {name: one, port: {number: 80}}}}]}}]}
`
}

test('names the route, the object that made it, and where it stands there', () => {
  const text = `${serviceObjects('one', [{ http: 1 }])}${proxyObject(
    'shop',
    `routes: [{${one}}, {conditions: [{prefix: /cart}], ${one}}], includes: [{name: none, conditions: [{prefix: /x}]}]`,
  )}`
  const of = (path: string) => {
    const { served } = ask(text, 'http', 'shop.test', path)
    return served?.kind === 'http' ? [served.route?.owner, served.route?.rule] : []
  }
  expect(of('/cart/1')).toEqual(['HTTPProxy/web/shop', 'spec.routes[1]'])
  expect(of('/')).toEqual(['HTTPProxy/web/shop', 'spec.routes[0]'])
  expect(of('/x/y')).toEqual(['HTTPProxy/web/shop', 'spec.includes[0]'])
})

test('the name itself goes before its wildcard, and that before the default host', () => {
  const services = serviceObjects('one', [{ http: 1 }])
  const all = ingress('exact', 'a.test') + ingress('wildcard', '*.test') + ingress('any', '')
  const host = (text: string, name: string) => ask(services + text, 'http', name).host
  expect(host(all, 'A.test')).toBe('a.test')
  expect(host(all, 'b.test')).toBe('*.test')
  expect(host(all, 'a.b.test')).toBe('*')
  expect(host(all, 'test')).toBe('*')
  expect(host(ingress('wildcard', '*.test'), 'a.b.test')).toBeUndefined()
})

test('over TLS there is no default host, and plain hosts are said to be elsewhere', () => {
  const services = serviceObjects('one', [{ http: 1 }])
  const plain = ask(services + ingress('a', 'a.test') + ingress('any', ''), 'https', 'a.test')
  expect(plain).toMatchObject({ names: ['a.test', '*.test'], host: undefined, elsewhere: ['a.test'] })
  const proxy = proxyObject('shop', `routes: [{${one}}]`, ', tls: {secretName: pair}')
  const secure = ask(services + secret + proxy, 'https', 'shop.test')
  expect(secure.served).toMatchObject({ kind: 'http', secret: 'web/pair' })
  const redirected = ask(services + secret + proxy, 'http', 'shop.test')
  expect(redirected.served).toMatchObject({ route: { action: { kind: 'https-redirect' } } })
  expect(ask(services + secret + proxy, 'https', '192.0.2.1', '/', true).host).toBeUndefined()
})

test('a host that is refused is not served, and what is wrong is told', () => {
  const proxy = proxyObject('shop', `routes: [{${one}}]`, ', tls: {secretName: none}')
  const { host, outcomes, root } = ask(serviceObjects('one', [{ http: 1 }]) + proxy, 'https', 'shop.test')
  expect([host, root]).toEqual([undefined, 'web/shop'])
  expect(outcomes).toMatchObject([{ key: 'web/shop', problems: [{ reason: 'SecretNotValid' }] }])
})

test('streams have no routes', () => {
  const proxy = proxyObject('shop', `tcpproxy: {${one}}`, ', tls: {passthrough: true}')
  const { served } = ask(serviceObjects('one', [{ http: 1 }]) + proxy, 'https', 'shop.test')
  expect(served).toMatchObject({ kind: 'tcp', secret: undefined, targets: [{ cluster: { service: 'one' } }] })
})
