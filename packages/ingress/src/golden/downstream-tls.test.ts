/** Which clients a host takes over TLS, and streams, through a real Envoy. */
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { request } from 'node:https'
import { connect, type SecureVersion, type TLSSocket } from 'node:tls'
import { makeAuthority, makeLeaf, validFor } from '@landfall/certificates'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { type Change, emptyWorld, take } from '../model/objects.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { readObjects } from './objects.ts'
import {
  Backend,
  pairOf,
  pem,
  proxyObject,
  secretObject,
  serviceObjects,
  settled,
  spokenVersion,
  translateFor,
} from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const to = (service: string) => `{services: [{name: ${service}, port: 80}]}`
const clients = (policy: string) => `, tls: {secretName: cert, clientValidation: {${policy}}}`
const forward = 'forwardClientCertificate: {subject: true, dns: true, uri: true}'
const parts = ['subject', 'cert', 'chain', 'dns', 'uri'] as const
const versions: Readonly<Record<string, string>> = {
  newest: `minimumProtocolVersion: '1.3'`,
  oldest: `maximumProtocolVersion: '1.2'`,
}
const checks = 'healthCheckPolicy: {intervalSeconds: 1, unhealthyThresholdCount: 1, healthyThresholdCount: 1}'
/** Below those that are given out by chance: nobody comes to listen. */
const closedPort = 1
const server = pairOf('server')

const objects = (plain: number, secure: number, list: string | undefined) =>
  [
    serviceObjects('one', [{ http: plain }]),
    serviceObjects('two', [{ http: secure }]),
    secretObject('cert', { 'tls.crt': server.cert, 'tls.key': server.key }),
    secretObject('ca', { 'ca.crt': pem('ca.pem'), ...(list === undefined ? {} : { 'crl.pem': list }) }),
    proxyObject('open', `routes: [${to('one')}]`, ', tls: {secretName: cert}'),
    proxyObject('strict', `routes: [${to('one')}]`, clients(`caSecret: ca, ${forward}`)),
    proxyObject(
      'optional',
      `routes: [${to('one')}]`,
      clients('caSecret: ca, optionalClientCertificate: true'),
    ),
    secretObject('root', { 'ca.crt': pem('root-ca.pem') }),
    secretObject('list', { 'crl.pem': pem('inner-crl.pem') }),
    proxyObject('all-listed', `routes: [${to('one')}]`, clients('caSecret: root, crlSecret: list')),
    proxyObject(
      'leaf-listed',
      `routes: [${to('one')}]`,
      clients('caSecret: root, crlSecret: list, crlOnlyVerifyLeafCert: true'),
    ),
    ...parts.map((part) =>
      proxyObject(
        `told-${part}`,
        `routes: [${to('one')}]`,
        clients(`caSecret: root, forwardClientCertificate: {${part}: true}`),
      ),
    ),
    proxyObject('skip', `routes: [${to('one')}]`, clients('caSecret: ca, skipClientCertValidation: true')),
    proxyObject('any', `routes: [${to('one')}]`, clients('skipClientCertValidation: true')),
    proxyObject('passed', `tcpproxy: ${to('two')}, routes: [${to('one')}]`, ', tls: {passthrough: true}'),
    ...['newest', 'oldest'].map((name) =>
      proxyObject(name, `routes: [${to('one')}]`, `, tls: {secretName: cert, ${versions[name]}}`),
    ),
    serviceObjects('halves', [{ http: secure }, { http: closedPort }]),
    proxyObject('unchecked', `tcpproxy: ${to('halves')}`, ', tls: {passthrough: true}'),
    proxyObject(
      'checked',
      `tcpproxy: {${checks}, services: [{name: halves, port: 80}]}`,
      ', tls: {passthrough: true}',
    ),
    proxyObject('ended', 'tcpproxy: {include: {name: child}}', ', tls: {secretName: cert}'),
    `---
kind: HTTPProxy
metadata: {name: child, namespace: web}
spec: {tcpproxy: ${to('one')}}
`,
    proxyObject('ended-as-of-old', 'tcpproxy: {includes: {name: child}}', ', tls: {secretName: cert}'),
    proxyObject(
      'encrypted-anew',
      'tcpproxy: {services: [{name: two, port: 80, protocol: tls, validation: {caSecret: ca, subjectName: alice.test}}]}',
      ', tls: {secretName: cert}',
    ),
    proxyObject(
      'not-verified',
      'tcpproxy: {services: [{name: two, port: 80, protocol: tls, validation: {caSecret: ca, subjectName: other.test}}]}',
      ', tls: {secretName: cert}',
    ),
    ...(list === undefined
      ? []
      : [proxyObject('listed', `routes: [${to('one')}]`, clients('caSecret: ca, crlSecret: ca'))]),
  ].join('')

/** Of X-Forwarded-Client-Cert, by name. */
function partsOf(told: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    told.split(';').map((part) => {
      const at = part.indexOf('=')
      return [part.slice(0, at), part.slice(at + 1)]
    }),
  )
}

/** Fingerprints of certificates in PEM. */
function certificatesOf(text: string): readonly string[] {
  const blocks = decodeURIComponent(text).match(/-----BEGIN[^]*?-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block).fingerprint256)
}

describe.skipIf(withoutEnvoy()).each(ways)(
  'TLS with clients, in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const stand = new Stand()
    const backend = new Backend('one')
    const secure = new Backend('two', undefined, pairOf('alice'))

    /** undefined: the handshake fails. */
    function status(
      host: string,
      as?: string,
      headers: Record<string, string> = {},
    ): Promise<number | undefined> {
      return new Promise((resolve) => {
        const { port } = at()
        const own = as === undefined ? {} : pairOf(as)
        const options = {
          host: '127.0.0.1',
          port,
          servername: host,
          rejectUnauthorized: false,
          agent: false as const,
        }
        const call = request({ ...options, ...own, headers: { host, ...headers } }, (response) => {
          response.resume()
          response.on('end', () => resolve(response.statusCode))
        })
        call.on('error', () => resolve(undefined))
        call.end()
      })
    }

    const at = () => ({ host: '127.0.0.1', port: stand.httpsPort })

    async function subject(host: string): Promise<string> {
      const socket: TLSSocket = connect({ ...at(), servername: host, rejectUnauthorized: false })
      await once(socket, 'secureConnect')
      const name = String(socket.getPeerCertificate().subject.CN)
      socket.destroy()
      return name
    }

    async function publish(list: string | undefined): Promise<void> {
      stand.publishEach((layout) => translateFor(stand, objects(backend.port, secure.port, list), layout))
      await eventually('settled', () => settled(stand))
    }

    beforeAll(async () => {
      await stand.open()
      await backend.open()
      await secure.open()
      await stand.startEnvoy(way)
      await publish(pem('crl.pem'))
      await eventually('the port opens', async () => ((await status('open.test')) === 200 ? true : undefined))
    }, 60_000)

    afterAll(async () => {
      await stand.close()
      backend.close()
      secure.close()
    })

    test('a host takes the clients that it asks for', async () => {
      expect(stand.refused).toEqual([])
      expect([await status('strict.test'), await status('strict.test', 'alice')]).toEqual([undefined, 200])
      expect([await status('optional.test'), await status('optional.test', 'alice')]).toEqual([200, 200])
      expect([await status('skip.test'), await status('skip.test', 'alice')]).toEqual([undefined, 200])
      expect(await status('any.test')).toBe(200)
    })

    test('a client whose certificate was taken back is turned away', async () => {
      expect(await status('listed.test', 'alice')).toBe(200)
      expect(await status('listed.test', 'mallory')).toBeUndefined()
      expect(await status('strict.test', 'mallory')).toBe(200)
    })

    test('where the leaf alone is looked for, no list is asked of the authorities above its own', async () => {
      expect([await status('leaf-listed.test', 'bob'), await status('leaf-listed.test', 'eve')]).toEqual([
        200,
        undefined,
      ])
      expect(await status('all-listed.test', 'bob')).toBeUndefined()
    })

    test.each(parts)(
      'of the certificate of a client the backend is told no more than its hash and %s',
      async (part) => {
        expect(await status(`told-${part}.test`, 'bob')).toBe(200)
        const { Hash, ...told } = partsOf(String(backend.last.headers['x-forwarded-client-cert']))
        const [leaf, inner] = certificatesOf(pem('bob.pem'))
        expect(Hash?.toUpperCase()).toBe(leaf?.replaceAll(':', ''))
        const wanted = {
          subject: ['Subject', '"CN=bob"'],
          cert: ['Cert', [leaf]],
          chain: ['Chain', [leaf, inner]],
          dns: ['DNS', 'bob.test'],
          uri: ['URI', 'spiffe://test/bob'],
        }
        const values = Object.entries(told).map(([name, value]) => [
          name,
          value.includes('BEGIN') ? certificatesOf(value) : value,
        ])
        expect(values).toEqual([wanted[part]])
      },
    )

    test('the backend is told of the client only what is asked, and nothing that the client made up', async () => {
      const forged = { 'x-forwarded-client-cert': 'Subject="CN=root"' }
      await status('strict.test', 'alice', forged)
      const told = String(backend.last.headers['x-forwarded-client-cert'])
      expect(told).toContain('Subject="CN=alice"')
      expect(told).toContain('DNS=alice.test')
      expect(told).toContain('URI=spiffe://test/alice')
      expect(told).not.toContain('root')
      await status('open.test', 'alice', forged)
      expect(backend.last.headers['x-forwarded-client-cert']).toBeUndefined()
    })

    test('a host speaks the versions of TLS that it allows', async () => {
      const spoken = async (name: string) => {
        const each: readonly SecureVersion[] = ['TLSv1.2', 'TLSv1.3']
        return Promise.all(each.map((only) => spokenVersion(stand.httpsPort, `${name}.test`, only)))
      }
      expect(await spoken('open')).toEqual(['TLSv1.2', 'TLSv1.3'])
      expect(await spoken('newest')).toEqual([null, 'TLSv1.3'])
      expect(await spoken('oldest')).toEqual(['TLSv1.2', null])
    })

    test('an endpoint that refuses connections gets no stream', async () => {
      const some = (name: string) =>
        Promise.all(
          Array.from({ length: 20 }, () => spokenVersion(stand.httpsPort, `${name}.test`, 'TLSv1.3')),
        )
      const all = Array.from({ length: 20 }, () => 'TLSv1.3')
      await eventually(
        'only the one that listens',
        async () => (await some('checked')).every(Boolean) || undefined,
      )
      expect(await some('checked')).toEqual(all)
      expect(await some('unchecked')).toContain(null)
    })

    test('streams are passed on encrypted, or ended here', async () => {
      expect(await subject('passed.test')).toBe('alice')
      expect(await status('passed.test')).toBe(200)
      expect(secure.last.headers.host).toBe('passed.test')
      expect(await subject('ended.test')).toBe('server')
      expect(await status('ended.test')).toBe(200)
      expect(backend.last.headers).toMatchObject({ host: 'ended.test' })
      // A stream says nothing of its own: no header of Envoy's is there.
      expect(backend.last.headers['x-request-start']).toBeUndefined()
      expect((await stand.http('passed.test'))?.status).toBe(301)
      expect(await status('ended-as-of-old.test')).toBe(200)
    })

    test('a stream that is ended here can go on to a backend over TLS, whose certificate is checked', async () => {
      expect(await subject('encrypted-anew.test')).toBe('server')
      expect(await status('encrypted-anew.test')).toBe(200)
      expect(secure.last.headers.host).toBe('encrypted-anew.test')
      expect(await status('not-verified.test')).toBeUndefined()
    })

    test('HTTP/2 is spoken to clients that offer it, for the host of the handshake alone; of a stream nothing is said', async () => {
      const session = connectHttp2('https://open.test', {
        createConnection: () =>
          connect({ ...at(), servername: 'open.test', ALPNProtocols: ['h2'], rejectUnauthorized: false }),
      })
      const asked = async (authority: string) => {
        const call = session.request({ ':authority': authority })
        const [headers] = await once(call, 'response')
        call.close()
        return headers[':status']
      }
      expect([await asked('open.test'), await asked('strict.test'), await asked('any.test')]).toEqual([
        200, 421, 421,
      ])
      session.destroy()
      const socket = connect({
        ...at(),
        servername: 'ended.test',
        ALPNProtocols: ['h2', 'http/1.1'],
        rejectUnauthorized: false,
      })
      await once(socket, 'secureConnect')
      expect(socket.alpnProtocol).toBe(false)
      socket.destroy()
    })
  },
)

test('rule 38: a rotated certificate changes its secret and nothing else', async () => {
  const world = emptyWorld()
  const { changes } = readObjects(objects(80, 443, undefined))
  for (const change of changes) take(world, change)
  const engine = new Engine(world)
  engine.apply(changes)
  engine.drain()
  const authority = await makeAuthority('CN=test', 'ecdsa-p256', validFor(1))
  const names = ['backend.test', '*.secure.test', 'secure.test']
  const next = await makeLeaf(authority, { subject: 'CN=server', names, usage: 'server' })
  const pair = { 'tls.crt': next.certificate, 'tls.key': next.key }
  const [rotated] = readObjects(secretObject('cert', pair)).changes
  if (rotated === undefined) throw new Error('no Secret')
  const before = changes.find(({ kind, key }) => kind === rotated.kind && key === rotated.key)?.after
  const change = { ...rotated, before } as Change
  take(world, change)
  engine.apply([change])
  const changed = Object.entries(engine.drain()).flatMap(([type, table]) =>
    [...table.keys()].map((name) => `${type} ${name}`),
  )
  expect(changed).toEqual(['secrets web/cert'])
})
