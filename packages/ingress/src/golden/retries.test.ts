/** `retryOn`: which failures of a backend are tried again, through a real Envoy, and which the client is told. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants, createServer, type Http2Server } from 'node:http2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import { Backend, Client, proxyObject, serviceObjects, settled, translateFor } from './traffic.ts'

const grpcWords = ['cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable']
const words = [
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'envoy-ratelimited',
  'retriable-4xx',
  'retriable-headers',
  'http3-post-connect-failure',
  ...grpcWords,
]

/** Below those that are given out by chance: nobody comes to listen. */
const closedPort = 1

const route = (prefix: string, on: string, service = 'one') =>
  `{conditions: [{prefix: /${prefix}/}], retryPolicy: {count: 3, retryOn: [${on}]},
   services: [{name: ${service}, port: 80}]}`

const objects = (one: number, http2: number) =>
  [
    serviceObjects('one', [{ http: one }]),
    serviceObjects('halves', [{ http: one }, { http: closedPort }]),
    serviceObjects('streams', [{ http: http2 }]),
    proxyObject(
      'one',
      `routes: [${[
        ...words.map((word) => route(word, word)),
        route('several', 'gateway-error, retriable-4xx'),
        `{conditions: [{prefix: /codes/}], retryPolicy: {retryOn: [retriable-status-codes],
          retriableStatusCodes: [404, 418]}, services: [{name: one, port: 80}]}`,
      ].join(', ')}]`,
    ),
    proxyObject(
      'halves',
      `routes: [${words.map((word) => route(word, word, 'halves')).join(', ')}, {services: [{name: halves, port: 80}]}]`,
    ),
    proxyObject(
      'streams',
      `routes: [${['refused-stream', 'retriable-4xx']
        .map((word) => route(word, word, 'streams, protocol: h2c'))
        .join(', ')}]`,
    ),
  ].join('')

/** How the first try of a path goes, by its last piece; the second is answered. */
const failures: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  reset: ({ socket }) => void socket.destroy(),
  limited: (_request, response) =>
    void response.writeHead(429, { 'x-envoy-ratelimited': 'true' }).end('failed'),
}

function fail(how: string, request: IncomingMessage, response: ServerResponse): void {
  const [, grpcStatus] = /^grpc-(\d+)$/.exec(how) ?? []
  const own = failures[how]
  if (own !== undefined) own(request, response)
  else if (grpcStatus !== undefined) response.writeHead(200, { 'grpc-status': grpcStatus }).end('failed')
  else response.writeHead(Number(how)).end('failed')
}

describe.skipIf(withoutEnvoy())('retries', () => {
  const stand = new Stand()
  const tries = new Map<string, number>()
  const one = new Backend('one', (request, response) => {
    const { url = '' } = request
    const before = tries.get(url) ?? 0
    tries.set(url, before + 1)
    const how = url.split('/').at(-1) ?? ''
    if (before === 0 && how !== '') fail(how, request, response)
    else response.end('second')
  })
  const http2: Http2Server = createServer()
  let client: Client

  /** The status that the client sees, and how often the backend was asked. */
  async function tried(path: string): Promise<readonly [status: number, tries: number | undefined]> {
    tries.delete(path)
    const { status } = await client.send('one.test', { path })
    return [status, tries.get(path)]
  }

  beforeAll(async () => {
    await stand.open()
    await Promise.all([one.open(), once(http2.listen(0, '127.0.0.1'), 'listening')])
    const address = http2.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    await stand.startEnvoy()
    const text = objects(one.port, address.port)
    stand.publishEach((layout) => translateFor(stand, text, layout))
    await eventually('settled', () => settled(stand))
    await eventually('the port opens', () => stand.http('one.test'))
    client = new Client(stand.httpPort)
  }, 60_000)

  afterAll(async () => {
    client.close()
    await stand.close()
    one.close()
    http2.close()
  })

  test.each([
    ['5xx', '500'],
    ['5xx', 'reset'],
    ['gateway-error', '502'],
    ['gateway-error', '503'],
    ['gateway-error', '504'],
    ['reset', 'reset'],
    ['envoy-ratelimited', 'limited'],
    ['retriable-4xx', '409'],
    ['several', '502'],
    ['several', '409'],
    ['codes', '404'],
    ['codes', '418'],
    ['cancelled', 'grpc-1'],
    ['deadline-exceeded', 'grpc-4'],
    ['resource-exhausted', 'grpc-8'],
    ['internal', 'grpc-13'],
    ['unavailable', 'grpc-14'],
  ])('%s: %s is tried again', async (on, how) => {
    expect(stand.refused).toEqual([])
    expect(await tried(`/${on}/${how}`)).toEqual([200, 2])
  })

  test.each([
    ['5xx', '404'],
    ['gateway-error', '500'],
    ['reset', '503'],
    ['reset-before-request', 'reset'],
    ['connect-failure', 'reset'],
    ['connect-failure', '503'],
    ['envoy-ratelimited', '429'],
    ['retriable-4xx', '404'],
    ['retriable-4xx', '500'],
    ['retriable-headers', '500'],
    ['http3-post-connect-failure', '503'],
    ['several', '500'],
    ['codes', '503'],
    ['codes', '409'],
    ['unavailable', 'grpc-13'],
    ['cancelled', '503'],
  ])('%s: %s is what the client is told', async (on, how) => {
    const status = how === 'reset' ? 503 : how.startsWith('grpc') ? 200 : Number(how)
    expect(await tried(`/${on}/${how}`)).toEqual([status, 1])
  })

  test.each(['5xx', 'gateway-error', 'reset', 'reset-before-request', 'connect-failure'])(
    '%s: an endpoint that refuses connections is no matter while there is another',
    async (on) => {
      for (let n = 0; n < 10; n++)
        expect((await client.send('halves.test', { path: `/${on}/` })).status).toBe(200)
    },
  )

  test.each(['', 'retriable-4xx/', 'unavailable/'])(
    'an endpoint that refuses connections is 503 with /%s',
    async (path) => {
      const statuses = new Set<number>()
      for (let n = 0; n < 10; n++)
        statuses.add((await client.send('halves.test', { path: `/${path}` })).status)
      expect(statuses).toEqual(new Set([200, 503]))
    },
  )

  test('refused-stream: what a backend by HTTP/2 refuses is tried again, and with no other word', async () => {
    const seen: string[] = []
    http2.removeAllListeners('stream').on('stream', (stream, { ':path': path = '' }) => {
      stream.on('error', () => undefined)
      seen.push(path)
      if (seen.filter((one) => one === path).length === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM)
      else {
        stream.respond({ ':status': 200 })
        stream.end('second')
      }
    })
    const status = async (path: string) => (await client.send('streams.test', { path })).status
    expect(await status('/refused-stream/')).toBe(200)
    expect(await status('/retriable-4xx/')).toBe(503)
    expect(seen).toEqual(['/refused-stream/', '/refused-stream/', '/retriable-4xx/'])
  })
})
