/** What a Service says of itself, through a real Envoy: the protocol that it speaks, and how much it takes at a time. */
import { once } from 'node:events'
import { createSecureServer, createServer } from 'node:http2'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import { Backend, Client, pairOf, proxyObject, serviceObjects, settled, translateFor } from './traffic.ts'

interface Said {
  readonly annotations?: Readonly<Record<string, string>>
  readonly appProtocol?: string
}

/** A Service of that name, and a host that it stands behind. */
function served(
  name: string,
  ports: readonly number[],
  { annotations = {}, appProtocol }: Said,
  more = '',
): string {
  const own = Object.entries(annotations).map(([key, value]) => `projectcontour.io/${key}: '${value}'`)
  const service = serviceObjects(
    name,
    ports.map((http) => ({ http })),
  )
    .replace(`name: ${name},`, `name: ${name}, annotations: {${own.join(', ')}},`)
    .replace('port: 80}', appProtocol === undefined ? 'port: 80}' : `port: 80, appProtocol: ${appProtocol}}`)
  return service + proxyObject(name, `routes: [{services: [{name: ${name}, port: 80${more}}]}]`)
}

interface Ports {
  readonly plain: number
  readonly tls: number
  readonly h2c: number
  readonly h2: number
  readonly busy: readonly [number, number]
}

const objects = ({ plain, tls, h2c, h2, busy }: Ports) =>
  [
    served('h2-by-number', [h2], { annotations: { 'upstream-protocol.h2': '443,80' } }),
    served('h2-by-name', [h2], { annotations: { 'upstream-protocol.h2': 'https, http' } }),
    served('h2c-by-number', [h2c], { annotations: { 'upstream-protocol.h2c': '80' } }),
    served('tls-by-number', [tls], { annotations: { 'upstream-protocol.tls': '80' } }),
    served('tls-by-name', [tls], { annotations: { 'upstream-protocol.tls': 'http' } }),
    served('another-port', [plain], { annotations: { 'upstream-protocol.tls': '443,https' } }),
    served('app-https', [tls], { appProtocol: 'https' }),
    served('app-h2c', [h2c], { appProtocol: 'kubernetes.io/h2c' }),
    served('app-http', [plain], { appProtocol: 'http', annotations: { 'upstream-protocol.tls': '80' } }),
    served('app-ws', [plain], { appProtocol: 'kubernetes.io/ws' }),
    served('own', [tls], { appProtocol: 'kubernetes.io/h2c' }, ', protocol: tls'),
    served('requests', [busy[0]], { annotations: { 'max-requests': '1' } }),
    served('connections', [busy[0]], { annotations: { 'max-connections': '2' } }),
    served('pending', [busy[0]], { annotations: { 'max-connections': '1', 'max-pending-requests': '2' } }),
    served('per-host', busy, { annotations: { 'per-host-max-connections': '2' } }),
    served('retries', [busy[0]], { annotations: { 'max-retries': '1' } }).replace(
      'routes: [{',
      'routes: [{retryPolicy: {count: 1}, ',
    ),
  ].join('')

/** Keeps requests until it is told to answer. */
class Busy {
  readonly held: (() => void)[] = []
  readonly connections = new Set<Socket>()
  readonly backend = new Backend('busy', ({ socket }, response) => {
    this.connections.add(socket)
    this.held.push(() => response.end('busy'))
  })

  release(): void {
    for (const answer of this.held.splice(0)) answer()
  }
}

describe.skipIf(withoutEnvoy())('what a Service says', () => {
  const stand = new Stand()
  const plain = new Backend('plain')
  const tls = new Backend('tls', undefined, pairOf('server'))
  const h2c = createServer((_request, response) => void response.end('h2c'))
  const h2 = createSecureServer(pairOf('server'), (_request, response) => void response.end('h2'))
  const busy = [new Busy(), new Busy()] as const
  let client: Client

  const portOf = async (of: typeof h2c | typeof h2): Promise<number> => {
    await once(of.listen(0, '127.0.0.1'), 'listening')
    const address = of.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return address.port
  }

  beforeAll(async () => {
    await stand.open()
    const all = [plain, tls, ...busy.map(({ backend }) => backend)]
    await Promise.all(all.map((backend) => backend.open()))
    const ports = {
      plain: plain.port,
      tls: tls.port,
      h2c: await portOf(h2c),
      h2: await portOf(h2),
      busy: [busy[0].backend.port, busy[1].backend.port],
    } as const
    await stand.startEnvoy()
    stand.publishEach((layout) => translateFor(stand, objects(ports), layout))
    await eventually('settled', () => settled(stand))
    await eventually('the port opens', () => stand.http('another-port.test'))
    client = new Client(stand.httpPort)
  }, 60_000)

  afterAll(async () => {
    client.close()
    await stand.close()
    for (const backend of [plain, tls, ...busy.map((each) => each.backend)]) backend.close()
    h2c.close()
    h2.close()
  })

  test.each([
    ['h2-by-number', 'h2'],
    ['h2-by-name', 'h2'],
    ['h2c-by-number', 'h2c'],
    ['tls-by-number', 'tls'],
    ['tls-by-name', 'tls'],
    ['another-port', 'plain'],
    ['app-https', 'tls'],
    ['app-h2c', 'h2c'],
    // What the port says goes before the annotations, and what the route says before both.
    ['app-http', 'plain'],
    ['app-ws', 'plain'],
    ['own', 'tls'],
  ])('%s is spoken to as %s', async (host, backend) => {
    expect(stand.refused).toEqual([])
    expect(await client.send(`${host}.test`)).toMatchObject({ status: 200, body: backend })
  })

  /** So many requests at once; those that are refused are answered at once. */
  const send = (host: string, requests: number) => Array.from({ length: requests }, () => client.send(host))
  const statusesOf = async (sent: readonly ReturnType<Client['send']>[]) =>
    (await Promise.all(sent)).map(({ status }) => status).toSorted((a, b) => a - b)
  /** Answers whatever comes until all that was sent is answered. */
  async function released<T>(answers: Promise<T>): Promise<T> {
    const timer = setInterval(() => busy.forEach((each) => each.release()), 5)
    return answers.finally(() => clearInterval(timer))
  }

  test('max-requests: one more than that is refused', async () => {
    const [first] = send('requests.test', 1)
    await eventually('the first is there', () => busy[0].held[0])
    const over = await client.send('requests.test')
    expect([over.status, over.headers['x-envoy-overloaded']]).toEqual([503, 'true'])
    busy[0].release()
    expect((await first)?.status).toBe(200)
  })

  test('max-connections: the others wait for one that is free', async () => {
    busy[0].connections.clear()
    const sent = send('connections.test', 6)
    await eventually('two are there', () => busy[0].held[1])
    expect(await released(statusesOf(sent))).toEqual([200, 200, 200, 200, 200, 200])
    expect(busy[0].connections.size).toBe(2)
  })

  test('max-pending-requests: no more than that wait', async () => {
    const first = send('pending.test', 1)
    await eventually('one is there', () => busy[0].held[0])
    const others = send('pending.test', 4)
    const over = await Promise.race(others)
    expect([over.status, over.headers['x-envoy-overloaded']]).toEqual([503, 'true'])
    expect(await released(statusesOf([...first, ...others]))).toEqual([200, 200, 200, 503, 503])
  })

  test('per-host-max-connections: each endpoint has as many', async () => {
    for (const each of busy) each.connections.clear()
    const sent = send('per-host.test', 12)
    await eventually('both have two', () => busy.every(({ held }) => held.length === 2) || undefined)
    expect(await released(statusesOf(sent))).toEqual(Array.from({ length: 12 }, () => 200))
    expect(busy.map(({ connections }) => connections.size)).toEqual([2, 2])
  })

  test('max-retries: a second one at the same time is not tried again', async () => {
    const hold = busy[0].backend.answer
    const failed = new Set<string>()
    busy[0].backend.answer = (request, response) => {
      const { url = '' } = request
      if (failed.has(url)) return hold(request, response)
      failed.add(url)
      response.writeHead(503).end()
    }
    const first = client.send('retries.test', { path: '/first' })
    await eventually('its second try is there', () => busy[0].held[0])
    expect((await client.send('retries.test', { path: '/second' })).status).toBe(503)
    busy[0].release()
    expect((await first).status).toBe(200)
    expect((await released(client.send('retries.test', { path: '/third' }))).status).toBe(200)
    busy[0].backend.answer = hold
  })
})
