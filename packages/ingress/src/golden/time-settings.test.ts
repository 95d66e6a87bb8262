/**
 * `timeouts` of the configuration through a real Envoy, as its clients see them: each lets come what would not come
 * within the test without it, or not so. `request-timeout` has a file of its own.
 */
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import { publishWith, RawClient } from './settings-traffic.ts'
import { Backend, Client, proxyObject, serviceObjects } from './traffic.ts'
import { Unaccepting } from './unaccepting.ts'

const delayedMs = 5000
const graceMs = 8000

/** What is of no use to the other's tests would be in their way. */
const [ofRequests, ofConnections] = [
  `timeouts: {connection-idle-timeout: 1s, stream-idle-timeout: 1s, delayed-close-timeout: ${delayedMs}ms, connect-timeout: 1m,
   connection-shutdown-grace-period: 100ms}`,
  `timeouts: {max-connection-duration: 1s, connection-shutdown-grace-period: ${graceMs}ms, connect-timeout: 500ms}`,
]

const toFull = 'services: [{name: full, port: 80}]'

const objects = (backend: number, full: number) =>
  [
    serviceObjects('one', [{ http: backend }]),
    serviceObjects('full', [{ http: full }]),
    proxyObject('quick', 'routes: [{services: [{name: one, port: 80}]}]'),
    proxyObject(
      'patient',
      'routes: [{services: [{name: one, port: 80}], timeoutPolicy: {response: infinity}}]',
    ),
    proxyObject('direct', 'routes: [{directResponsePolicy: {statusCode: 200, body: here}}]'),
    proxyObject('soon', `routes: [{${toFull}, timeoutPolicy: {response: 4s, idle: infinity}}]`),
    proxyObject('late', `routes: [{${toFull}, timeoutPolicy: {response: 40s}}]`),
  ].join('')

describe.skipIf(withoutEnvoy())('limits of time, in an Envoy', { timeout: 60_000 }, () => {
  const stands = { requests: new Stand(), connections: new Stand() }
  const backend = new Backend('one', (incoming, response) => {
    if (incoming.url !== '/never') response.end('one')
  })
  const full = new Unaccepting()

  beforeAll(async () => {
    await Promise.all([backend.open(), full.open()])
    const start = async (stand: Stand, file: string) => {
      await stand.open()
      await stand.startEnvoy()
      await publishWith(stand, objects(backend.port, full.port), file)
      await eventually('direct answers', () => stand.http('direct.test'))
      stand.hangUp()
    }
    await Promise.all([start(stands.requests, ofRequests), start(stands.connections, ofConnections)])
  }, 60_000)

  afterAll(async () => {
    await Promise.all([full.close(), ...Object.values(stands).map((stand) => stand.close())])
    backend.close()
  })

  test.concurrent('nothing of it is refused', () => {
    expect(Object.values(stands).map(({ refused }) => refused)).toEqual([[], []])
  })

  test.concurrent('connection-idle-timeout: a connection without a request is closed', async () => {
    const raw = new RawClient(stands.requests.httpPort)
    expect(await raw.ask('quick.test')).toBe(200)
    if (!raw.socket.closed) await once(raw.socket, 'close')
  })

  test.concurrent('stream-idle-timeout: a request on which nothing moves is ended', async () => {
    const client = new Client(stands.requests.httpPort)
    const { status, body } = await client.send('patient.test', { path: '/never' })
    client.close()
    expect([status, body]).toEqual([504, 'stream timeout'])
  })

  test.concurrent('delayed-close-timeout: who still sends after the answer has as long to read it', async () => {
    const raw = new RawClient(stands.requests.httpPort)
    expect(await raw.ask('direct.test', 'content-length: 10\r\n', 'half')).toBe(200)
    const answered = performance.now()
    if (!raw.socket.closed) await once(raw.socket, 'close')
    // A second, where nothing is said.
    expect(performance.now() - answered).toBeGreaterThan(delayedMs / 2)
  })

  test.concurrent('connect-timeout: a backend that takes no connection is waited for', async () => {
    const [short, long] = [new Client(stands.connections.httpPort), new Client(stands.requests.httpPort)]
    const late = await short.send('late.test')
    expect([late.status, late.body]).toEqual([503, expect.stringContaining('connection timeout')])
    // Two seconds, where nothing is said: that were 503, too.
    const soon = await long.send('soon.test')
    expect([soon.status, soon.body]).toEqual([504, 'upstream request timeout'])
    for (const client of [short, long]) client.close()
  })

  test.concurrent('max-connection-duration: a connection in use is closed, too', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = async () => {
      const at = { host: '127.0.0.1', port: stands.connections.httpPort, agent }
      const call = request({ ...at, headers: { host: 'quick.test' } }).end()
      const [response] = await once(call, 'response')
      response.resume()
      await once(response, 'end')
      return response.headers.connection
    }
    expect(await ask()).toBeUndefined()
    await expect.poll(ask, { interval: 100 }).toBe('close')
    agent.destroy()
  })

  test.concurrent('connection-shutdown-grace-period: between the first and the last word of an end', async () => {
    const session = connectHttp2(`http://127.0.0.1:${stands.connections.httpPort}`)
    // It holds the connection.
    const stream = session.request({ ':path': '/never', ':authority': 'patient.test' })
    stream.on('error', () => undefined)
    const words: number[] = []
    const both = new Promise<void>((resolve) => {
      session.on('goaway', () => {
        if (words.push(performance.now()) === 2) resolve()
      })
    })
    await both
    session.destroy()
    const [first = 0, last = 0] = words
    // Five seconds, where nothing is said.
    expect(last - first).toBeGreaterThan(graceMs - 2000)
  })
})
