/** Limits of connections and buffers in the configuration, through a real Envoy, as its clients and backends see them. */
import { once } from 'node:events'
import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, type RealEnvoy, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import { publishWith, RawClient } from './settings-traffic.ts'
import { Backend, Client, proxyObject, serviceObjects } from './traffic.ts'

const ofListener = `max-requests-per-connection: 3, per-connection-buffer-limit-bytes: 16384, http2-max-concurrent-streams: 5,
  max-requests-per-io-cycle: 1, max-connections-to-accept-per-socket-event: 1`
const ofCluster = 'max-requests-per-connection: 2, per-connection-buffer-limit-bytes: 32768'
const limits = `
listener: {${ofListener}}
cluster: {${ofCluster}}
`
const breakers = 'cluster: {circuit-breakers: {max-connections: 1, max-pending-requests: 1}}'

const objects = (port: number) =>
  [
    ...['one', 'upload'].map((name) => serviceObjects(name, [{ http: port }])),
    proxyObject('one', 'routes: [{services: [{name: one, port: 80}]}]'),
    proxyObject('upload', 'routes: [{services: [{name: upload, port: 80}]}]'),
    proxyObject(
      'again',
      'routes: [{services: [{name: one, port: 80}], retryPolicy: {count: 1, retryOn: [5xx]}}]',
    ),
    proxyObject('direct', 'routes: [{directResponsePolicy: {statusCode: 200, body: here}}]'),
  ].join('')

describe.skipIf(withoutEnvoy())('limits of the configuration, in an Envoy', { timeout: 60_000 }, () => {
  const stand = new Stand()
  const usual = (incoming: IncomingMessage, response: ServerResponse): void => {
    incoming.resume().on('end', () => response.end('one'))
  }
  const backend = new Backend('one', usual)
  let envoy: RealEnvoy

  const publish = (file: string) => publishWith(stand, objects(backend.port), file)

  beforeAll(async () => {
    await stand.open()
    await backend.open()
    envoy = await stand.startEnvoy()
    await publish(limits)
    await eventually('direct answers', () => stand.http('direct.test'))
    stand.hangUp()
  }, 60_000)

  afterAll(async () => {
    await stand.close()
    backend.close()
  })

  test('a connection of a client is good for so many requests, and has so many streams at a time', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = async () => {
      const at = { host: '127.0.0.1', port: stand.httpPort, agent }
      const call = request({ ...at, headers: { host: 'direct.test' } }).end()
      const [response] = await once(call, 'response')
      response.resume()
      await once(response, 'end')
      return response.headers.connection
    }
    const said = [await ask(), await ask(), await ask(), await ask()]
    expect(said).toEqual([undefined, undefined, 'close', undefined])
    agent.destroy()

    const session = connectHttp2(`http://127.0.0.1:${stand.httpPort}`)
    if (session.remoteSettings?.maxConcurrentStreams !== 5) await once(session, 'remoteSettings')
    expect(session.remoteSettings.maxConcurrentStreams).toBe(5)
    session.destroy()
  })

  test('requests that come together, one a turn, and connections that come together, are all served', async () => {
    expect(JSON.parse(await envoy.admin('/runtime')).entries['http.max_requests_per_io_cycle']).toMatchObject(
      {
        final_value: '1',
      },
    )
    const session = connectHttp2(`http://127.0.0.1:${stand.httpPort}`)
    const statuses = Array.from({ length: 3 }, async () => {
      const stream = session.request({ ':authority': 'direct.test' })
      const [headers] = await once(stream, 'response')
      return headers[':status']
    })
    expect(await Promise.all(statuses)).toEqual([200, 200, 200])
    session.destroy()
    const raws = Array.from({ length: 20 }, () => new RawClient(stand.httpPort))
    const answered = await Promise.all(raws.map((raw) => raw.ask('direct.test')))
    expect(answered).toEqual(raws.map(() => 200))
    for (const { socket } of raws) socket.destroy()
  })

  test('a connection to a backend is good for so many requests', async () => {
    const client = new Client(stand.httpPort)
    const ports: (number | undefined)[] = []
    backend.answer = ({ socket }, response) => {
      ports.push(socket.remotePort)
      response.end('one')
    }
    for (let n = 0; n < 6; n++) await client.send('one.test')
    backend.answer = usual
    client.close()
    expect(new Set(ports).size).toBe(3)
    expect([ports[1], ports[3], ports[5]]).toEqual([ports[0], ports[2], ports[4]])
  })

  test('what a connection of a client may hold bounds the bodies that are sent again', async () => {
    const client = new Client(stand.httpPort)
    const seen = new Set<string>()
    backend.answer = (incoming, response) => {
      const first = !seen.has(incoming.url ?? '')
      seen.add(incoming.url ?? '')
      incoming.resume().on('end', () => response.writeHead(first ? 503 : 200).end())
    }
    const status = async (path: string, bytes: number) =>
      (await client.send('again.test', { path, method: 'POST', body: 'x'.repeat(bytes) })).status
    expect([await status('/small', 4096), await status('/large', 65_536)]).toEqual([200, 503])
    backend.answer = usual
    client.close()
  })

  test('what a connection to a backend may hold is not more, when the backend does not read', async () => {
    backend.answer = () => undefined
    const at = { host: '127.0.0.1', port: stand.httpPort, agent: false, path: '/', method: 'POST' }
    const call = request({ ...at, headers: { host: 'upload.test' } }).on('error', () => undefined)
    const chunk = Buffer.alloc(1 << 20)
    const write = (): void => {
      while (call.write(chunk));
    }
    call.on('drain', write)
    write()
    const held = () => envoy.stat('cluster.web_upload_80.upstream_cx_tx_bytes_buffered')
    const paused = () => envoy.stat('http.ingress_http.downstream_flow_control_paused_reading_total')
    await expect.poll(paused).toBeGreaterThan(0)
    let [before, now] = [-1, await held()]
    while (now === 0 || now !== before) {
      await sleep(200)
      ;[before, now] = [now, await held()]
    }
    call.destroy()
    backend.answer = usual
    // A megabyte, where nothing is said, less what is on its way.
    expect(now).toBeLessThan(256 * 1024)
  })

  test('connections to backends, and requests that wait for one, are counted for all Services', async () => {
    await publish(breakers)
    const waiting: ServerResponse[] = []
    backend.answer = (_, response) => void waiting.push(response)
    const client = new Client(stand.httpPort)
    const first = client.send('one.test')
    await expect.poll(() => waiting.length).toBe(1)
    const second = client.send('one.test')
    const pending = () => envoy.stat('cluster.web_one_80.upstream_rq_pending_active')
    await expect.poll(pending).toBe(1)
    const over = await client.send('one.test')
    expect([over.status, over.headers['x-envoy-overloaded']]).toEqual([503, 'true'])
    backend.answer = usual
    waiting[0]?.end('one')
    expect([(await first).status, (await second).status]).toEqual([200, 200])
    client.close()
  })

  test('a listener has so many connections, and no more', async () => {
    await publish('listener: {max-connections-per-listener: 2}')
    const taken = async () => {
      const raws: RawClient[] = []
      while (raws.length < 5) {
        const raw = new RawClient(stand.httpPort)
        raws.push(raw)
        if ((await raw.ask('direct.test')) === undefined) break
      }
      for (const { socket } of raws) socket.destroy()
      return raws.length - 1
    }
    await expect.poll(taken).toBe(2)
    expect(stand.refused).toEqual([])
  })
})
