/** Redirects of backends that Envoy follows itself, and those that it leaves to the client, through a real Envoy. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import {
  Backend,
  type Client,
  pairOf,
  proxyObject,
  secretObject,
  serveBoth,
  serviceObjects,
} from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const server = pairOf('server')
const one = 'permitInsecure: true, services: [{name: one, port: 80}]'
const below = (prefix: string, policy: string) =>
  `{conditions: [{prefix: ${prefix}}], internalRedirectPolicy: {${policy}}, ${one}}`

/** A host whose backend may send Envoy elsewhere. */
function redirecting(name: string, fqdn: string): string {
  const routes = `routes: [{internalRedirectPolicy: {}, ${one}}]`
  return proxyObject(name, routes).replace(`fqdn: ${name}.test`, `fqdn: ${fqdn}`)
}

const objects = (port: number) =>
  [
    serviceObjects('one', [{ http: port }]),
    secretObject('cert', { 'tls.crt': server.cert, 'tls.key': server.key }),
    proxyObject(
      'once',
      `routes: [{conditions: [{prefix: /from/to}], ${one}}, ${below('/from', 'maxInternalRedirects: 1')}]`,
    ),
    proxyObject('elsewhere', `routes: [{conditions: [{prefix: /to}], ${one}}]`),
    redirecting('near', 'near.test'),
    redirecting('wild', '"*.wild.test"'),
    proxyObject(
      'policies',
      `routes: [{conditions: [{prefix: /there}], ${one}},
       ${below('/codes', 'redirectResponseCodes: [301, 307]')},
       ${below('/never', 'allowCrossSchemeRedirect: Never')},
       ${below('/safe', 'allowCrossSchemeRedirect: SafeOnly')},
       ${below('/always', 'allowCrossSchemeRedirect: Always')},
       ${below('/often', 'maxInternalRedirects: 3')},
       ${below('/new', 'maxInternalRedirects: 3, denyRepeatedRouteRedirect: true')},
       ${below('/next', 'maxInternalRedirects: 3, denyRepeatedRouteRedirect: true')}]`,
      ', tls: {secretName: cert}',
    ),
  ].join('')

describe.skipIf(withoutEnvoy()).each(ways)('an Envoy by way of %s', (way) => {
  const stand = new Stand()
  const backend = new Backend('one')
  let client: Client
  let secure: Client

  beforeAll(async () => {
    await stand.open()
    await backend.open()
    await stand.startEnvoy(way)
    const hosts = { plain: 'elsewhere.test', secure: 'policies.test' }
    const clients = await serveBoth(stand, objects(backend.port), hosts)
    client = clients.client
    secure = clients.secure
  }, 60_000)

  afterAll(async () => {
    client.close()
    secure.close()
    backend.close()
    await stand.close()
  })

  test('a redirect by the backend is followed inside, once', async () => {
    expect(stand.refused).toEqual([])
    const seen: unknown[] = []
    backend.answer = ({ url, headers }, response) => {
      seen.push(headers['x-ingress-scope'])
      if (url === '/from') response.writeHead(302, { location: 'http://once.test/from/to' }).end()
      else if (url === '/from/to') response.end('there')
      else response.writeHead(302, { location: 'http://once.test/from' }).end()
    }
    expect(await client.send('once.test', { path: '/from' })).toMatchObject({ status: 200, body: 'there' })
    expect((await client.send('once.test', { path: '/from/twice' })).status).toBe(302)
    // Only who may redirect is told of the scope: Envoy looks for it again.
    expect(seen[1]).toBeUndefined()
  })

  test.each([
    ['near.test', 'http://elsewhere.test/to', 'elsewhere.test/to'],
    ['near.test', 'http://Elsewhere.test:8080/to', 'Elsewhere.test:8080/to'],
    ['a.wild.test', 'http://elsewhere.test/to', 'elsewhere.test/to'],
    ['a.wild.test', 'http://b.wild.test/to', 'b.wild.test/to'],
  ])('%s is sent inside to %s, which is %s', async (host, location, there) => {
    backend.answer = ({ url, headers }, response) => {
      if (url === '/') response.writeHead(302, { location, 'x-ingress-scope': 'http/tries.test' }).end()
      else response.end(`${headers.host}${url}`)
    }
    expect(await client.send(host)).toMatchObject({ status: 200, body: there })
  })

  // Envoy follows no redirect without a host, nor one to TLS unless that is allowed.
  test.each(['http://unknown.test/to', 'https://elsewhere.test/to', '/to'])(
    'a redirect to %s is for the client, as the backend said it',
    async (location) => {
      backend.answer = (_request, response) =>
        response.writeHead(302, { location, 'set-cookie': 'a=b' }).end()
      const { status, headers } = await client.send('near.test')
      expect([status, headers.location, headers['set-cookie']]).toEqual([302, location, ['a=b']])
      expect(headers).not.toHaveProperty('x-ingress-scope')
    },
  )

  test.each([
    [301, 200],
    [302, 302],
    [303, 303],
    [307, 200],
    [308, 308],
  ])('of the statuses 301 and 307 alone: %i is %i to the client', async (status, told) => {
    backend.answer = ({ url }, response) =>
      url === '/there'
        ? response.end('there')
        : response.writeHead(status, { location: 'http://policies.test/there' }).end()
    expect((await client.send('policies.test', { path: '/codes' })).status).toBe(told)
  })

  test.each([
    ['never', 'plain', 'https', 302],
    ['never', 'tls', 'http', 302],
    ['never', 'tls', 'https', 200],
    ['safe', 'plain', 'https', 302],
    ['safe', 'tls', 'http', 200],
    ['safe', 'tls', 'https', 200],
    ['always', 'plain', 'https', 200],
    ['always', 'tls', 'http', 200],
  ])('/%s: a client over %s that is sent to %s is answered %i', async (path, over, scheme, told) => {
    backend.answer = ({ url }, response) =>
      url === '/there'
        ? response.end('there')
        : response.writeHead(302, { location: `${scheme}://policies.test/there` }).end()
    const by = over === 'tls' ? secure : client
    expect((await by.send('policies.test', { path: `/${path}` })).status).toBe(told)
  })

  test('as many are followed as asked', async () => {
    const seen: (string | undefined)[] = []
    backend.answer = ({ url }, response) => {
      seen.push(url)
      response.writeHead(302, { location: `http://policies.test${url}+` }).end()
    }
    expect((await client.send('policies.test', { path: '/often' })).status).toBe(302)
    expect(seen).toEqual(['/often', '/often+', '/often++', '/often+++'])
  })

  test('with denyRepeatedRouteRedirect none is followed twice to one route, and one to each of several is', async () => {
    const seen: (string | undefined)[] = []
    backend.answer = ({ url = '' }, response) => {
      seen.push(url)
      const [, next] = /^\/\w+(\/.*)$/.exec(url) ?? []
      if (url === '/there') response.end('there')
      else response.writeHead(302, { location: `http://policies.test${next ?? `${url}+`}` }).end()
    }
    expect((await client.send('policies.test', { path: '/new' })).status).toBe(302)
    expect(seen.splice(0)).toEqual(['/new', '/new+'])
    expect((await client.send('policies.test', { path: '/new/next/there' })).body).toBe('there')
    expect(seen).toEqual(['/new/next/there', '/next/there', '/there'])
  })
})
