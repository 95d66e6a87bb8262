/** What is served of objects that are wrong, and what beside it goes on, through a real Envoy. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { engineOptions } from '../configuration/engine-options.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import {
  Backend,
  Client,
  pairOf,
  proxyObject,
  secretObject,
  serviceObjects,
  settled,
  translateFor,
} from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const server = pairOf('server')
const to = (...names: readonly string[]) =>
  `services: [${names.map((name) => `{name: ${name}, port: 80}`).join(', ')}]`
const routes = `routes: [{${to('one')}}]`
const child = (name: string, spec: string) =>
  `---\n{kind: HTTPProxy, metadata: {name: ${name}, namespace: web}, spec: {${spec}}}\n`
const include = (name: string, prefix: string) => `{name: ${name}, conditions: [{prefix: ${prefix}}]}`
const secret = (name: string, cert: string) => secretObject(name, { 'tls.crt': cert, 'tls.key': server.key })

const objects = (port: number) =>
  [
    serviceObjects('one', [{ http: port }]),
    secret('cert', server.cert),
    secret('broken', 'no certificate'),
    secret('kept', server.cert).replace('"namespace":"web"', '"namespace":"other"'),
    proxyObject('good', routes, ', tls: {secretName: cert}'),
    proxyObject('elsewhere', routes).replace('namespace: web', 'namespace: other'),
    child('orphan', 'routes: [{conditions: [{prefix: /orphan}], services: [{name: one, port: 80}]}]'),
    proxyObject(
      'including',
      `includes: [${include('gone', '/gone')}, ${include('good', '/good')}], ${routes}`,
    ),
    proxyObject('circle', `includes: [${include('there', '/there')}], ${routes}`),
    child('there', `includes: [${include('back', '/back')}], ${routes}`),
    child('back', `includes: [${include('there', '/again')}], ${routes}`),
    ...['none', 'broken', 'other/kept'].map((name, index) =>
      proxyObject(`secret-${index}`, routes, `, tls: {secretName: ${name}}`),
    ),
    proxyObject('some', `routes: [{${to('one', 'gone')}}]`),
    proxyObject('all', `routes: [{conditions: [{prefix: /gone}], ${to('gone')}}, {${to('one')}}]`),
    proxyObject(
      'policy',
      `routes: [{${to('one')}}, {conditions: [{prefix: /bad}], timeoutPolicy: {response: soon}, ${to('one')}}]`,
    ),
    proxyObject('newest', routes)
      .replace('newest.test', 'contested.test')
      .replace('web}', "web, creationTimestamp: '2026-01-02T00:00:00Z'}"),
    proxyObject('oldest', 'routes: [{directResponsePolicy: {statusCode: 200, body: oldest}}]')
      .replace('oldest.test', 'Contested.test')
      .replace('web}', "web, creationTimestamp: '2026-01-01T00:00:00Z'}"),
  ].join('')

/** Host, path and what is answered over plain HTTP: a body, or a status. */
const rows = [
  ['good.test', '/', 301],
  ['elsewhere.test', '/', 404],
  ['including.test', '/', 'one'],
  ['including.test', '/gone/a', 502],
  ['including.test', '/good/a', 502],
  ['including.test', '/orphan', 'one'],
  ['orphan.test', '/orphan', 404],
  ['circle.test', '/', 'one'],
  ['circle.test', '/there', 'one'],
  ['circle.test', '/there/back', 'one'],
  ['secret-0.test', '/', 404],
  ['secret-1.test', '/', 404],
  ['secret-2.test', '/', 404],
  ['some.test', '/', 'one'],
  ['all.test', '/gone', 503],
  ['all.test', '/', 'one'],
  ['policy.test', '/', 404],
  ['policy.test', '/bad', 404],
  ['contested.test', '/', 'oldest'],
] as const

describe.skipIf(withoutEnvoy()).each(ways)(
  'what is wrong, in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const stand = new Stand()
    const backend = new Backend('one')
    let client: Client

    beforeAll(async () => {
      await stand.open()
      await backend.open()
      client = new Client(stand.httpPort)
      await stand.startEnvoy(way)
      const { dag } = engineOptions({ rootNamespaces: ['web'] })
      stand.publishEach((layout) => translateFor(stand, objects(backend.port), layout, { dag }))
      await eventually('settled', () => settled(stand))
      await eventually('the port opens', () => stand.http('some.test'))
      await eventually('the secure port opens', () => stand.https('good.test'))
    }, 60_000)

    afterAll(async () => {
      client.close()
      await stand.close()
      backend.close()
    })

    test.each(rows)('%s%s is answered %s', async (host, path, wanted) => {
      const { status, body } = await client.send(host, { path })
      expect(status === 200 ? body : status).toBe(wanted)
    })

    test('a host without its certificate is not served over TLS, and the others are', async () => {
      expect(await stand.https('good.test')).toMatchObject({ status: 200, body: 'one' })
      for (const index of [0, 1, 2]) expect(await stand.https(`secret-${index}.test`)).toBeUndefined()
      expect(stand.refused).toEqual([])
    })
  },
)
