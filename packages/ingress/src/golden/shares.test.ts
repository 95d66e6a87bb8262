/** Weights of Services: their shares of requests, copies, streams and questions of authorization, through a real Envoy. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import { authorizationServer } from './grpc-servers.ts'
import {
  Backend,
  type Client,
  pairOf,
  proxyObject,
  secretObject,
  serveBoth,
  serviceObjects,
} from './traffic.ts'

const server = pairOf('server')
const weighted = (...shares: readonly string[]) =>
  `services: [${shares.map((share) => `{port: 80, name: ${share}}`).join(', ')}]`

interface Ports {
  readonly one: number
  readonly two: number
  readonly first: number
  readonly second: number
}

const objects = ({ one, two, first, second }: Ports) =>
  [
    serviceObjects('one', [{ http: one }]),
    serviceObjects('two', [{ http: two }]),
    serviceObjects('copies', [{ http: two }]),
    serviceObjects('first', [{ http: first }]),
    serviceObjects('second', [{ http: second }]),
    secretObject('cert', { 'tls.crt': server.cert, 'tls.key': server.key }),
    proxyObject('none', `routes: [{${weighted('one', 'two')}}]`),
    proxyObject('unset', `routes: [{${weighted('one, weight: 1', 'two')}}]`),
    proxyObject('lacking', `routes: [{${weighted('one', 'gone')}}]`),
    proxyObject(
      'lacking-all',
      `routes: [{${weighted('gone')}}, {conditions: [{prefix: /there}], ${weighted('one')}}]`,
    ),
    proxyObject('copied', `routes: [{${weighted('one', 'copies, mirror: true, weight: 30')}}]`),
    proxyObject(
      'stream',
      `tcpproxy: {${weighted('one, weight: 75', 'two, weight: 25')}}`,
      ', tls: {secretName: cert}',
    ),
    proxyObject(
      'stream-unset',
      `tcpproxy: {${weighted('one, weight: 1', 'two')}}`,
      ', tls: {secretName: cert}',
    ),
    `---
kind: ExtensionService
metadata: {name: asked, namespace: web}
spec: {protocol: h2c, ${weighted('first, weight: 3', 'second, weight: 1')}}
`,
    proxyObject(
      'asking',
      `routes: [{${weighted('one')}}]`,
      ', tls: {secretName: cert}, authorization: {extensionRef: {name: asked}, responseTimeout: 30s}',
    ),
  ].join('')

// Bounds are five standard deviations away.
describe.skipIf(withoutEnvoy())('shares', () => {
  const stand = new Stand()
  const [one, two] = [new Backend('one'), new Backend('two')]
  const grant = () => ({ httpResponse: { case: 'okResponse' as const, value: {} } })
  const [first, second] = [authorizationServer(grant), authorizationServer(grant)]
  let client: Client
  let secure: Client

  beforeAll(async () => {
    await stand.open()
    await Promise.all([one, two, first, second].map((each) => each.open()))
    await stand.startEnvoy()
    const ports = { one: one.port, two: two.port, first: first.port, second: second.port }
    const hosts = { plain: 'none.test', secure: 'asking.test' }
    const clients = await serveBoth(stand, objects(ports), hosts)
    client = clients.client
    secure = clients.secure
  }, 60_000)

  afterAll(async () => {
    client.close()
    secure.close()
    await stand.close()
    for (const each of [one, two, first, second]) each.close()
  })

  /** The share of the second in the answers. */
  async function share(requests: number, ask: () => Promise<string | undefined>): Promise<number> {
    let second = 0
    const some = async () => {
      for (let n = 0; n < requests / 10; n++) if ((await ask()) === 'two') second += 1
    }
    await Promise.all(Array.from({ length: 10 }, some))
    return second / requests
  }

  test('without any weight all have the same, and where one has a weight the others have none', async () => {
    expect(stand.refused).toEqual([])
    const of = (host: string) => async () => (await client.send(host)).body
    expect(Math.abs((await share(400, of('none.test'))) - 0.5)).toBeLessThan(0.125)
    expect(await share(50, of('unset.test'))).toBe(0)
  })

  test('a Service that is not there leaves all to the others; without any the route alone is 503', async () => {
    expect(await share(20, async () => (await client.send('lacking.test')).body)).toBe(0)
    const statuses = [(await client.send('lacking-all.test')).status]
    statuses.push((await client.send('lacking-all.test', { path: '/there' })).status)
    expect(statuses).toEqual([503, 200])
  })

  test('a mirror gets the part of the requests that its weight says, in percent', async () => {
    const before = two.seen.length
    expect(await share(600, async () => (await client.send('copied.test')).body)).toBe(0)
    const sent = await stand.envoy?.stat('cluster.web_copies_80.upstream_rq_total')
    const copies = await eventually('all copies', () =>
      two.seen.length - before >= (sent ?? 0) ? two.seen.length - before : undefined,
    )
    expect(Math.abs(copies / 600 - 0.3)).toBeLessThan(0.094)
  })

  test('streams go to Services by their weights', async () => {
    const of = (host: string) => async () => (await stand.https(host))?.body
    expect(Math.abs((await share(200, of('stream.test'))) - 0.25)).toBeLessThan(0.154)
    expect(await share(30, of('stream-unset.test'))).toBe(0)
  })

  test('the Services of an ExtensionService are asked by their weights', async () => {
    await secure.send('asking.test')
    const before = [first.seen.length, second.seen.length] as const
    for (let n = 0; n < 200; n++) expect((await secure.send('asking.test')).status).toBe(200)
    const asked = [first.seen.length - before[0], second.seen.length - before[1]] as const
    expect(asked[0] + asked[1]).toBe(200)
    expect(Math.abs(asked[1] / 200 - 0.25)).toBeLessThan(0.154)
  })
})
