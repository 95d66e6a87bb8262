/** CORS, local rate limits, address filters and cookies through a real Envoy: what the client and the backend see. */
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultListenerOptions, type ListenerOptions } from '../envoy/options.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { Backend, Client, proxyObject, serviceObjects, settled, translateFor } from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const one = 'services: [{name: one, port: 80}]'
const redirect = 'requestRedirectPolicy: {path: /elsewhere}'
const direct = 'directResponsePolicy: {statusCode: 200, body: tea}'
const here = '[{source: Peer, cidr: 127.0.0.1}]'
const once =
  '{local: {requests: 1, unit: hour, responseStatusCode: 503, responseHeadersToAdd: [{name: X-Full, value: yes}]}}'

const objects = (port: number) =>
  [
    serviceObjects('one', [{ http: port }]),
    proxyObject(
      'cors',
      `routes: [{${one}}]`,
      `, corsPolicy: {allowOrigin: ['https://Shop.test', 'https://.*\\.shop\\.test'], allowMethods: [GET, PUT],
       allowHeaders: [X-A], exposeHeaders: [X-B], allowCredentials: true, allowPrivateNetwork: true, maxAge: 10m}`,
    ),
    proxyObject(
      'cors-any',
      `routes: [{${one}}]`,
      `, corsPolicy: {allowOrigin: ['*'], allowMethods: [GET], maxAge: '0'}`,
    ),
    proxyObject(
      'limited',
      `routes: [{${one}}, {conditions: [{prefix: /own}], rateLimitPolicy: ${once}, ${one}},
       {conditions: [{prefix: /again}], rateLimitPolicy: {local: {requests: 1, unit: second}}, ${one}}]`,
      ', rateLimitPolicy: {local: {requests: 1, unit: hour, burst: 1}}',
    ),
    proxyObject(
      'answers',
      `routes: [{conditions: [{prefix: /limited-direct}], rateLimitPolicy: ${once}, ${direct}},
       {conditions: [{prefix: /limited-redirect}], rateLimitPolicy: ${once}, ${redirect}},
       {conditions: [{prefix: /denied-direct}], ipDenyPolicy: ${here}, ${direct}},
       {conditions: [{prefix: /denied-redirect}], ipDenyPolicy: ${here}, ${redirect}}]`,
    ),
    proxyObject(
      'addresses',
      `routes: [{${one}}, {conditions: [{prefix: /own}], ipDenyPolicy: [{source: Remote, cidr: 192.0.2.0/24}], ${one}}]`,
      ', ipAllowPolicy: [{source: Peer, cidr: 10.0.0.0/8}]',
    ),
    proxyObject('remote', `routes: [{${one}}]`, ', ipAllowPolicy: [{source: Remote, cidr: 192.0.2.0/24}]'),
    proxyObject('peer', `routes: [{${one}}]`, ', ipAllowPolicy: [{source: Peer, cidr: 192.0.2.0/24}]'),
    proxyObject(
      'cookies',
      `routes: [{cookieRewritePolicies: [{name: session, secure: false, pathRewrite: {value: /route}}],
       services: [{name: one, port: 80, cookieRewritePolicies: [{name: session, domainRewrite: {value: shop.test},
       sameSite: Lax}]}]}, {conditions: [{prefix: /route}], cookieRewritePolicies: [{name: session, secure: true}],
       ${one}}]`,
    ),
  ].join('')

describe.skipIf(withoutEnvoy()).each(ways)(
  'filters, in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const stand = new Stand()
    const backend = new Backend('one')
    let client: Client

    async function publish(listeners: Partial<ListenerOptions>): Promise<void> {
      const options = { listeners: { ...defaultListenerOptions, ...own(), ...listeners } }
      stand.publishEach((layout) => translateFor(stand, objects(backend.port), layout, options))
      await eventually('settled', () => settled(stand))
    }

    function own(): Partial<ListenerOptions> {
      return {
        http: { address: '127.0.0.1', port: stand.httpPort },
        https: { address: '127.0.0.1', port: stand.httpsPort },
        stats: { address: '127.0.0.1', port: 0 },
        adminPort: 0,
        httpAccessLog: '',
        httpsAccessLog: '',
      }
    }

    /** Through a proxy that says that the client is another. */
    function proxied(host: string, client: string): Promise<number> {
      return new Promise((resolve, reject) => {
        const socket = connect(stand.httpPort, '127.0.0.1')
        let text = ''
        socket.setEncoding('utf8').on('data', (chunk) => (text += String(chunk)))
        socket.on('error', reject)
        socket.on('end', () => resolve(Number(text.split(' ')[1])))
        socket.write(`PROXY TCP4 ${client} 127.0.0.1 1 80\r\n`)
        socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
      })
    }

    beforeAll(async () => {
      await stand.open()
      await backend.open()
      client = new Client(stand.httpPort)
      await stand.startEnvoy(way)
      await publish({})
      await eventually('the port opens', () => stand.http('cookies.test'))
    }, 60_000)

    afterAll(async () => {
      client.close()
      await stand.close()
      backend.close()
    })

    test('a preflight is answered for origins that may call', async () => {
      const ask = (origin: string) =>
        client.send('cors.test', {
          method: 'OPTIONS',
          headers: { origin, 'access-control-request-method': 'PUT' },
        })
      const before = backend.seen.length
      for (const origin of ['https://shop.test', 'https://a.shop.test']) {
        const { status, headers } = await ask(origin)
        expect(status).toBe(200)
        expect(headers).toMatchObject({
          'access-control-allow-origin': origin,
          'access-control-allow-methods': 'GET,PUT',
          'access-control-allow-headers': 'X-A',
          'access-control-allow-credentials': 'true',
          'access-control-max-age': '600',
        })
      }
      expect(backend.seen.length).toBe(before)
      const foreign = await ask('https://shop.test.evil.test')
      expect(foreign.headers['access-control-allow-origin']).toBeUndefined()
      const plain = await client.send('cors.test', { headers: { origin: 'https://shop.test' } })
      expect(plain.headers['access-control-expose-headers']).toBe('X-B')
    })

    test('a page from outside is let into a private network only where that is said', async () => {
      const asked = {
        'access-control-request-method': 'GET',
        'access-control-request-private-network': 'true',
      }
      const call = { method: 'OPTIONS', headers: { origin: 'https://shop.test', ...asked } }
      const letIn = 'access-control-allow-private-network'
      expect((await client.send('cors.test', call)).headers).toMatchObject({ [letIn]: 'true' })
      const { headers } = await client.send('cors-any.test', call)
      expect(headers).toMatchObject({ 'access-control-allow-origin': 'https://shop.test' })
      expect(headers).toMatchObject({ 'access-control-max-age': '0' })
      expect(headers).not.toHaveProperty(letIn)
    })

    test('requests above the rate of the host, or of the route, are refused', async () => {
      const times = async (path: string) => [
        (await client.send('limited.test', { path })).status,
        (await client.send('limited.test', { path })).status,
        (await client.send('limited.test', { path })).status,
      ]
      expect(await times('/')).toEqual([200, 200, 429])
      expect(await times('/own')).toEqual([200, 503, 503])
      expect((await client.send('limited.test', { path: '/own' })).headers['x-full']).toBe('yes')
    })

    test('what a limit took is there again after its time', async () => {
      const until = (wanted: number) =>
        eventually(`${wanted}`, async () => {
          const { status } = await client.send('limited.test', { path: '/again' })
          return status === wanted ? status : undefined
        })
      expect([await until(429), await until(200), await until(429)]).toEqual([429, 200, 429])
    })

    test('defect 19: redirects and direct answers keep rate limits and address filters', async () => {
      const status = async (path: string) => (await client.send('answers.test', { path })).status
      expect([await status('/limited-direct'), await status('/limited-direct')]).toEqual([200, 503])
      expect([await status('/limited-redirect'), await status('/limited-redirect')]).toEqual([302, 503])
      expect(await status('/denied-direct')).toBe(403)
      expect(await status('/denied-redirect')).toBe(403)
    })

    test('cookies of the backend are rewritten by the service, then by the route', async () => {
      backend.answer = (_request, response) =>
        response
          .writeHead(200, { 'set-cookie': ['session=a=b; Path=/x; secure; HttpOnly', 'other=1; Path=/x'] })
          .end('one')
      const { headers } = await client.send('cookies.test')
      const route = await client.send('cookies.test', { path: '/route' })
      backend.answer = (_request, response) => response.end('one')
      expect(headers['set-cookie']).toEqual([
        'session=a=b; HttpOnly; Path=/route; Domain=shop.test; SameSite=Lax',
        'other=1; Path=/x',
      ])
      expect(route.headers['set-cookie']).toEqual([
        'session=a=b; Path=/x; HttpOnly; Secure',
        'other=1; Path=/x',
      ])
    })

    test('only allowed addresses are served; the list of a route replaces that of its host', async () => {
      const forwarded = { 'x-forwarded-for': '192.0.2.7' }
      expect((await client.send('addresses.test')).status).toBe(403)
      expect((await client.send('addresses.test', { path: '/own' })).status).toBe(200)
      expect((await client.send('addresses.test', { path: '/own', headers: forwarded })).status).toBe(200)
      expect((await client.send('remote.test', { headers: forwarded })).status).toBe(403)
    })

    test('behind a trusted proxy the client is who X-Forwarded-For says', async () => {
      await publish({ trustedHops: 1 })
      const forwarded = { 'x-forwarded-for': '192.0.2.7' }
      const status = await eventually('the new listener', async () => {
        const fresh = new Client(stand.httpPort)
        const { status } = await fresh.send('remote.test', { headers: forwarded })
        fresh.close()
        return status === 200 ? status : undefined
      })
      expect(status).toBe(200)
      expect((await client.send('peer.test', { headers: forwarded })).status).toBe(403)
    })

    test('behind the PROXY protocol the client is who it says, and the peer is the proxy', async () => {
      await publish({ useProxyProtocol: true })
      await eventually('the new listener', async () =>
        (await proxied('remote.test', '192.0.2.7')) === 200 ? true : undefined,
      )
      expect(await proxied('remote.test', '192.0.3.7')).toBe(403)
      expect(await proxied('peer.test', '192.0.2.7')).toBe(403)
    })
  },
)
