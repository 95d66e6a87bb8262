/** External authorization through a real Envoy, by servers over gRPC and HTTP: what client, server and backend see. */
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { authorizationServer, type Checks } from './grpc-servers.ts'
import {
  Backend,
  Client,
  extensionObject,
  pairOf,
  pem,
  proxyObject,
  secretObject,
  serviceObjects,
  settled,
  translateFor,
} from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const one = 'services: [{name: one, port: 80}]'
const asks = (name: string, more = '') =>
  `, tls: {secretName: cert}, authorization: {extensionRef: {name: ${name}}${more}}`
/** Envoy waits no longer than 200 ms otherwise. */
const patient = 'timeoutPolicy: {response: 10s}'
const server = pairOf('server')

interface Ports {
  readonly backend: number
  readonly grpc: number
  readonly secure: number
  readonly http: number
}

const objects = ({ backend, grpc, secure, http }: Ports) =>
  [
    serviceObjects('one', [{ http: backend }]),
    serviceObjects('grpc', [{ http: grpc }]),
    serviceObjects('verified', [{ http: secure }]),
    serviceObjects('mistaken', [{ http: secure }]),
    serviceObjects('asked', [{ http }]),
    serviceObjects('nobody', []),
    secretObject('cert', { 'tls.crt': server.cert, 'tls.key': server.key }),
    secretObject('ca', { 'ca.crt': pem('ca.pem') }),
    extensionObject('grpc', `protocol: h2c, ${patient}`),
    extensionObject(
      'verified',
      `validation: {caSecret: ca, subjectNames: [another.test, backend.test]}, ${patient}`,
    ),
    extensionObject('mistaken', 'validation: {caSecret: ca, subjectName: another.test}'),
    extensionObject('asked', `protocol: http/1.1, ${patient}`),
    extensionObject('nobody'),
    serviceObjects('narrow', [{ http: grpc }]),
    extensionObject(
      'narrow',
      'protocol: h2c, timeoutPolicy: {response: 30s}, circuitBreakerPolicy: {maxRequests: 1}',
    ),
    proxyObject('free', `routes: [{${one}}]`, ', tls: {secretName: cert}'),
    proxyObject(
      'grpc',
      `routes: [{conditions: [{prefix: /a}], ${one}}, {conditions: [{prefix: /open}], authPolicy: {disabled: true}, ${one}},
       {conditions: [{prefix: /told}], authPolicy: {context: {who: route, more: this}}, ${one}},
       {conditions: [{prefix: /redirect}], requestRedirectPolicy: {path: /elsewhere}},
       {conditions: [{prefix: /direct}], directResponsePolicy: {statusCode: 200, body: tea}}]`,
      asks(
        'grpc',
        ', withRequestBody: {maxRequestBytes: 8, allowPartialMessage: true}, authPolicy: {context: {who: host, where: here}}',
      ),
    ),
    proxyObject(
      'closed',
      `routes: [{${one}}, {conditions: [{prefix: /checked}], authPolicy: {disabled: false}, ${one}}]`,
      asks('grpc', ', authPolicy: {disabled: true}'),
    ),
    `---
kind: HTTPProxy
metadata: {name: wild, namespace: web}
spec:
  virtualhost:
    fqdn: '*.wild.test'
    tls: {secretName: cert}
    authorization: {extensionRef: {name: grpc}}
  routes: [{${one}}]
`,
    proxyObject('free.wild', `routes: [{${one}}]`, ', tls: {secretName: cert}'),
    proxyObject(
      'packed',
      `routes: [{${one}}]`,
      asks('grpc', ', withRequestBody: {maxRequestBytes: 8, packAsBytes: true}'),
    ),
    proxyObject(
      'granted',
      `routes: [{directResponsePolicy: {statusCode: 418}},
       {conditions: [{header: {name: X-Granted, exact: alice}}], ${one}}]`,
      asks('grpc'),
    ),
    secretObject('root', { 'ca.crt': pem('root-ca.pem') }),
    serviceObjects('abroad', [{ http: grpc }]).replaceAll('namespace: web', 'namespace: other'),
    extensionObject('abroad', `protocol: h2c, ${patient}`).replace('namespace: web', 'namespace: other'),
    proxyObject('abroad', `routes: [{${one}}]`, asks('abroad, namespace: other')),
    proxyObject(
      'known',
      `routes: [{${one}}]`,
      asks('grpc').replace('cert}', 'cert, clientValidation: {caSecret: root}}'),
    ),
    proxyObject(
      'before',
      `routes: [{${one}}, {conditions: [{prefix: /denied}], ipDenyPolicy: [{source: Peer, cidr: 127.0.0.1}], ${one}},
       {conditions: [{prefix: /limited}], rateLimitPolicy: {local: {requests: 1, unit: hour}}, ${one}}]`,
      `, corsPolicy: {allowOrigin: ['*'], allowMethods: [GET]}${asks('grpc')}`,
    ),
    proxyObject('narrow', `routes: [{${one}}]`, asks('narrow')),
    proxyObject('slow', `routes: [{${one}}]`, asks('grpc', ', responseTimeout: 50ms')),
    proxyObject('verified', `routes: [{${one}}]`, asks('verified')),
    proxyObject('mistaken', `routes: [{${one}}]`, asks('mistaken')),
    proxyObject('shut', `routes: [{${one}}]`, asks('nobody')),
    proxyObject('passing', `routes: [{${one}}]`, asks('nobody', ', failOpen: true')),
    proxyObject(
      'http',
      `routes: [{${one}}]`,
      asks(
        'asked',
        `, serviceType: http, httpSettings: {pathPrefix: /check, allowedAuthorizationHeaders: [{prefix: x-ask-},
         {suffix: -END}, {suffix: -LAST, ignoreCase: true}, {contains: mid}], allowedUpstreamHeaders: [{exact: x-granted}]}`,
      ),
    ),
  ].join('')

/** Takes who says so, and tells the backend. */
const byHeader: Checks['answer'] = ({ attributes }) =>
  attributes?.request?.http?.headers['x-user'] === 'alice'
    ? {
        httpResponse: {
          case: 'okResponse',
          value: { headers: [{ header: { key: 'x-granted', value: 'alice' } }] },
        },
      }
    : {
        status: { code: 7 },
        httpResponse: { case: 'deniedResponse', value: { status: { code: 401 }, body: 'who are you?' } },
      }

const passed = { httpResponse: { case: 'okResponse' as const, value: {} } }

describe.skipIf(withoutEnvoy()).each(ways)(
  'authorization, in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const stand = new Stand()
    const backend = new Backend('one')
    const grpc = authorizationServer(byHeader)
    const secure = authorizationServer(byHeader)
    const http = new Backend('asked')
    const alice = { 'x-user': 'alice' }
    let client: Client

    const status = async (host: string, path = '/', headers = {}) =>
      (await client.send(host, { path, headers })).status

    beforeAll(async () => {
      await stand.open()
      await backend.open()
      await grpc.open()
      await secure.open(server)
      await http.open()
      client = new Client(stand.httpsPort, 'tls')
      await stand.startEnvoy(way)
      const ports = { backend: backend.port, grpc: grpc.port, secure: secure.port, http: http.port }
      stand.publishEach((layout) => translateFor(stand, objects(ports), layout))
      await eventually('settled', () => settled(stand))
      await eventually('the port opens', () => stand.https('free.test'))
    }, 60_000)

    beforeEach(() => {
      grpc.answer = byHeader
      grpc.seen = []
    })

    afterAll(async () => {
      client.close()
      await stand.close()
      for (const one of [backend, grpc, secure, http]) one.close()
    })

    test('a server over gRPC says who passes, what they are told, and what the backend is told', async () => {
      expect(stand.refused).toEqual([])
      const refused = await client.send('grpc.test', { path: '/a' })
      expect([refused.status, refused.body]).toEqual([401, 'who are you?'])
      expect(await status('grpc.test', '/a', alice)).toBe(200)
      expect(backend.last.headers['x-granted']).toBe('alice')
      expect(grpc.seen[0]?.attributes?.request?.http?.headers['x-ingress-scope']).toBeUndefined()
    })

    test('defect 19: redirects and direct answers keep authorization', async () => {
      expect([await status('grpc.test', '/redirect'), await status('grpc.test', '/direct')]).toEqual([
        401, 401,
      ])
      expect([
        await status('grpc.test', '/redirect', alice),
        await status('grpc.test', '/direct', alice),
      ]).toEqual([302, 200])
    })

    test('the most specific word on whether to ask counts', async () => {
      expect(await status('grpc.test', '/open')).toBe(200)
      expect([await status('closed.test'), await status('closed.test', '/checked')]).toEqual([200, 401])
      expect(await status('free.test')).toBe(200)
      expect(grpc.seen).toHaveLength(1)
    })

    test('what no route takes, and what came to the wrong host, is answered without asking', async () => {
      expect(await status('grpc.test', '/nowhere')).toBe(404)
      expect(await status('grpc.test', '/a', { host: 'free.test' })).toBe(421)
      expect(grpc.seen).toEqual([])
    })

    test('what the host refuses or answers by itself is no question for the server', async () => {
      expect(await status('before.test', '/denied', alice)).toBe(403)
      expect(await status('before.test', '/limited', alice)).toBe(200)
      expect(await status('before.test', '/limited', alice)).toBe(429)
      const headers = { origin: 'https://shop.test', 'access-control-request-method': 'GET' }
      expect((await client.send('before.test', { method: 'OPTIONS', headers })).status).toBe(200)
      expect(grpc.seen).toHaveLength(1)
    })

    test('who may not call is not sent on to the secure side either', async () => {
      expect((await stand.http('before.test', '/denied'))?.status).toBe(403)
      expect((await stand.http('before.test'))?.status).toBe(301)
    })

    test('a server of another namespace is asked', async () => {
      expect([await status('abroad.test'), await status('abroad.test', '/', alice)]).toEqual([401, 200])
    })

    test('the server sees the certificate of the client', async () => {
      const at = {
        host: '127.0.0.1',
        port: stand.httpsPort,
        servername: 'known.test',
        rejectUnauthorized: false,
      }
      const call = request({
        ...at,
        ...pairOf('bob'),
        agent: false,
        headers: { host: 'known.test', ...alice },
      })
      const [response] = await once(call.end(), 'response')
      response.resume()
      const shown = decodeURIComponent(grpc.seen[0]?.attributes?.source?.certificate ?? '')
      const { fingerprint256 } = new X509Certificate(pem('bob.pem'))
      expect([response.statusCode, new X509Certificate(shown).fingerprint256]).toEqual([200, fingerprint256])
    })

    test('a header that the server gives a request chooses its route', async () => {
      grpc.answer = (request) =>
        request.attributes?.request?.http?.headers['x-user'] === 'bob' ? passed : byHeader(request)
      expect(await status('granted.test', '/', alice)).toBe(200)
      expect(await status('granted.test', '/', { 'x-user': 'bob' })).toBe(418)
    })

    test('a host below a wildcard that asks is not asked for, and is no way around it', async () => {
      expect([await status('a.wild.test'), await status('a.wild.test', '/', alice)]).toEqual([401, 200])
      expect(await status('free.wild.test')).toBe(200)
      expect(await status('free.wild.test', '/', { host: 'a.wild.test' })).toBe(421)
      expect(await status('a.wild.test', '/', { host: 'free.wild.test' })).toBe(421)
    })

    test('the server sees the context of host and route, and as much of the body as asked', async () => {
      await client.send('grpc.test', { path: '/told', method: 'POST', body: 'a long text' })
      const [seen] = grpc.seen
      expect(seen?.attributes?.contextExtensions).toEqual({ who: 'route', where: 'here', more: 'this' })
      expect(seen?.attributes?.request?.http?.body).toBe('a long t')
    })

    test('the server gets the body as bytes where asked, and none is cut where that is not', async () => {
      const post = { method: 'POST', headers: alice }
      await client.send('packed.test', { ...post, body: 'a text' })
      const { body, rawBody } = grpc.seen[0]?.attributes?.request?.http ?? {}
      expect([body, Buffer.from(rawBody ?? []).toString()]).toEqual(['', 'a text'])
      expect((await client.send('packed.test', { ...post, body: 'a long text' })).status).toBe(413)
      expect(grpc.seen).toHaveLength(1)
    })

    test('without an answer in time nobody passes, unless asked so', async () => {
      grpc.answer = async (request) => {
        await sleep(1000)
        return byHeader(request)
      }
      expect(await status('slow.test', '/', alice)).toBe(403)
      expect(await status('grpc.test', '/a', alice)).toBe(200)
      expect(await status('shut.test', '/', alice)).toBe(403)
      expect(await status('passing.test')).toBe(200)
    })

    test('above the limits of an ExtensionService nobody is asked', async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      grpc.answer = async (request) => {
        await promise
        return byHeader(request)
      }
      const first = status('narrow.test', '/', alice)
      await eventually('the first is asked for', () => grpc.seen[0])
      expect(await status('narrow.test', '/', alice)).toBe(403)
      expect(grpc.seen).toHaveLength(1)
      resolve()
      expect(await first).toBe(200)
    })

    test('a server over TLS is asked if its certificate is right', async () => {
      expect([await status('verified.test'), await status('verified.test', '/', alice)]).toEqual([401, 200])
      expect(await status('mistaken.test', '/', alice)).toBe(403)
    })

    test('a server over HTTP gets the headers that it may, and gives the backend those that it may', async () => {
      http.answer = ({ headers }, response) => {
        const granted = { 'x-granted': 'yes', 'x-secret': 'kept' }
        response.writeHead(headers['x-ask-me'] === 'please' ? 200 : 403, granted).end('no')
      }
      const sent = { 'x-other': 'one', 'x-end': 'two', 'x-last': 'three', 'x-amid': 'four' }
      const refused = await client.send('http.test', { path: '/x?y', headers: sent })
      expect([refused.status, refused.body]).toEqual([403, 'no'])
      expect(http.last.url).toBe('/check/x?y')
      expect(http.last.headers).toMatchObject({ 'x-last': 'three', 'x-amid': 'four' })
      expect(http.last.headers['x-other']).toBeUndefined()
      expect(http.last.headers['x-end']).toBeUndefined()
      expect(await status('http.test', '/', { 'x-ask-me': 'please' })).toBe(200)
      expect(backend.last.headers).toMatchObject({ 'x-granted': 'yes' })
      expect(backend.last.headers['x-secret']).toBeUndefined()
    })
  },
)
