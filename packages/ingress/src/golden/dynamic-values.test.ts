/** Values of headers that Envoy fills in (`%…%`), through a real Envoy over TLS: what the backend and the client see. */
import { constants, createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { hostname } from 'node:os'
import { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultListenerOptions } from '../envoy/options.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import {
  Backend,
  pairOf,
  pem,
  proxyObject,
  secretObject,
  serviceObjects,
  settled,
  translateFor,
} from './traffic.ts'

const ofRequests = [
  'DOWNSTREAM_REMOTE_ADDRESS',
  'DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT',
  'DOWNSTREAM_LOCAL_ADDRESS',
  'DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT',
  'DOWNSTREAM_LOCAL_PORT',
  'DOWNSTREAM_LOCAL_URI_SAN',
  'DOWNSTREAM_PEER_URI_SAN',
  'DOWNSTREAM_LOCAL_SUBJECT',
  'DOWNSTREAM_PEER_SUBJECT',
  'DOWNSTREAM_PEER_ISSUER',
  'DOWNSTREAM_TLS_SESSION_ID',
  'DOWNSTREAM_TLS_CIPHER',
  'DOWNSTREAM_TLS_VERSION',
  'DOWNSTREAM_PEER_FINGERPRINT_256',
  'DOWNSTREAM_PEER_FINGERPRINT_1',
  'DOWNSTREAM_PEER_SERIAL',
  'DOWNSTREAM_PEER_CERT',
  'DOWNSTREAM_PEER_CERT_V_START',
  'DOWNSTREAM_PEER_CERT_V_END',
  'HOSTNAME',
  'PROTOCOL',
  'TLS_JA3_FINGERPRINT',
  'TLS_JA4_FINGERPRINT',
  'UNKNOWN',
]
const ofResponses = ['UPSTREAM_REMOTE_ADDRESS', 'RESPONSE_FLAGS', 'RESPONSE_CODE_DETAILS', 'PROTOCOL']
const nameOf = (value: string) => `x-${value.toLowerCase().replaceAll('_', '-')}`
const set = (values: readonly string[], more = '') =>
  `{set: [${values.map((value) => `{name: ${nameOf(value)}, value: '%${value}%'}`).join(', ')}${more}]}`

const own = pairOf('alice')
const objects = (port: number) =>
  [
    serviceObjects('one', [{ http: port }]),
    secretObject('cert', { 'tls.crt': own.cert, 'tls.key': own.key }),
    secretObject('root', { 'ca.crt': pem('root-ca.pem') }),
    proxyObject(
      'told',
      `routes: [{requestHeadersPolicy: ${set(ofRequests, `, {name: X-Mixed, value: '50% of %PROTOCOL% by %REQ(X-None)%%HOSTNAME%'}`)},
       services: [{name: one, port: 80, responseHeadersPolicy: ${set(ofResponses, `, {name: X-Service, value: '%CONTOUR_NAMESPACE%/%CONTOUR_SERVICE_NAME%'}, {name: X-Asked, value: '%REQ(X-Own)%'}`)}}]}]`,
      ', tls: {secretName: cert, clientValidation: {caSecret: root}}',
    ),
  ].join('')

describe.skipIf(withoutEnvoy())('values that Envoy fills in', () => {
  const stand = new Stand()
  const backend = new Backend('one')
  let seen: IncomingHttpHeaders
  let answered: IncomingHttpHeaders
  let client: { readonly port: number | undefined; readonly version: string | null; readonly cipher: string }

  beforeAll(async () => {
    await stand.open()
    await backend.open()
    await stand.startEnvoy()
    const at = (port: number) => ({ address: '127.0.0.1', port })
    const listeners = {
      ...defaultListenerOptions,
      http: at(stand.httpPort),
      https: at(stand.httpsPort),
      stats: at(0),
      adminPort: 0,
      httpAccessLog: '',
      httpsAccessLog: '',
      tls: { ...defaultListenerOptions.tls, fingerprints: { ja3: true, ja4: true } },
    }
    stand.publishEach((layout) => translateFor(stand, objects(backend.port), layout, { listeners }))
    await eventually('settled', () => settled(stand))
    await eventually('answered', ask)
  }, 60_000)

  afterAll(async () => {
    await stand.close()
    backend.close()
  })

  /** undefined: no connection came about. */
  async function ask(): Promise<true | undefined> {
    const at = {
      host: '127.0.0.1',
      port: stand.httpsPort,
      servername: 'told.test',
      rejectUnauthorized: false,
    }
    const headers = { host: 'told.test', 'x-own': 'mine' }
    // Or the session has no name.
    const named = { maxVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET } as const
    const call = request({ ...at, ...pairOf('bob'), ...named, agent: false, headers })
    call.end()
    const [response] = await once(call, 'response').catch(() => [])
    if (response === undefined) return undefined
    response.resume()
    await once(response, 'end')
    const { socket } = call
    if (!(socket instanceof TLSSocket)) throw new Error('no TLS')
    client = { port: socket.localPort, version: socket.getProtocol(), cipher: socket.getCipher().name }
    seen = backend.last.headers
    answered = response.headers
    return true
  }

  const told = (value: string) => seen[nameOf(value)]

  test('of the connection: addresses, protocol, TLS', () => {
    expect(stand.refused).toEqual([])
    expect(told('DOWNSTREAM_REMOTE_ADDRESS')).toBe(`127.0.0.1:${client.port}`)
    expect(told('DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT')).toBe('127.0.0.1')
    expect(told('DOWNSTREAM_LOCAL_ADDRESS')).toBe(`127.0.0.1:${stand.httpsPort}`)
    expect(told('DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT')).toBe('127.0.0.1')
    expect(told('DOWNSTREAM_LOCAL_PORT')).toBe(String(stand.httpsPort))
    expect(told('DOWNSTREAM_TLS_VERSION')).toBe(client.version)
    expect(told('DOWNSTREAM_TLS_CIPHER')).toBe(client.cipher)
    expect(told('DOWNSTREAM_TLS_SESSION_ID')).toMatch(/^[0-9a-f]+$/)
    expect(told('TLS_JA3_FINGERPRINT')).toMatch(/^[0-9a-f]{32}$/)
    expect(told('TLS_JA4_FINGERPRINT')).toMatch(/^t12d\w+_[0-9a-f]{12}_[0-9a-f]{12}$/)
    expect(told('PROTOCOL')).toBe('HTTP/1.1')
    expect(told('HOSTNAME')).toBe(hostname())
  })

  test('of the certificates of both sides', () => {
    const leaf = new X509Certificate(pem('bob.pem'))
    expect([told('DOWNSTREAM_LOCAL_SUBJECT'), told('DOWNSTREAM_PEER_SUBJECT')]).toEqual([
      'CN=alice',
      'CN=bob',
    ])
    expect(told('DOWNSTREAM_PEER_ISSUER')).toBe('CN=Inner CA')
    expect(told('DOWNSTREAM_LOCAL_URI_SAN')).toBe('spiffe://test/alice')
    expect(told('DOWNSTREAM_PEER_URI_SAN')).toBe('spiffe://test/bob')
    const digest = (algorithm: string) => createHash(algorithm).update(leaf.raw).digest('hex')
    expect(told('DOWNSTREAM_PEER_FINGERPRINT_256')).toBe(digest('sha256'))
    expect(told('DOWNSTREAM_PEER_FINGERPRINT_1')).toBe(digest('sha1'))
    expect(told('DOWNSTREAM_PEER_SERIAL')).toBe(leaf.serialNumber.toLowerCase())
    const shown = decodeURIComponent(String(told('DOWNSTREAM_PEER_CERT')))
    expect(new X509Certificate(shown).fingerprint256).toBe(leaf.fingerprint256)
    const times = [told('DOWNSTREAM_PEER_CERT_V_START'), told('DOWNSTREAM_PEER_CERT_V_END')]
    expect(times.map((time) => new Date(String(time)))).toEqual([
      new Date(leaf.validFrom),
      new Date(leaf.validTo),
    ])
  })

  test('of the answer, to the client', () => {
    expect(answered).toMatchObject({
      'x-upstream-remote-address': `127.0.0.1:${backend.port}`,
      'x-response-flags': '-',
      'x-response-code-details': 'via_upstream',
      'x-protocol': 'HTTP/1.1',
      'x-service': 'web/one',
      'x-asked': 'mine',
    })
  })

  test('what is no value stays as it is written, and what is not there is nothing', () => {
    expect(told('UNKNOWN')).toBe('%UNKNOWN%')
    expect(seen['x-mixed']).toBe(`50% of HTTP/1.1 by ${hostname()}`)
  })
})
