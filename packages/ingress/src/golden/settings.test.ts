/** What settings do: through a real Envoy, as its client, its backend and its access log see them. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { get } from 'node:https'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { engineOptions } from '../configuration/engine-options.ts'
import { readFileText } from '../configuration/read.ts'
import { Engine } from '../engine/engine.ts'
import { eventually, freePort, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { emptyWorld, take } from '../model/objects.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { readObjects } from './objects.ts'
import {
  Backend,
  Client,
  pem,
  proxyObject,
  secretObject,
  serviceObjects,
  settled,
  translateFor,
} from './traffic.ts'

function optionsOf(text: string) {
  const { settings, problems } = readFileText(text)
  expect(problems).toEqual([])
  return engineOptions(settings)
}

const everything = `
accesslog-format: json
json-fields: ["@timestamp", method, path, response_code, who=%REQ(X-WHO)%, ja3=%TLS_JA3_FINGERPRINT%, contour_config_kind, contour_config_name]
accesslog-level: error
disableAllowChunkedLength: true
disableMergeSlashes: true
compression: {algorithm: brotli}
serverHeaderTransformation: pass_through
default-http-versions: [HTTP/1.1]
runtime-settings: {envoy.reloadable_features.none: "false"}
tls:
  minimum-protocol-version: "1.2"
  maximum-protocol-version: "1.2"
  cipher-suites: [ECDHE-ECDSA-AES256-GCM-SHA384, ECDHE-RSA-AES256-GCM-SHA384]
  ecdh-curves: [P-256, X25519]
  fingerprint: {ja3: true, ja4: true}
timeouts:
  request-timeout: 30s
  connection-idle-timeout: infinity
  stream-idle-timeout: 10s
  max-connection-duration: 1h
  delayed-close-timeout: 2s
  connection-shutdown-grace-period: 3s
  connect-timeout: 1s
policy:
  request-headers: {set: {X-From: "landfall %CONTOUR_NAMESPACE%", X-Own: default}, remove: [X-Secret]}
  response-headers: {set: {X-Answered: "yes"}, remove: [X-Powered-By]}
cluster:
  max-requests-per-connection: 100
  per-connection-buffer-limit-bytes: 65536
  circuit-breakers: {max-connections: 1000, max-pending-requests: 10, max-requests: 500, max-retries: 2, per-host-max-connections: 50}
  upstream-tls: {minimum-protocol-version: "1.2", maximum-protocol-version: "1.3", ecdh-curves: [P-256]}
network: {num-trusted-hops: 1, admin-port: 0, strip-trailing-host-dot: true}
listener:
  connection-balancer: exact
  max-requests-per-connection: 1000
  per-connection-buffer-limit-bytes: 32768
  socket-options: {tos: 64, traffic-class: 64}
  max-requests-per-io-cycle: 10
  http2-max-concurrent-streams: 50
  max-connections-per-listener: 500
  max-connections-to-accept-per-socket-event: 5
`

const secret = secretObject('cert', { 'tls.crt': pem('server.pem'), 'tls.key': pem('server.key') })

const objects = (port: number) =>
  [
    secret,
    serviceObjects('one', [{ http: port }]),
    proxyObject('plain', 'routes: [{services: [{name: one, port: 80}]}]'),
    proxyObject(
      'own',
      'routes: [{services: [{name: one, port: 80}], requestHeadersPolicy: {set: [{name: x-own, value: mine}]}}]',
    ),
    proxyObject(
      'secure',
      'routes: [{services: [{name: one, port: 80, protocol: tls}]}]',
      ', tls: {secretName: cert}',
    ),
  ].join('')

/** Without TLS, to a client that asks for nothing else. */
function speaksHttp2(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connect(`http://127.0.0.1:${port}`)
    const done = (speaks: boolean) => {
      session.destroy()
      resolve(speaks)
    }
    session.once('remoteSettings', () => done(true))
    session.on('error', () => done(false)).once('close', () => done(false))
  })
}

const ways: readonly Way[] = ['delta', 'streams']

describe.skipIf(withoutEnvoy()).each(ways)(
  'settings, in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const closing: (() => unknown)[] = []
    afterEach(async () => {
      for (const close of closing.splice(0)) await close()
    })

    test('all of them at once are taken, and do what they say', async () => {
      const stand = await new Stand().open()
      closing.push(() => stand.close())
      const backend = await new Backend('one', (_request, response) => {
        response.setHeader('server', 'teapot')
        response.setHeader('x-powered-by', 'steam')
        response.setHeader('content-type', 'text/plain')
        response.end('tea '.repeat(200))
      }).open()
      closing.push(() => backend.close())
      const envoy = await stand.startEnvoy(way)
      const log = join(stand.directory, 'access.log')
      const { listeners, ...options } = optionsOf(everything)
      const at = (port: number) => ({ address: '127.0.0.1', port })
      stand.publishEach((layout) =>
        translateFor(stand, objects(backend.port), layout, {
          ...options,
          listeners: {
            ...listeners,
            http: at(stand.httpPort),
            https: at(stand.httpsPort),
            stats: at(0),
            httpAccessLog: log,
            httpsAccessLog: log,
          },
        }),
      )
      await eventually('settled', () => settled(stand))
      expect(stand.refused).toEqual([])
      await eventually('the port opens', () => stand.http('plain.test', '/'))
      const client = new Client(stand.httpPort)
      closing.push(() => client.close())

      const headers = { 'accept-encoding': 'br', 'x-secret': 'a', 'x-who': 'me' }
      const answer = await client.send('plain.test', { path: '//a', headers })
      expect(answer.headers).toMatchObject({
        server: 'teapot',
        'x-answered': 'yes',
        'content-encoding': 'br',
      })
      expect(answer.headers['x-powered-by']).toBeUndefined()
      expect(backend.last).toMatchObject({
        url: '//a',
        headers: { 'x-from': 'landfall web', 'x-own': 'default' },
      })
      expect(backend.last.headers['x-secret']).toBeUndefined()
      await client.send('own.test')
      expect(backend.last.headers['x-own']).toBe('mine')
      await client.send('plain.test.')
      expect(backend.last.headers.host).toBe('plain.test')

      backend.answer = (_request, response) => response.writeHead(404).end()
      await client.send('plain.test', { path: '/lost', headers })
      const line = await eventually('logged', () => readFileSync(log, 'utf8').trim() || undefined)
      const { '@timestamp': stamp, ...entry } = JSON.parse(line) as Readonly<Record<string, unknown>>
      expect(typeof stamp).toBe('string')
      expect(entry).toMatchObject({ method: 'GET', path: '/lost', response_code: 404, who: 'me' })
      expect(entry).toMatchObject({ contour_config_kind: 'HTTPProxy', contour_config_name: 'plain' })
      expect(await speaksHttp2(stand.httpPort)).toBe(false)
      expect(await envoy.log()).not.toContain('rejected')
    })

    test("a line of one's own is logged as it is written", async () => {
      const stand = await new Stand().open()
      closing.push(() => stand.close())
      const backend = await new Backend('one').open()
      closing.push(() => backend.close())
      await stand.startEnvoy(way)
      const log = join(stand.directory, 'access.log')
      const { accessLog } = optionsOf(
        'accesslog-format-string: "%REQ(:METHOD)% %RESPONSE_CODE% 100%%\\n"',
      ).listeners
      const { listeners } = engineOptions({})
      const at = (port: number) => ({ address: '127.0.0.1', port })
      stand.publishEach((layout) =>
        translateFor(stand, objects(backend.port), layout, {
          listeners: {
            ...listeners,
            accessLog,
            http: at(stand.httpPort),
            https: at(stand.httpsPort),
            stats: at(0),
            adminPort: 0,
            httpAccessLog: log,
            httpsAccessLog: log,
          },
        }),
      )
      await eventually('answered', () => stand.http('plain.test', '/'))
      expect(await speaksHttp2(stand.httpPort)).toBe(true)
      const line = await eventually('logged', () => readFileSync(log, 'utf8') || undefined)
      expect(line).toMatch(/^(GET (200|503) 100%\n)+$/)
    })
  },
)

describe.skipIf(withoutEnvoy()).each(ways)(
  'a listener, in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const stand = new Stand()
    afterEach(() => stand.close())

    test('moves to another port and address while Envoy runs', async () => {
      await stand.open()
      await stand.startEnvoy(way)
      const text = proxyObject('moved', 'routes: [{directResponsePolicy: {statusCode: 200, body: here}}]')
      const { listeners } = engineOptions({ httpAccessLog: '', adminPort: 0 })
      const publish = (port: number) => {
        const http = { address: '127.0.0.1', port }
        const stats = { address: '127.0.0.1', port: 0 }
        stand.publishEach((layout) =>
          translateFor(stand, text, layout, { listeners: { ...listeners, http, stats } }),
        )
      }
      publish(stand.httpPort)
      await eventually('the port opens', () => stand.http('moved.test'))
      stand.httpPort = await freePort()
      publish(stand.httpPort)
      const answer = await eventually('the other port opens', () => stand.http('moved.test'))
      expect(answer.status).toBe(200)
      expect(stand.refused).toEqual([])
    })
  },
)

describe.skipIf(withoutEnvoy()).each(ways)(
  'statistics over TLS, in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const stand = new Stand()
    afterEach(() => stand.close())

    test('are for whoever shows a certificate of the authority', async () => {
      await stand.open()
      await stand.startEnvoy(way)
      const port = await freePort()
      const path = (file: string) => fileURLToPath(new URL(`./testdata/pki/${file}`, import.meta.url))
      const { listeners } = optionsOf(`
network: {admin-port: 0}
metrics:
  envoy:
    address: 127.0.0.1
    port: ${port}
    server-certificate-path: ${path('server.pem')}
    server-key-path: ${path('server.key')}
    ca-certificate-path: ${path('ca.pem')}
`)
      const stats = { address: '127.0.0.1', port: await freePort() }
      stand.publishEach((layout) => translateFor(stand, '', layout, { listeners: { ...listeners, stats } }))
      const ask = (client: object) =>
        new Promise<number | undefined>((resolve) => {
          const at = { host: '127.0.0.1', port, path: '/stats', rejectUnauthorized: false, agent: false }
          const call = get({ ...at, ...client }, (response) => {
            response.resume()
            response.on('end', () => resolve(response.statusCode))
          })
          call.on('error', () => resolve(undefined))
        })
      const alice = { cert: pem('alice.pem'), key: pem('alice.key') }
      expect(await eventually('alice may read', () => ask(alice))).toBe(200)
      expect(await ask({})).toBeUndefined()
      expect(stand.refused).toEqual([])
    })
  },
)

const fallback = [
  secret,
  secretObject('shared', { 'tls.crt': pem('alice.pem'), 'tls.key': pem('alice.key') }),
  proxyObject(
    'open',
    'routes: [{directResponsePolicy: {statusCode: 200, body: open}}]',
    ', tls: {secretName: cert, enableFallbackCertificate: true}',
  ),
  proxyObject(
    'closed',
    'routes: [{directResponsePolicy: {statusCode: 200, body: closed}}]',
    ', tls: {secretName: cert}',
  ),
].join('')

/** The status, and the subject of the certificate that was shown; undefined: no TLS connection came about. */
function secured(
  port: number,
  servername: string,
  host: string,
): Promise<readonly [number, string] | undefined> {
  return new Promise((resolve) => {
    const at = {
      host: '127.0.0.1',
      port,
      servername,
      rejectUnauthorized: false,
      agent: false,
      headers: { host },
    }
    const call = get(at, (response) => {
      const { socket } = response
      const subject =
        socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.fingerprint256 : undefined
      response.resume()
      response.on('end', () => resolve([response.statusCode ?? 0, subject ?? '']))
    })
    call.on('error', () => resolve(undefined))
  })
}

describe.skipIf(withoutEnvoy()).each(ways)(
  'a fallback certificate, in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const stand = new Stand()
    afterEach(() => stand.close())

    test('is shown to clients that name no host, and serves them the hosts that want it', async () => {
      await stand.open()
      await stand.startEnvoy(way)
      const { dag } = optionsOf('tls: {fallback-certificate: {name: shared, namespace: web}}')
      stand.publishEach((layout) => translateFor(stand, fallback, layout, { dag }))
      await eventually('the port opens', () => secured(stand.httpsPort, 'open.test', 'open.test'))
      const shared = new X509Certificate(pem('alice.pem')).fingerprint256
      const own = new X509Certificate(pem('server.pem')).fingerprint256
      expect(await secured(stand.httpsPort, 'open.test', 'open.test')).toEqual([200, own])
      expect(await secured(stand.httpsPort, '', 'open.test')).toEqual([200, shared])
      expect(await secured(stand.httpsPort, '', 'Open.test:8443')).toEqual([200, shared])
      expect(await secured(stand.httpsPort, 'unknown.test', 'open.test')).toEqual([200, shared])
      expect(await secured(stand.httpsPort, '', 'closed.test')).toEqual([404, shared])
      expect(stand.refused).toEqual([])
    })
  },
)

test('defect 20: with require-validation, a backend that nobody checks is not served, and its proxy says why', () => {
  const { changes } = readObjects(objects(8080))
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  const engine = new Engine(world, optionsOf('cluster: {upstream-tls: {require-validation: true}}'))
  engine.apply(changes)
  expect(engine.verdict('httpProxy', 'web/secure').problems).toMatchObject([
    { severity: 'error', type: 'ServiceError', reason: 'UpstreamNotVerified' },
  ])
  expect(engine.verdict('httpProxy', 'web/plain').problems).toEqual([])
  const { clusters } = engine.snapshot()
  expect([...clusters.keys()]).toEqual([expect.stringMatching(/^web\/one\/80\//)])
})
