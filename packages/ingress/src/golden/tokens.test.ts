/** Tokens (JWT) through a real Envoy, with keys from a server of key sets and from a Secret; and what their rotation does. */
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import {
  Backend,
  Client,
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
const server = pairOf('server')

/** A key by which tokens are signed. */
class Signer {
  readonly #key: KeyObject
  readonly #id: string
  readonly jwk: object

  constructor(id: string) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.#key = privateKey
    this.#id = id
    this.jwk = { ...publicKey.export({ format: 'jwk' }), kid: id, alg: 'RS256', use: 'sig' }
  }

  token(claims: object): string {
    const text = [{ alg: 'RS256', typ: 'JWT', kid: this.#id }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    return `${text}.${createSign('RSA-SHA256').update(text).sign(this.#key, 'base64url')}`
  }
}

const keySet = (...signers: readonly Signer[]) => JSON.stringify({ keys: signers.map(({ jwk }) => jwk) })

interface Ports {
  readonly backend: number
  readonly keys: number
  readonly secureKeys: number
}

const verified = (name: string) => `, validation: {caSecret: ca, subjectName: ${name}}`
const objects = ({ backend, keys, secureKeys }: Ports, local: string, mixed: string) =>
  [
    serviceObjects('one', [{ http: backend }]),
    secretObject('cert', { 'tls.crt': server.cert, 'tls.key': server.key }),
    secretObject('ca', { 'ca.crt': pem('ca.pem') }),
    secretObject('keys', { 'keys.json': local }),
    proxyObject('free', `routes: [{${one}}]`, ', tls: {secretName: cert}'),
    proxyObject(
      'remote',
      `routes: [{conditions: [{prefix: /a}], ${one}},
       {conditions: [{prefix: /second}], jwtVerificationPolicy: {require: second}, ${one}},
       {conditions: [{prefix: /open}], jwtVerificationPolicy: {disabled: true}, ${one}},
       {conditions: [{prefix: /redirect}], requestRedirectPolicy: {path: /elsewhere}},
       {conditions: [{prefix: /direct}], directResponsePolicy: {statusCode: 200, body: tea}}]`,
      `, tls: {secretName: cert}, jwtProviders: [{name: first, default: true, issuer: 'https://issuer.test',
       audiences: [shop], forwardJWT: true, remoteJWKS: {uri: 'http://127.0.0.1:${keys}/keys?all', cacheDuration: 1s}},
       {name: second, localJWKS: {secretName: keys, key: keys.json}}]`,
    ),
    proxyObject(
      'verified',
      `routes: [{${one}}]`,
      `, tls: {secretName: cert}, jwtProviders: [{name: only, default: true, remoteJWKS:
       {uri: 'https://127.0.0.1:${secureKeys}/keys'${verified('backend.test')}}}]`,
    ),
    proxyObject(
      'mistaken',
      `routes: [{${one}}]`,
      `, tls: {secretName: cert}, jwtProviders: [{name: only, default: true, remoteJWKS:
       {uri: 'https://127.0.0.1:${secureKeys}/keys'${verified('another.test')}}}]`,
    ),
    proxyObject(
      'mixed',
      `routes: [{${one}}]`,
      ', tls: {secretName: cert}, jwtProviders: [{name: only, default: true, localJWKS: {secretName: mixed, key: keys}}]',
    ),
    secretObject('mixed', { keys: mixed }),
  ].join('')

describe.skipIf(withoutEnvoy()).each(ways)('tokens, in an Envoy by way of %s', (way) => {
  const stand = new Stand()
  const backend = new Backend('one')
  const [old, fresh, own, next] = [
    new Signer('old'),
    new Signer('fresh'),
    new Signer('own'),
    new Signer('next'),
  ]
  let served = keySet(old)
  const answer: Backend['answer'] = (_request, response) => response.end(served)
  const keys = new Backend('keys', answer)
  const secureKeys = new Backend('keys', answer, server)
  let client: Client

  const claims = { iss: 'https://issuer.test', aud: 'shop', exp: 4_000_000_000 }
  const status = async (host: string, path = '/', token?: string) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    return (await client.send(host, { path, headers })).status
  }

  async function publish(local: string): Promise<void> {
    const mixed = JSON.stringify({ keys: [{ kty: 'RSA', alg: 'RSA-OAEP' }, {}, old.jwk] })
    const ports = { backend: backend.port, keys: keys.port, secureKeys: secureKeys.port }
    stand.publishEach((layout) => translateFor(stand, objects(ports, local, mixed), layout))
    await eventually('settled', () => settled(stand))
  }

  beforeAll(async () => {
    await stand.open()
    for (const each of [backend, keys, secureKeys]) await each.open()
    client = new Client(stand.httpsPort, 'tls')
    await stand.startEnvoy(way)
    await publish(keySet(own))
    await eventually('the port opens', () => stand.https('free.test'))
  }, 60_000)

  afterAll(async () => {
    client.close()
    await stand.close()
    for (const each of [backend, keys, secureKeys]) each.close()
  })

  test('a route needs a token of the default provider, another’s, or none', async () => {
    expect(stand.refused).toEqual([])
    const good = old.token(claims)
    expect([await status('remote.test', '/a'), await status('remote.test', '/a', good)]).toEqual([401, 200])
    expect(backend.last.headers['authorization']).toBe(`Bearer ${good}`)
    expect(keys.seen[0]?.url).toBe('/keys?all')
    expect(await status('remote.test', '/second', good)).toBe(401)
    expect(await status('remote.test', '/second', own.token({ exp: claims.exp }))).toBe(200)
    expect(backend.last.headers['authorization']).toBeUndefined()
    expect([await status('remote.test', '/open'), await status('free.test')]).toEqual([200, 200])
    expect(await status('remote.test', '/nowhere')).toBe(404)
  })

  test('a token of a wrong issuer, audience, time or key is refused', async () => {
    const bad = async (changed: object, signer = old) =>
      status('remote.test', '/a', signer.token({ ...claims, ...changed }))
    expect(await bad({ aud: 'other' })).toBe(403)
    expect(await bad({ iss: 'https://other.test' })).toBe(401)
    expect(await bad({ exp: 1 })).toBe(401)
    expect(await bad({}, fresh)).toBe(401)
  })

  test('defect 19: redirects and direct answers keep verification', async () => {
    const good = old.token(claims)
    expect([await status('remote.test', '/redirect'), await status('remote.test', '/direct')]).toEqual([
      401, 401,
    ])
    expect(await status('remote.test', '/redirect', good)).toBe(302)
    expect(await status('remote.test', '/direct', good)).toBe(200)
  })

  test('keys come from a server whose certificate is right, and from no other', async () => {
    expect(await status('verified.test', '/', old.token(claims))).toBe(200)
    expect(await status('mistaken.test', '/', old.token(claims))).toBe(401)
  })

  test('of a set in a Secret, the keys that Envoy would refuse are left out', async () => {
    expect(await status('mixed.test', '/', old.token(claims))).toBe(200)
  })

  test('another key on the server counts when the old ones are no longer kept', async () => {
    const ofOld = () => status('remote.test', '/a', old.token(claims))
    await eventually('the old key is kept for a second', async () => {
      served = keySet(old)
      await ofOld()
      served = keySet(fresh)
      return (await ofOld()) === 200 ? true : undefined
    })
    await eventually('the new key', async () =>
      (await status('remote.test', '/a', fresh.token(claims))) === 200 ? true : undefined,
    )
    await expect.poll(ofOld).toBe(401)
  })

  test('another key in the Secret counts at once', async () => {
    const token = next.token({ exp: claims.exp })
    expect(await status('remote.test', '/second', token)).toBe(401)
    await publish(keySet(next))
    await eventually('the new key', async () => {
      const reconnected = new Client(stand.httpsPort, 'tls')
      const headers = { authorization: `Bearer ${token}` }
      const answered = await reconnected.send('remote.test', { path: '/second', headers })
      reconnected.close()
      return answered.status === 200 ? true : undefined
    })
    expect(stand.refused).toEqual([])
  })
})
