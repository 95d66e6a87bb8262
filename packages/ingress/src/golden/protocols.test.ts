/** What clients and backends that speak more than HTTP/1.1 see through a real Envoy, and how long a try and a silence last. */
import { once } from 'node:events'
import { request } from 'node:http'
import {
  connect,
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { Backend, Client, pairOf, proxyObject, serviceObjects, settled, translateFor } from './traffic.ts'

/** Of one request over HTTP/2. */
interface Got {
  readonly headers: IncomingHttpHeaders
  readonly trailers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A message of gRPC: no compression, its length, itself. */
function framed(text: string, flag = 0): Buffer {
  const body = Buffer.from(text)
  const head = Buffer.alloc(5)
  head.writeUInt8(flag)
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body])
}

/** Answers as a gRPC server does, and notes what it was asked. */
class GrpcBackend {
  readonly seen: IncomingHttpHeaders[] = []
  port = 0
  readonly #server: Http2Server

  constructor(pair?: { readonly cert: string; readonly key: string }) {
    this.#server =
      pair === undefined ? createServer() : createSecureServer({ ...pair, minVersion: 'TLSv1.3' })
    this.#server.on('stream', (stream: ServerHttp2Stream, headers) => {
      this.seen.push(headers)
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.end(framed('pong'))
    })
  }

  async open(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    this.port = address.port
    return this
  }

  close(): void {
    this.#server.close()
  }
}

async function grpc(port: number, host: string): Promise<Got> {
  const session = connect(`http://127.0.0.1:${port}`)
  try {
    const call = session.request({
      ':method': 'POST',
      ':path': '/a.Service/Method',
      ':authority': host,
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    let [headers, trailers]: IncomingHttpHeaders[] = [{}, {}]
    const parts: Buffer[] = []
    call.on('response', (got) => (headers = got)).on('trailers', (got) => (trailers = got))
    call.on('data', (part: Buffer) => parts.push(part))
    call.end(framed('ping'))
    await once(call, 'close')
    return { headers: headers ?? {}, trailers: trailers ?? {}, body: Buffer.concat(parts) }
  } finally {
    session.destroy()
  }
}

/** Over HTTP/1.1, as scripts in browsers do. */
function grpcWeb(port: number, host: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers = { host, 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' }
    const options = {
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/a.Service/Method',
      headers,
      agent: false,
    }
    const call = request(options, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => resolve(Buffer.concat(parts)))
    })
    call.once('error', reject)
    call.end(framed('ping'))
  })
}

const ways: readonly Way[] = ['delta', 'streams']
const checked = 'healthCheckPolicy: {path: /healthy, intervalSeconds: 1}'

describe.skipIf(withoutEnvoy()).each(ways)('an Envoy by way of %s', (way) => {
  const stand = new Stand()
  const [plain, secure] = [new GrpcBackend(), new GrpcBackend(pairOf('server'))]
  const slow = new Backend('slow')
  const health = new Backend('health', undefined, pairOf('server'))
  let client: Client | undefined

  beforeAll(async () => {
    await stand.open()
    await Promise.all([plain.open(), secure.open(), slow.open(), health.open()])
    await stand.startEnvoy(way)
    const objects =
      serviceObjects('plain', [{ http: plain.port }]) +
      serviceObjects('secure', [{ http: secure.port }]) +
      serviceObjects('slow', [{ http: slow.port }]) +
      serviceObjects('apart', [{ http: secure.port, health: health.port }]) +
      proxyObject(
        'apart',
        `routes: [{${checked}, services: [{name: apart, port: 80, protocol: h2, healthPort: 81}]}]`,
      ) +
      proxyObject('grpc', 'routes: [{services: [{name: plain, port: 80, protocol: h2c}]}]') +
      proxyObject('tls', 'routes: [{services: [{name: secure, port: 80, protocol: h2}]}]') +
      proxyObject('checked', `routes: [{${checked}, services: [{name: plain, port: 80, protocol: h2c}]}]`) +
      proxyObject(
        'tls-checked',
        `routes: [{${checked}, services: [{name: secure, port: 80, protocol: h2}]}]`,
      ) +
      proxyObject(
        'tries',
        `routes: [{retryPolicy: {count: 1, perTryTimeout: 1s}, services: [{name: slow, port: 80}]},
         {conditions: [{prefix: /silent}], timeoutPolicy: {response: infinity, idle: 100ms}, services: [{name: slow, port: 80}]},
         {conditions: [{prefix: /idle}], timeoutPolicy: {idleConnection: 100ms}, services: [{name: slow, port: 80}]}]`,
      )
    stand.publishEach((layout) => translateFor(stand, objects, layout))
    await eventually('settled', () => settled(stand))
    await eventually('the port opens', () => stand.http('tries.test', '/idle'))
    client = new Client(stand.httpPort)
  }, 60_000)
  afterAll(async () => {
    client?.close()
    for (const backend of [plain, secure, slow, health]) backend.close()
    await stand.close()
  })

  test.each([
    ['grpc.test', plain],
    ['tls.test', secure],
  ])('gRPC goes through %s by HTTP/2, over TLS by 1.3, trailers and all', async (host, backend) => {
    const { headers, trailers, body } = await eventually('answered', async () => {
      const got = await grpc(stand.httpPort, host)
      return Number(got.headers[':status']) === 200 ? got : undefined
    })
    expect(headers['content-type']).toBe('application/grpc')
    expect(trailers['grpc-status']).toBe('0')
    expect(body).toEqual(framed('pong'))
    expect(backend.seen.at(-1)).toMatchObject({ ':path': '/a.Service/Method', ':authority': host })
  })

  test.each([
    ['checked.test', plain],
    ['tls-checked.test', secure],
  ])('the backend of %s, which speaks HTTP/2 alone, is found healthy', async (host, backend) => {
    const { body } = await eventually('answered', async () => {
      const got = await grpc(stand.httpPort, host)
      // Envoy's own refusal has status 200 too.
      return got.body.length > 0 ? got : undefined
    })
    expect(body).toEqual(framed('pong'))
    expect(backend.seen).toContainEqual(expect.objectContaining({ ':path': '/healthy' }))
  })

  test('a port of its own for health checks is asked by HTTP/1.1, in the handshake too', async () => {
    const { body } = await eventually('answered', async () => {
      const got = await grpc(stand.httpPort, 'apart.test')
      return got.body.length > 0 ? got : undefined
    })
    expect(body).toEqual(framed('pong'))
    expect(health.last.url).toBe('/healthy')
  })

  test('gRPC-Web over HTTP/1.1 is gRPC to the backend, and its trailers are a part of the body', async () => {
    const body = await grpcWeb(stand.httpPort, 'grpc.test')
    expect(plain.seen.at(-1)?.['content-type']).toBe('application/grpc')
    const message = framed('pong')
    expect(body.subarray(0, message.length)).toEqual(message)
    expect(body[message.length]).toBe(0x80)
    expect(body.subarray(message.length + 5).toString()).toMatch(/grpc-status:\s?0/)
  })

  test('a try that takes too long is followed by another', async () => {
    let tries = 0
    slow.answer = (_request, response) => {
      if (tries++ > 0) response.end('second')
    }
    expect(await client?.send('tries.test')).toMatchObject({ status: 200, body: 'second' })
    expect(tries).toBe(2)
  })

  test('a backend that says nothing is left after the time of the route, though an answer may take for ever', async () => {
    slow.answer = () => undefined
    const started = performance.now()
    const answer = await client?.send('tries.test', { path: '/silent' })
    expect(answer?.status).toBe(504)
    expect(performance.now() - started).toBeGreaterThan(90)
  })

  test('a connection to a backend that nothing uses is closed after the time of the route, and no other', async () => {
    const open = new Set<string | undefined>()
    slow.answer = ({ url, socket }, response) => {
      open.add(url)
      socket.once('close', () => open.delete(url))
      response.end('one')
    }
    for (const path of ['/', '/idle']) await client?.send('tries.test', { path })
    await eventually('closed', () => (open.has('/idle') ? undefined : true))
    expect([...open]).toEqual(['/'])
  })
})
