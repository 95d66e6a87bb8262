/** What the configuration says of TLS, through a real Envoy, as its clients and its backends see it. */
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { handshake, publishWith } from './settings-traffic.ts'
import {
  Backend,
  Client,
  pairOf,
  proxyObject,
  secretObject,
  serviceObjects,
  spokenVersion,
} from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const to = (name: string, more = '') => `routes: [{services: [{name: ${name}, port: 80${more}}]}]`
const secure = (name: string) => proxyObject(name, to(name, ', protocol: tls'))
const server = pairOf('server')
const olderServer = { ...server, maxVersion: 'TLSv1.2' }
const serverOfOneCurve = { ...server, ecdhCurve: 'X25519' }
const fingerprints =
  'requestHeadersPolicy: {set: [{name: X-Ja3, value: "%TLS_JA3_FINGERPRINT%"}, {name: X-Ja4, value: "%TLS_JA4_FINGERPRINT%"}]}'

const objects = (plain: number, any: number, old: number, curve: number) =>
  [
    secretObject('cert', { 'tls.crt': server.cert, 'tls.key': server.key }),
    serviceObjects('one', [{ http: plain }]),
    serviceObjects('any', [{ http: any }]),
    serviceObjects('old', [{ http: old }]),
    serviceObjects('curve', [{ http: curve }]),
    proxyObject(
      'usual',
      `routes: [{services: [{name: one, port: 80}], permitInsecure: true, ${fingerprints}}]`,
      ', tls: {secretName: cert}',
    ),
    proxyObject(
      'asking',
      to('one'),
      ", tls: {secretName: cert, minimumProtocolVersion: '1.2', maximumProtocolVersion: '1.3'}",
    ),
    ...['any', 'old', 'curve'].map(secure),
  ].join('')

describe.skipIf(withoutEnvoy()).each(ways)(
  'TLS as it is configured, in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const stand = new Stand()
    const plain = new Backend('one')
    const said: Backend['answer'] = ({ socket }, response) => {
      const tls = socket as TLSSocket
      response.end(`${tls.getProtocol()} ${tls.getCipher().name}`)
    }
    const any = new Backend('any', said, server)
    const old = new Backend('old', said, olderServer)
    const curve = new Backend('curve', said, serverOfOneCurve)

    const publish = (file: string) =>
      publishWith(stand, objects(plain.port, any.port, old.port, curve.port), file)
    const spoken = (name: string) =>
      Promise.all(
        (['TLSv1.2', 'TLSv1.3'] as const).map((only) => spokenVersion(stand.httpsPort, `${name}.test`, only)),
      )
    const ciphers = (...names: readonly string[]) =>
      Promise.all(
        names.map(async (name) => {
          const offer = { maxVersion: 'TLSv1.2' as const, ciphers: name }
          return (await handshake(stand.httpsPort, 'usual.test', offer))?.cipher
        }),
      )
    const groups = (...names: readonly string[]) =>
      Promise.all(
        names.map(
          async (ecdhCurve) => (await handshake(stand.httpsPort, 'usual.test', { ecdhCurve }))?.group,
        ),
      )
    /** On a connection of its own: one that is there keeps what it came by. */
    const answer = async (name: string) => {
      const client = new Client(stand.httpPort)
      const { status, body } = await client.send(`${name}.test`)
      client.close()
      return status === 200 ? body : status
    }

    beforeAll(async () => {
      await stand.open()
      for (const backend of [plain, any, old, curve]) await backend.open()
      await stand.startEnvoy(way)
      await publish('')
      await eventually('usual answers', () => stand.https('usual.test'))
      await eventually('any answers', () => stand.http('any.test'))
    }, 60_000)

    afterAll(async () => {
      for (const one of [plain, any, old, curve]) one.close()
      await stand.close()
    })

    const suites = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'] as const

    test('cipher suites and curves are those that are named, and no others', async () => {
      await publish('')
      await expect.poll(() => ciphers(...suites, 'ECDHE-ECDSA-AES128-SHA')).toEqual([...suites, undefined])
      expect(await groups('X25519', 'P-256')).toEqual(['X25519', 'prime256v1'])
      await publish('tls: {cipher-suites: [ECDHE-ECDSA-AES256-GCM-SHA384], ecdh-curves: [P-384]}')
      await expect.poll(() => ciphers(...suites)).toEqual([undefined, suites[1]])
      expect(await groups('X25519', 'P-256', 'P-384')).toEqual([undefined, undefined, 'secp384r1'])
    })

    test('no host has versions beyond the bounds of all hosts', async () => {
      await publish('tls: {minimum-protocol-version: "1.3"}')
      await expect.poll(() => spoken('usual')).toEqual([null, 'TLSv1.3'])
      expect(await spoken('asking')).toEqual([null, 'TLSv1.3'])
      await publish('tls: {maximum-protocol-version: "1.2"}')
      await expect.poll(() => spoken('usual')).toEqual(['TLSv1.2', null])
      expect(await spoken('asking')).toEqual(['TLSv1.2', null])
    })

    test('the versions of HTTP that are named are offered in the handshake', async () => {
      const offered = async () => {
        const ALPNProtocols = ['http/1.1', 'h2']
        return (await handshake(stand.httpsPort, 'usual.test', { ALPNProtocols }))?.alpn
      }
      await publish('')
      await expect.poll(offered).toBe('h2')
      await publish('default-http-versions: [HTTP/1.1]')
      await expect.poll(offered).toBe('http/1.1')
      await publish('default-http-versions: [HTTP/2]')
      await expect.poll(offered).toBe('h2')
      const only = { ALPNProtocols: ['http/1.1'] }
      expect((await handshake(stand.httpsPort, 'usual.test', only))?.alpn).not.toBe('http/1.1')
    })

    test('fingerprints of handshakes are known when they are asked for', async () => {
      const seen = async () => {
        await stand.https('usual.test')
        const { 'x-ja3': ja3, 'x-ja4': ja4 } = plain.last.headers
        return `${String(ja3)} ${String(ja4)}`
      }
      await publish('')
      await expect.poll(seen).not.toMatch(/[0-9a-f]{8}/)
      await publish('tls: {fingerprint: {ja3: true, ja4: true}}')
      await expect.poll(seen).toMatch(/^[0-9a-f]{32} t1\d\w{7}_[0-9a-f]{12}_[0-9a-f]{12}$/)
    })

    test('permitInsecure counts for nothing where the configuration says so', async () => {
      await publish('')
      await expect.poll(() => answer('usual')).toBe('one')
      await publish('disablePermitInsecure: true')
      await expect.poll(() => answer('usual')).toBe(301)
      expect(await stand.https('usual.test')).toMatchObject({ status: 200, body: 'one' })
    })

    test('backends are met with the versions, cipher suites and curves of the configuration', async () => {
      await publish('')
      await expect.poll(() => answer('any')).toMatch(/^TLSv1\.3 /)
      expect(await answer('old')).toMatch(/^TLSv1\.2 /)
      expect(await answer('curve')).toMatch(/^TLSv1\.3 /)
      const suite = 'ECDHE-ECDSA-AES256-GCM-SHA384'
      await publish(`cluster: {upstream-tls: {maximum-protocol-version: "1.2", cipher-suites: [${suite}]}}`)
      await expect.poll(() => answer('any')).toBe(`TLSv1.2 ${suite}`)
      await publish('cluster: {upstream-tls: {minimum-protocol-version: "1.3", ecdh-curves: [P-384]}}')
      await expect.poll(() => answer('old')).toBe(503)
      expect(await answer('any')).toMatch(/^TLSv1\.3 /)
      expect(await answer('curve')).toBe(503)
      expect(stand.refused).toEqual([])
    })
  },
)
