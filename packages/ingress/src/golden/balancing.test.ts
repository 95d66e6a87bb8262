/** Which endpoint of a Service gets a request, through a real Envoy: strategies, hashes, and what counts as healthy. */
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import { Backend, Client, proxyObject, serviceObjects, settled, translateFor } from './traffic.ts'

const pair = 'services: [{name: pair, port: 80}]'
const balanced = (policy: string) => `routes: [{loadBalancerPolicy: {${policy}}, ${pair}}]`
const hashed = (...policies: readonly string[]) =>
  balanced(`strategy: RequestHash, requestHashPolicies: [${policies.join(', ')}]`)
const byQuery = '{queryParameterHashOptions: {parameterName: user}}'
const byHeader = 'headerHashOptions: {headerName: X-User}'
const checked = (statuses: string) =>
  `routes: [{healthCheckPolicy: {path: /healthy, intervalSeconds: 1${statuses}}, ${pair}}]`

const objects = (...ports: readonly number[]) =>
  [
    serviceObjects(
      'pair',
      ports.map((http) => ({ http })),
    ),
    serviceObjects(
      'unready',
      ports.map((http) => ({ http })),
    ).replace('conditions: {ready: true}', 'conditions: {ready: false, serving: true, terminating: true}'),
    proxyObject('unready', 'routes: [{services: [{name: unready, port: 80}]}]'),
    proxyObject('robin', balanced('strategy: RoundRobin')),
    proxyObject('random', balanced('strategy: Random')),
    proxyObject('least', balanced('strategy: WeightedLeastRequest')),
    proxyObject('query', hashed(byQuery)),
    proxyObject('source', hashed('{hashSourceIP: true}')),
    proxyObject('first', hashed(`{${byHeader}, terminal: true}`, byQuery)),
    proxyObject('together', hashed(`{${byHeader}}`, byQuery)),
    proxyObject('usual-status', checked('')),
    proxyObject('other-status', checked(', expectedStatuses: [{start: 418, end: 419}]')),
    proxyObject('no-status', checked(', expectedStatuses: [{start: 500, end: 501}]')),
    proxyObject(
      'both-statuses',
      checked(', expectedStatuses: [{start: 200, end: 201}, {start: 400, end: 500}]'),
    ),
  ].join('')

/** An odd number, so that two rounds by turns are not alike. */
const users = Array.from({ length: 41 }, (_, index) => `user-${index}`)

describe.skipIf(withoutEnvoy())('the endpoints of a Service', () => {
  const stand = new Stand()
  const one = new Backend('one')
  const two = new Backend('two')
  const held: (() => void)[] = []
  let client: Client

  const bodyOf = async (host: string, path = '/', headers = {}) =>
    (await client.send(host, { path, headers })).body

  /** One after the other. */
  async function some(host: string, requests: number): Promise<readonly string[]> {
    const bodies: string[] = []
    for (let n = 0; n < requests; n++) bodies.push(await bodyOf(host))
    return bodies
  }

  /** The answer to a client with this address. */
  function from(localAddress: string, host: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const at = { host: '127.0.0.1', port: stand.httpPort, localAddress, agent: false, headers: { host } }
      const call = request(at, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
        response.on('end', () => resolve(body))
      })
      call.on('error', reject)
      call.end()
    })
  }

  beforeAll(async () => {
    await stand.open()
    await Promise.all([one.open(), two.open()])
    one.answer = ({ url }, response) => response.writeHead(url === '/healthy' ? 418 : 200).end('one')
    two.answer = ({ url }, response) => {
      if (url === '/held') held.push(() => response.end('two'))
      else response.end('two')
    }
    await stand.startEnvoy()
    const text = objects(one.port, two.port)
    stand.publishEach((layout) => translateFor(stand, text, layout))
    await eventually('settled', () => settled(stand))
    await eventually('the port opens', () => stand.http('robin.test'))
    client = new Client(stand.httpPort)
  }, 60_000)

  afterAll(async () => {
    client.close()
    await stand.close()
    one.close()
    two.close()
  })

  const sharesOf = (bodies: readonly string[]) =>
    bodies.filter((body) => body === 'two').length / bodies.length
  const changes = (bodies: readonly string[]) =>
    bodies.filter((body, index) => index > 0 && body !== bodies[index - 1]).length

  test('RoundRobin takes them in turn', async () => {
    expect(stand.refused).toEqual([])
    expect(changes(await some('robin.test', 20))).toBe(19)
  })

  // Bounds are five standard deviations away.
  test('Random takes either, whatever the one before had', async () => {
    const bodies = await some('random.test', 400)
    expect(Math.abs(sharesOf(bodies) - 0.5)).toBeLessThan(0.125)
    expect(Math.abs(changes(bodies) / 399 - 0.5)).toBeLessThan(0.125)
  })

  // Of two looked at by chance, the one with less to do: the busy one only if it was looked at twice.
  test('WeightedLeastRequest spares the one that has something to do', async () => {
    const waiting: Promise<string>[] = []
    await eventually('one is busy', async () => {
      const answer = bodyOf('least.test', '/held')
      waiting.push(answer)
      await Promise.race([answer, sleep(200)])
      return held.length > 0 || undefined
    })
    const bodies = await some('least.test', 500)
    for (const release of held.splice(0)) release()
    await Promise.all(waiting)
    expect(Math.abs(sharesOf(bodies) - 0.25)).toBeLessThan(0.1)
  })

  test('RequestHash by a parameter of the query', async () => {
    const by = (user: string) => bodyOf('query.test', `/?user=${user}`)
    const chosen = await Promise.all(users.map(by))
    expect(new Set(chosen)).toEqual(new Set(['one', 'two']))
    expect(await Promise.all(users.map(by))).toEqual(chosen)
  })

  test('RequestHash by the address of the client', async () => {
    const by = (_user: string, index: number) => from(`127.0.1.${index + 1}`, 'source.test')
    const chosen = await Promise.all(users.map(by))
    expect(new Set(chosen)).toEqual(new Set(['one', 'two']))
    expect(await Promise.all(users.map(by))).toEqual(chosen)
  })

  test('RequestHash: a terminal policy leaves those behind it no say, where it says something itself', async () => {
    const seen = async (host: string, headers: Readonly<Record<string, string>>) =>
      new Set(await Promise.all(users.map((user) => bodyOf(host, `/?user=${user}`, headers))))
    const me = { 'x-user': 'me' }
    expect((await seen('first.test', me)).size).toBe(1)
    expect((await seen('first.test', {})).size).toBe(2)
    expect((await seen('together.test', me)).size).toBe(2)
  })

  test.each([
    ['usual-status.test', ['two']],
    ['other-status.test', ['one']],
    ['both-statuses.test', ['one', 'two']],
  ])('%s: by what their health checks may answer, %s get requests', async (host, wanted) => {
    const seen = async () => [...new Set(await some(host, 4))].toSorted()
    await eventually('checked', async () => (await seen()).join() === wanted.join() || undefined)
    expect(new Set(await some(host, 20))).toEqual(new Set(wanted))
  })

  test('an endpoint that is not ready gets nothing', async () => {
    expect(new Set(await some('unready.test', 20))).toEqual(new Set(['two']))
  })

  test('where none is healthy none gets a request', async () => {
    await eventually('checked', async () => (await client.send('no-status.test')).status === 503 || undefined)
    expect(new Set(await some('no-status.test', 20))).toEqual(new Set(['no healthy upstream']))
  })

  test('an endpoint that is gone gets no more requests, however healthy it is', async () => {
    stand.publishEach((layout) => translateFor(stand, objects(one.port), layout))
    await eventually('settled', () => settled(stand))
    for (const host of ['robin.test', 'query.test', 'both-statuses.test']) {
      const isGone = async () => (await some(host, 4)).every((body) => body === 'one') || undefined
      await eventually(`gone for ${host}`, isGone)
      expect(new Set(await some(host, 20))).toEqual(new Set(['one']))
    }
  })
})
