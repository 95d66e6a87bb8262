/** What routes ask for, through a real Envoy: asserted by what the client and the backends see. */
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { Backend, Client, proxyObject, serviceObjects, settled, translateFor } from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const told = `responseHeadersPolicy: {set: [{name: X-Told, value: 'yes'}]}`
const one = 'services: [{name: one, port: 80}]'
/** Of requests for `/INDEX/x`. */
const moves: readonly (readonly [policy: string, status: number, location: string])[] = [
  ['statusCode: 301, hostname: new.test', 301, 'http://new.test/0/x'],
  ['statusCode: 302, port: 8080', 302, 'http://moved.test:8080/1/x'],
  ['statusCode: 303, path: /there', 303, 'http://moved.test/there'],
  ['statusCode: 307, prefix: /there', 307, 'http://moved.test/there/x'],
  ['statusCode: 308, scheme: https', 308, 'https://moved.test/4/x'],
  ['scheme: https', 302, 'https://moved.test/5/x'],
]
const both = 'services: [{name: pair, port: 80}]'

const objects = (one_: Backend, two: Backend, sick: Backend, well: Backend) =>
  [
    serviceObjects('one', [{ http: one_.port }]),
    serviceObjects('two', [{ http: two.port }]),
    serviceObjects('pair', [{ http: one_.port }, { http: two.port }]),
    serviceObjects('checked', [
      { http: one_.port, health: sick.port },
      { http: two.port, health: well.port },
    ]),
    proxyObject('usual', `routes: [{${one}}]`),
    proxyObject(
      'headers',
      `routes: [{requestHeadersPolicy: {set: [{name: X-Set, value: 'ns=%CONTOUR_NAMESPACE% 100% %REQ(X-Own)%'},
       {name: X-Own, value: new}, {name: X-Path, value: '%REQ(X_None?:path):4%'}], remove: [X-Secret]}, responseHeadersPolicy: {set: [{name: X-Answer, value: yes}],
       remove: [X-Internal]}, services: [{name: one, port: 80, requestHeadersPolicy: {set: [{name: X-Service,
       value: '%CONTOUR_SERVICE_NAME%:%CONTOUR_SERVICE_PORT%'}]}}]}]`,
    ),
    proxyObject(
      'host',
      `routes: [{requestHeadersPolicy: {set: [{name: Host, value: inner.test}]}, ${one}},
       {conditions: [{prefix: /service}], services: [{name: one, port: 80, requestHeadersPolicy: {set:
       [{name: Host, value: service.test}]}}]},
       {conditions: [{prefix: /header}], requestHeadersPolicy: {set: [{name: Host, value: '%REQ(X-Host)%'}]}, ${one}}]`,
    ),
    proxyObject(
      'prefix',
      `routes: [{conditions: [{prefix: /p}], pathRewritePolicy: {replacePrefix: [{replacement: /r}]}, ${one}},
       {conditions: [{prefix: /gone}], pathRewritePolicy: {replacePrefix: [{replacement: /}]}, ${one}}]`,
    ),
    proxyObject(
      'versions',
      'includes: [{name: versioned, conditions: [{prefix: /v1}]}, {name: versioned, conditions: [{prefix: /v2}]}, {name: versioned, conditions: [{prefix: /v3}]}]',
    ),
    `---
kind: HTTPProxy
metadata: {name: versioned, namespace: web}
spec: {routes: [{pathRewritePolicy: {replacePrefix: [{prefix: /v1, replacement: /old}, {prefix: /v2, replacement: /new}]}, ${one}}]}
`,
    proxyObject(
      'answers',
      `routes: [{requestRedirectPolicy: {scheme: https, hostname: new.test, port: 8443, path: /there, statusCode: 308}},
       {conditions: [{prefix: /old}], requestRedirectPolicy: {prefix: /new}, ${told}},
       {conditions: [{prefix: /direct}], directResponsePolicy: {statusCode: 418, body: tea}, ${told}}]`,
    ),
    proxyObject(
      'moved',
      `routes: [${moves.map(([more], index) => `{conditions: [{prefix: /${index}}], requestRedirectPolicy: {${more}}}`).join(', ')}]`,
    ),
    proxyObject(
      'retries',
      `routes: [{retryPolicy: {count: 2}, ${one}}, {conditions: [{prefix: /never}], retryPolicy: {count: -1}, ${one}}]`,
    ),
    proxyObject('slow', `routes: [{timeoutPolicy: {response: 50ms}, ${one}}]`),
    proxyObject(
      'mirror',
      `routes: [{services: [{name: one, port: 80}, {name: two, port: 80, mirror: true}]}]`,
    ),
    proxyObject('sticky', `routes: [{loadBalancerPolicy: {strategy: Cookie}, ${both}}]`),
    proxyObject(
      'hash',
      `routes: [{loadBalancerPolicy: {strategy: RequestHash, requestHashPolicies: [{headerHashOptions:
       {headerName: X-User}}]}, ${both}}]`,
    ),
    proxyObject(
      'weights',
      `routes: [{services: [{name: one, port: 80, weight: 90}, {name: two, port: 80, weight: 10}]}]`,
    ),
    proxyObject(
      'checked',
      `routes: [{healthCheckPolicy: {path: /ok, host: check.test, intervalSeconds: 1, unhealthyThresholdCount: 1,
       healthyThresholdCount: 1}, services: [{name: checked, port: 80, healthPort: 81}]}]`,
    ),
    proxyObject(
      'upgrade',
      `routes: [{${one}}, {conditions: [{prefix: /socket}], enableWebsockets: true, ${one}}]`,
    ),
  ].join('')

/** All that is said to this, until the end. */
async function spoken(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(request)
  return text(socket)
}

describe.skipIf(withoutEnvoy()).each(ways)('routes, to an Envoy by way of %s', (way) => {
  const stand = new Stand()
  const first = new Backend('one')
  const second = new Backend('two')
  const sick = new Backend('sick', (_request, response) => response.writeHead(503).end())
  const well = new Backend('well')
  const backends = [first, second, sick, well]
  let client: Client

  beforeAll(async () => {
    await stand.open()
    for (const backend of backends) await backend.open()
    client = new Client(stand.httpPort)
    await stand.startEnvoy(way)
    stand.publishEach((layout) => translateFor(stand, objects(first, second, sick, well), layout))
    await eventually('settled', () => settled(stand))
    await eventually('the port opens', () => stand.http('answers.test'))
  }, 60_000)

  afterAll(async () => {
    client.close()
    await stand.close()
    for (const backend of backends) backend.close()
  })

  test('a backend is told who asks by which way, in what request, and since when', async () => {
    const headers = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'https', 'x-request-id': 'mine' }
    await client.send('usual.test', { headers })
    const seen = first.last.headers
    expect(seen).toMatchObject({ 'x-forwarded-proto': 'http', 'x-request-id': 'mine' })
    // Of a client on the loopback an address of the machine is told.
    expect(seen['x-forwarded-for']).toMatch(/^192\.0\.2\.7,[^,]+$/)
    expect(seen['x-request-start']).toMatch(/^t=\d{10}\.\d{3}$/)
  })

  test('answers are compressed for those who take it, and HTTP/1.0 is spoken', async () => {
    const long = 'a long text '.repeat(20)
    first.answer = (_request, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(long)
    const zipped = await client.send('usual.test', { headers: { 'accept-encoding': 'gzip' } })
    const plain = await client.send('usual.test')
    const old = await spoken(stand.httpPort, 'GET / HTTP/1.0\r\nHost: usual.test\r\n\r\n')
    first.answer = (_request, response) => response.end('one')
    expect(zipped.headers['content-encoding']).toBe('gzip')
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(plain.body).toBe(long)
    expect(old).toMatch(/^HTTP\/1\.[01] 200 /)
    expect(old).toContain(long)
  })

  test('header rules change what backend and client see', async () => {
    first.answer = (_request, response) => response.writeHead(200, { 'x-internal': 'secret' }).end('one')
    const headers = { 'X-Own': 'mine', 'X-Secret': 'secret' }
    const { headers: got } = await client.send('headers.test', { path: '/way/on', headers })
    first.answer = (_request, response) => response.end('one')
    expect(first.last.headers).toMatchObject({
      'x-set': 'ns=web 100% mine',
      'x-own': 'new',
      'x-service': 'one:80',
      'x-path': '/way',
    })
    expect(first.last.headers['x-secret']).toBeUndefined()
    expect(got['x-answer']).toBe('yes')
    expect(got['x-internal']).toBeUndefined()
  })

  test('the host is rewritten by route, by service, and from a header', async () => {
    await client.send('host.test')
    expect(first.last.headers.host).toBe('inner.test')
    await client.send('host.test', { path: '/service' })
    expect(first.last.headers.host).toBe('service.test')
    await client.send('host.test', { path: '/header', headers: { 'X-Host': 'asked.test' } })
    expect(first.last.headers.host).toBe('asked.test')
  })

  test.each([
    ['/p', '/r'],
    ['/p/', '/r/'],
    ['/p/x?y', '/r/x?y'],
    ['/gone', '/'],
    ['/gone/', '/'],
    ['/gone/x', '/x'],
  ])('prefix rewrite: %s arrives as %s', async (path, arrives) => {
    await client.send('prefix.test', { path })
    expect(first.last.url).toBe(arrives)
  })

  test.each([
    ['/v1/x', '/old/x'],
    ['/v2/x', '/new/x'],
    ['/v3/x', '/v3/x'],
  ])(
    'the prefix of the include that a request came by is rewritten: %s arrives as %s',
    async (path, arrives) => {
      await client.send('versions.test', { path })
      expect(first.last.url).toBe(arrives)
    },
  )

  test('redirects and direct answers', async () => {
    const { status, headers } = await client.send('answers.test', { path: '/x?y' })
    expect([status, headers.location]).toEqual([308, 'https://new.test:8443/there?y'])
    const kept = await client.send('answers.test', { path: '/old/x' })
    expect([kept.status, kept.headers.location]).toEqual([302, 'http://answers.test/new/x'])
    expect(kept.headers['x-told']).toBe('yes')
    const direct = await client.send('answers.test', { path: '/direct' })
    expect([direct.status, direct.body]).toEqual([418, 'tea'])
    expect(direct.headers['x-told']).toBe('yes')
  })

  test.each(moves.map((row, index) => [...row, index] as const))(
    'a redirect with %s is %i to %s',
    async (_policy, status, location, index) => {
      const answer = await client.send('moved.test', { path: `/${index}/x` })
      expect([answer.status, answer.headers.location]).toEqual([status, location])
    },
  )

  test('a flaky backend is tried again as often as asked', async () => {
    const before = first.seen.length
    const fail = (times: number): void => {
      let left = times
      first.answer = (_request, response) => response.writeHead(left-- > 0 ? 503 : 200).end('one')
    }
    fail(2)
    expect((await client.send('retries.test')).status).toBe(200)
    expect(first.seen.length - before).toBe(3)
    fail(1)
    expect((await client.send('retries.test', { path: '/never' })).status).toBe(503)
    fail(0)
  })

  test('an answer that comes too late is a 504', async () => {
    first.answer = (_request, response) => void setTimeout(() => response.end('late'), 3000)
    const { status } = await client.send('slow.test')
    first.answer = (_request, response) => response.end('one')
    expect(status).toBe(504)
  })

  test('the mirror gets a copy, and the client the answer of the other', async () => {
    const { body } = await client.send('mirror.test', { path: '/copied' })
    expect(body).toBe('one')
    const copy = await eventually('the copy', () => second.seen.find(({ url }) => url === '/copied'))
    expect(copy.headers.host).toBe('mirror.test-shadow')
  })

  test('a session cookie brings the client back to its backend', async () => {
    const { headers, body } = await client.send('sticky.test')
    const [cookie = '', ...attributes] = String(headers['set-cookie']?.[0]).split('; ')
    expect(attributes).toEqual(['Path=/', 'HttpOnly'])
    expect(cookie).toMatch(/^X-Contour-Session-Affinity="?[0-9a-f]+"?$/)
    const again = await Promise.all(
      Array.from({ length: 20 }, () => client.send('sticky.test', { headers: { cookie } })),
    )
    expect(new Set(again.map((each) => each.body))).toEqual(new Set([body]))
  })

  test('the hash of a header chooses the backend', async () => {
    const by = async (user: string) => (await client.send('hash.test', { headers: { 'X-User': user } })).body
    // An odd number, so that two rounds by turns are not alike.
    const users = Array.from({ length: 21 }, (_, index) => `user-${index}`)
    const chosen = await Promise.all(users.map(by))
    expect(new Set(chosen)).toEqual(new Set(['one', 'two']))
    expect(await Promise.all(users.map(by))).toEqual(chosen)
  })

  // A small sample is off by chance once in 600 times, and then asked for more: of 8,000 not once in 10^15.
  test('weights are kept within 3 %', async () => {
    const counts: Record<string, number> = { one: 0, two: 0 }
    const some = async (): Promise<void> => {
      for (let index = 0; index < 100; index += 1) {
        const { body } = await client.send('weights.test')
        counts[body] = (counts[body] ?? 0) + 1
      }
    }
    const off = (all: number): number => Math.abs((counts['two'] ?? 0) / all - 0.1)
    let all = 0
    do {
      await Promise.all(Array.from({ length: 10 }, some))
      all += 1000
    } while (off(all) >= 0.03 && all < 8000)
    expect(off(all)).toBeLessThan(0.03)
    expect((counts['one'] ?? 0) + (counts['two'] ?? 0)).toBe(all)
  })

  test('an endpoint whose health port fails gets nothing', async () => {
    const asked = await eventually('a check', () => well.seen[0])
    expect([asked.url, asked.headers.host]).toEqual(['/ok', 'check.test'])
    const bodies = await eventually('only the healthy one', async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => client.send('checked.test')))
      const seen = answers.map(({ body }) => body)
      return seen.every((body) => body === 'two') ? seen : undefined
    })
    expect(bodies).toHaveLength(10)
  })

  test('only a route that allows it is upgraded to a websocket, and frames go both ways', async () => {
    const { status, websocket } = await client.upgrade('upgrade.test', '/socket')
    expect(status).toBe(101)
    // Longer than the buffers on the way.
    const texts = ['first', 'x'.repeat(200_000), 'last']
    for (const text of texts) websocket?.send(text)
    await eventually('all are answered', () =>
      websocket?.received.length === texts.length ? true : undefined,
    )
    expect(websocket?.received).toEqual(texts.map((text) => `one: ${text}`))
    expect(first.websocket?.received).toEqual(texts)
    first.websocket?.send('unasked')
    await eventually('the backend speaks first', () =>
      websocket?.received.at(-1) === 'unasked' ? true : undefined,
    )
    websocket?.end()
    await eventually('the end arrives', () => (first.websocket?.ended ? true : undefined))
    websocket?.destroy()
    expect(await client.upgrade('upgrade.test', '/other')).toEqual({ status: 403, websocket: undefined })
    expect(first.seen.filter(({ url }) => url === '/other')).toEqual([])
  })
})
