/** An authorization server for all hosts, through a real Envoy: over plain HTTP, over TLS, for Ingresses, and gone. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { defaultDagOptions, type GlobalAuthorization } from '../dag/options.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { authorizationServer, type Checks } from './grpc-servers.ts'
import {
  Backend,
  Client,
  extensionObject,
  pairOf,
  proxyObject,
  secretObject,
  serviceObjects,
  settled,
  translateFor,
} from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const one = 'services: [{name: one, port: 80}]'
const server = pairOf('server')

const objects = (backend: number, all: number, own: number) =>
  [
    serviceObjects('one', [{ http: backend }]),
    serviceObjects('all', [{ http: all }]),
    serviceObjects('own', [{ http: own }]),
    secretObject('cert', { 'tls.crt': server.cert, 'tls.key': server.key }),
    extensionObject('all'),
    extensionObject('own'),
    proxyObject(
      'plain',
      `routes: [{${one}}, {conditions: [{prefix: /open}], authPolicy: {disabled: true}, ${one}},
       {conditions: [{prefix: /direct}], directResponsePolicy: {statusCode: 200}}]`,
      ', authorization: {authPolicy: {context: {host: plain}}}',
    ),
    proxyObject(
      'secure',
      `routes: [{${one}}, {conditions: [{prefix: /insecure}], permitInsecure: true, ${one}}]`,
      ', tls: {secretName: cert}',
    ),
    proxyObject(
      'own',
      `routes: [{${one}}]`,
      ', tls: {secretName: cert}, authorization: {extensionRef: {name: own}}',
    ),
    proxyObject('off', `routes: [{${one}}]`, ', authorization: {authPolicy: {disabled: true}}'),
    `---
kind: Ingress
metadata: {name: ingress, namespace: web}
spec:
  rules:
  - host: ingress.test
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: one, port: {number: 80}}}}]}
`,
  ].join('')

const settings: GlobalAuthorization = {
  extensionService: 'web/all',
  server: { authPolicy: { context: { from: 'all' } } },
}

const byHeader: Checks['answer'] = ({ attributes }) =>
  attributes?.request?.http?.headers['x-user'] === 'alice'
    ? {}
    : { status: { code: 7 }, httpResponse: { case: 'deniedResponse', value: { status: { code: 401 } } } }

describe.skipIf(withoutEnvoy()).each(ways)(
  'authorization of all hosts, in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const stand = new Stand()
    const backend = new Backend('one')
    const all = authorizationServer(byHeader)
    const own = authorizationServer(byHeader)
    const alice = { 'x-user': 'alice' }
    let plain: Client
    let secure: Client

    async function publish(changed: Partial<GlobalAuthorization>): Promise<void> {
      const dag = { ...defaultDagOptions, globalAuthorization: { ...settings, ...changed } }
      const text = objects(backend.port, all.port, own.port)
      stand.publishEach((layout) => translateFor(stand, text, layout, { dag }))
      await eventually('settled', () => settled(stand))
    }

    const status = async (client: Client, host: string, path = '/', headers = {}) =>
      (await client.send(host, { path, headers })).status

    beforeAll(async () => {
      await stand.open()
      for (const each of [backend, all, own]) await each.open()
      plain = new Client(stand.httpPort)
      secure = new Client(stand.httpsPort, 'tls')
      await stand.startEnvoy(way)
      await publish({})
      await eventually('the port opens', () => stand.http('off.test'))
      await eventually('the port of TLS opens', () => stand.https('secure.test'))
    }, 60_000)

    beforeEach(() => {
      all.seen = []
      own.seen = []
    })

    afterAll(async () => {
      for (const client of [plain, secure]) client.close()
      await stand.close()
      for (const each of [backend, all, own]) each.close()
    })

    test('over plain HTTP every host asks, but those and those routes that say otherwise', async () => {
      expect(stand.refused).toEqual([])
      expect([await status(plain, 'plain.test'), await status(plain, 'plain.test', '/', alice)]).toEqual([
        401, 200,
      ])
      expect(await status(plain, 'plain.test', '/direct')).toBe(401)
      expect(await status(plain, 'ingress.test')).toBe(401)
      expect(all.seen.map(({ attributes }) => attributes?.contextExtensions)).toEqual([
        { from: 'all', host: 'plain' },
        { from: 'all', host: 'plain' },
        { from: 'all', host: 'plain' },
        { from: 'all' },
      ])
      expect([await status(plain, 'plain.test', '/open'), await status(plain, 'off.test')]).toEqual([
        200, 200,
      ])
    })

    test('a redirect to https asks nobody; a route that stays does', async () => {
      expect([await status(plain, 'secure.test'), await status(plain, 'secure.test', '/insecure')]).toEqual([
        301, 401,
      ])
      expect(all.seen).toHaveLength(1)
    })

    test('over TLS a host asks its own server, or else that of all', async () => {
      expect([await status(secure, 'secure.test'), await status(secure, 'secure.test', '/', alice)]).toEqual([
        401, 200,
      ])
      expect([all.seen.length, own.seen.length]).toEqual([2, 0])
      expect([await status(secure, 'own.test'), await status(secure, 'own.test', '/', alice)]).toEqual([
        401, 200,
      ])
      expect([all.seen.length, own.seen.length]).toEqual([2, 2])
    })

    test('while its ExtensionService is not there nobody passes, unless asked so', async () => {
      const fresh = async (host: string) => {
        const client = new Client(stand.httpPort)
        const seen = await status(client, host, '/', alice)
        client.close()
        return seen
      }
      await publish({ extensionService: 'web/gone' })
      await eventually('closed', async () => ((await fresh('ingress.test')) === 403 ? true : undefined))
      await publish({ extensionService: 'web/gone', server: { failOpen: true } })
      await eventually('open', async () => ((await fresh('ingress.test')) === 200 ? true : undefined))
      expect(stand.refused).toEqual([])
    })
  },
)
