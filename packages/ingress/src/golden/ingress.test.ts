/** Ingresses, their annotations and those of their Services, through a real Envoy: what clients and backends see. */

import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Http2Server } from 'node:http2'
import type { SecureVersion } from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import {
  Backend,
  type Client,
  pairOf,
  proxyObject,
  secretObject,
  serveBoth,
  serviceObjects,
  spokenVersion,
} from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const server = pairOf('server')
const lentOut = pairOf('alice')

/** A Secret of another namespace. */
function lent(name: string, cert: string, key: string): string {
  return secretObject(name, { 'tls.crt': cert, 'tls.key': key }).replace(
    '"namespace":"web"',
    '"namespace":"certs"',
  )
}

interface IngressOptions {
  readonly annotations?: Readonly<Record<string, string>>
  readonly tls?: boolean
  readonly created?: string
  readonly className?: string
}

/** An Ingress `NAME` of the host `HOST.test`, or of all; a path as `KIND PATH SERVICE`. */
function ingressObject(name: string, host: string, paths: readonly string[], o: IngressOptions = {}): string {
  const kinds: Readonly<Record<string, string>> = {
    is: 'Exact',
    below: 'Prefix',
    like: 'ImplementationSpecific',
  }
  const rule = {
    ...(host === '*' ? {} : { host: `${host}.test` }),
    http: {
      paths: paths.map((text) => {
        const [kind = '', path, service] = text.split(' ')
        return { path, pathType: kinds[kind], backend: { service: { name: service, port: { number: 80 } } } }
      }),
    },
  }
  const metadata = {
    name,
    namespace: 'web',
    creationTimestamp: o.created ?? '2026-01-01T00:00:00Z',
    annotations: o.annotations ?? {},
  }
  const tls = o.tls === true ? { tls: [{ hosts: [`${host}.test`], secretName: 'cert' }] } : {}
  const spec = { rules: [rule], ...tls, ingressClassName: o.className }
  return `---\n${JSON.stringify({ kind: 'Ingress', metadata, spec })}\n`
}

const contour = (annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`projectcontour.io/${key}`, value]))

/** By the first that is said: the annotation of Contour, that of old, the field. */
const classes: readonly (readonly [host: string, options: IngressOptions])[] = [
  ['classed', { className: 'contour' }],
  ['classed-of-old', { className: 'other', annotations: { 'kubernetes.io/ingress.class': 'contour' } }],
  [
    'classed-for-contour',
    { annotations: { 'kubernetes.io/ingress.class': 'other', ...contour({ 'ingress.class': 'contour' }) } },
  ],
  ['other', { className: 'other' }],
  ['other-of-old', { className: 'contour', annotations: { 'kubernetes.io/ingress.class': 'other' } }],
  [
    'other-for-contour',
    { annotations: { 'kubernetes.io/ingress.class': 'contour', ...contour({ 'ingress.class': 'other' }) } },
  ],
]

/** The same of an HTTPProxy. */
function classedProxy(name: string, { className = '', annotations = {} }: IngressOptions): string {
  return proxyObject(
    name,
    `ingressClassName: '${className}', routes: [{services: [{name: one, port: 80}]}]`,
  ).replace('namespace: web', `namespace: web, annotations: ${JSON.stringify(annotations)}`)
}

function objects(one: number, two: number, h2c: number): string {
  const slow = { annotations: contour({ 'response-timeout': '200ms' }) }
  const tries = { annotations: contour({ 'retry-on': '5xx', 'num-retries': '2', 'per-try-timeout': '10s' }) }
  return [
    ...['one', 'alone'].map((name) => serviceObjects(name, [{ http: one }])),
    serviceObjects('two', [{ http: two }]),
    serviceObjects('named', [{ http: h2c }]).replace(
      'name: named,',
      'name: named, annotations: {projectcontour.io/upstream-protocol.h2c: http},',
    ),
    serviceObjects('told', [{ http: h2c }]).replace('port: 80}', 'port: 80, appProtocol: kubernetes.io/h2c}'),
    secretObject('cert', { 'tls.crt': server.cert, 'tls.key': server.key }),
    ingressObject('paths', 'paths', [
      'below / one',
      'below /api/ two',
      'is /exact two',
      'like /r[0-9]+ two',
      'like /plain two',
    ]),
    ingressObject('rest', '*', ['below / two']),
    ingressObject('both', 'both', ['below / one'], { tls: true }),
    ingressObject('beside', 'both', ['below /beside two']),
    ingressObject('forced', 'forced', ['below / one'], {
      tls: true,
      annotations: { 'ingress.kubernetes.io/force-ssl-redirect': 'true' },
    }),
    ingressObject('closed', 'closed', ['below / one'], {
      tls: true,
      annotations: { 'kubernetes.io/ingress.allow-http': 'false' },
    }),
    ingressObject('newest', 'newest', ['below / one'], {
      tls: true,
      annotations: contour({ 'tls-minimum-protocol-version': '1.3' }),
    }),
    ingressObject('oldest', 'oldest', ['below / one'], {
      tls: true,
      annotations: contour({ 'tls-maximum-protocol-version': '1.2' }),
    }),
    ingressObject('slow', 'slow', ['below / alone'], slow),
    ingressObject('slow-of-old', 'slow-of-old', ['below / alone'], {
      annotations: contour({ 'request-timeout': '200ms' }),
    }),
    ingressObject('tries', 'tries', ['below / alone'], tries),
    ingressObject('once', 'once', ['below / alone'], {
      annotations: contour({ 'retry-on': '5xx', 'num-retries': '0' }),
    }),
    ingressObject('some', 'some', ['below / alone'], {
      annotations: contour({ 'retry-on': 'gateway-error, retriable-4xx' }),
    }),
    lent('lent', lentOut.cert, lentOut.key),
    lent('kept', lentOut.cert, lentOut.key),
    `---
kind: TLSCertificateDelegation
metadata: {name: lent, namespace: certs}
spec: {delegations: [{secretName: lent, targetNamespaces: ['*']}]}
`,
    ...['lent', 'kept'].map((name) =>
      ingressObject(name, name, ['below / one'], {
        tls: true,
        annotations: contour({ 'tls-cert-namespace': 'certs' }),
      }).replace('"secretName":"cert"', `"secretName":"${name}"`),
    ),
    ...classes.flatMap(([name, options]) => [
      ingressObject(name, name, ['below / one'], options),
      classedProxy(`proxy-${name}`, options),
    ]),
    ingressObject('wild', '*.wild', ['below / one']),
    ingressObject('sockets', 'sockets', ['below / one', 'below /socket one'], {
      annotations: contour({ 'websocket-routes': '/socket' }),
    }),
    ingressObject('protocols', 'protocols', ['below /named named', 'below /told told']),
    ingressObject('missing', 'missing', ['below / one', 'below /gone gone']),
    ingressObject('younger', 'contested', ['below / two'], { created: '2026-01-02T00:00:00Z' }),
    ingressObject('older', 'contested', ['below / one']),
    ingressObject('beaten', 'mixed', ['below / one', 'below /rest one']),
    proxyObject('mixed', 'routes: [{services: [{name: two, port: 80}]}]'),
  ].join('')
}

describe.skipIf(withoutEnvoy()).each(ways)(
  'Ingresses in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const stand = new Stand()
    const [one, two] = [new Backend('one'), new Backend('two')]
    const h2c: Http2Server = createServer((_request, response) => void response.end('h2c'))
    let client: Client
    let secure: Client

    beforeAll(async () => {
      await stand.open()
      await Promise.all([one.open(), two.open(), once(h2c.listen(0, '127.0.0.1'), 'listening')])
      const address = h2c.address()
      if (address === null || typeof address === 'string') throw new Error('no port')
      await stand.startEnvoy(way)
      const text = objects(one.port, two.port, address.port)
      const clients = await serveBoth(stand, text, { plain: 'paths.test', secure: 'both.test' })
      client = clients.client
      secure = clients.secure
    }, 60_000)

    afterAll(async () => {
      client.close()
      secure.close()
      await stand.close()
      one.close()
      two.close()
      h2c.close()
    })

    const answerOf = async (host: string, path = '/') => {
      const { status, body } = await client.send(`${host}.test`, { path })
      return status === 200 ? body : status
    }

    test.each([
      ['/', 'one'],
      ['/api', 'two'],
      ['/api/', 'two'],
      ['/api/x', 'two'],
      ['/apix', 'one'],
      ['/exact', 'two'],
      ['/exact/', 'one'],
      ['/r12', 'two'],
      ['/r12/x', 'one'],
      ['/plainer', 'two'],
    ])('%s goes to %s by the type of its path', async (path, backend) => {
      expect(stand.refused).toEqual([])
      expect(await answerOf('paths', path)).toBe(backend)
    })

    test('a rule without host is for every host that nobody names', async () => {
      expect([await answerOf('whoever'), await answerOf('paths')]).toEqual(['two', 'one'])
    })

    test('with TLS both sides serve, unless annotations send clients over or close the plain side', async () => {
      expect([await answerOf('both'), (await secure.send('both.test')).body]).toEqual(['one', 'one'])
      const { status, headers } = await client.send('forced.test', { path: '/a?b' })
      expect([status, headers.location]).toEqual([301, 'https://forced.test/a?b'])
      expect((await secure.send('forced.test')).body).toBe('one')
      // The rule without host takes what is left.
      expect([await answerOf('closed'), (await secure.send('closed.test')).body]).toEqual(['two', 'one'])
    })

    test('the certificate of one Ingress serves the rules of another', async () => {
      expect((await secure.send('both.test', { path: '/beside' })).body).toBe('two')
      expect(await answerOf('both', '/beside')).toBe('two')
    })

    test('versions of TLS are bounded', async () => {
      const spoken = (name: string, only: SecureVersion) =>
        spokenVersion(stand.httpsPort, `${name}.test`, only)
      expect([await spoken('newest', 'TLSv1.2'), await spoken('newest', 'TLSv1.3')]).toEqual([
        null,
        'TLSv1.3',
      ])
      expect([await spoken('oldest', 'TLSv1.2'), await spoken('oldest', 'TLSv1.3')]).toEqual([
        'TLSv1.2',
        null,
      ])
      expect([await spoken('both', 'TLSv1.2'), await spoken('both', 'TLSv1.3')]).toEqual([
        'TLSv1.2',
        'TLSv1.3',
      ])
    })

    test('an answer that comes too late is a 504, a failed one is asked for again', async () => {
      const usual = one.answer
      onTestFinished(() => void (one.answer = usual))
      let tries = 0
      let failed = 503
      one.answer = ({ headers }, response) => {
        if (headers.host?.startsWith('slow')) setTimeout(() => response.end('late'), 3000)
        else response.writeHead(tries++ < 2 ? failed : 200).end('third')
      }
      expect([await answerOf('slow'), await answerOf('slow-of-old')]).toEqual([504, 504])
      expect([await answerOf('tries'), tries]).toEqual(['third', 3])
      tries = 0
      expect([await answerOf('once'), tries]).toEqual([503, 1])
      tries = 1
      expect([await answerOf('some'), tries]).toEqual(['third', 3])
      failed = 409
      tries = 1
      expect([await answerOf('some'), tries]).toEqual(['third', 3])
      failed = 500
      tries = 1
      expect([await answerOf('some'), tries]).toEqual([500, 2])
    })

    test('a certificate of another namespace serves where that namespace gives it out', async () => {
      const { fingerprint256 } = new X509Certificate(lentOut.cert)
      expect(await stand.https('lent.test')).toMatchObject({ body: 'one', fingerprint: fingerprint256 })
      expect(await stand.https('kept.test')).toBeUndefined()
      expect(await answerOf('kept')).toBe('one')
    })

    test.each(classes.map(([host]) => host))('objects of class %s', async (host) => {
      // The rule without host takes what is not ours.
      const wanted = host.startsWith('classed') ? 'one' : 'two'
      expect([await answerOf(host), await answerOf(`proxy-${host}`)]).toEqual([wanted, wanted])
    })

    test('a wildcard stands for one label', async () => {
      const hosts = ['a.wild', 'A-1.Wild', 'wild', 'a.b.wild']
      const answers = await Promise.all(hosts.map((host) => answerOf(host)))
      // As Contour does, in its layout.
      expect(answers).toEqual(['one', 'one', 'two', way === 'delta' ? 'two' : 404])
    })

    test('only the named paths are upgraded to websockets', async () => {
      const { status, websocket } = await client.upgrade('sockets.test', '/socket')
      websocket?.send('there')
      await eventually('and back', () => websocket?.received[0])
      expect([status, websocket?.received]).toEqual([101, ['one: there']])
      websocket?.destroy()
      expect((await client.upgrade('sockets.test')).status).toBe(403)
    })

    test('the Service says that it speaks HTTP/2 without TLS', async () => {
      expect([await answerOf('protocols', '/named'), await answerOf('protocols', '/told')]).toEqual([
        'h2c',
        'h2c',
      ])
    })

    test('a path whose Service is missing is not there', async () => {
      expect([await answerOf('missing', '/gone'), await answerOf('missing')]).toEqual(['one', 'one'])
    })

    test('defect 5: the older Ingress keeps a contested path, an HTTPProxy takes it from both', async () => {
      expect(await answerOf('contested')).toBe('one')
      expect([await answerOf('mixed'), await answerOf('mixed', '/rest')]).toEqual(['two', 'one'])
    })
  },
)
