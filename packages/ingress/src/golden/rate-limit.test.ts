/** Global rate limits through a real Envoy: what a rate limit service is told of requests, and what clients see. */
import {
  RateLimitResponse_Code as Code,
  RateLimitResponse_RateLimit_Unit as Unit,
} from '@envoyproxy/envoy-types/envoy/service/ratelimit/v3/rls'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { defaultDagOptions, type RateLimitService } from '../dag/options.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { type Limits, rateLimitServer } from './grpc-servers.ts'
import {
  Backend,
  Client,
  extensionObject,
  pairOf,
  proxyObject,
  secretObject,
  serviceObjects,
  settled,
  translateFor,
} from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const one = 'services: [{name: one, port: 80}]'
const by = (entries: string) => `rateLimitPolicy: {global: {descriptors: [{entries: [${entries}]}]}}`
const user = '{requestHeader: {headerName: X-User, descriptorKey: user}}'
const free = '{requestHeaderValueMatch: {headers: [{name: X-Plan, exact: free}], value: free}}'
const paid =
  '{requestHeaderValueMatch: {headers: [{name: X-Plan, exact: free}], expectMatch: false, value: paid}}'
const server = pairOf('server')

const objects = (backend: number, limits: number) =>
  [
    serviceObjects('one', [{ http: backend }]),
    serviceObjects('limits', [{ http: limits }]),
    secretObject('cert', { 'tls.crt': server.cert, 'tls.key': server.key }),
    extensionObject('limits', 'protocol: h2c, timeoutPolicy: {response: 2s}'),
    proxyObject(
      'own',
      `routes: [{${one}}, {conditions: [{prefix: /more}], ${by(`${user}, ${free}`)}, ${one}},
       {conditions: [{prefix: /paid}], ${by(paid)}, ${one}},
       {conditions: [{prefix: /free}], rateLimitPolicy: {global: {disabled: true}}, ${one}}]`,
      `, ${by('{genericKey: {key: vhost, value: own}}')}`,
    ),
    proxyObject('standard', `routes: [{${one}}]`),
    proxyObject('unlimited', `routes: [{${one}}]`, ', rateLimitPolicy: {global: {disabled: true}}'),
    proxyObject('secure', `routes: [{${one}}]`, `, tls: {secretName: cert}, ${by('{remoteAddress: {}}')}`),
  ].join('')

const service: RateLimitService = {
  extensionService: 'web/limits',
  domain: 'shop',
  failOpen: false,
  enableXRateLimitHeaders: true,
  enableResourceExhaustedCode: false,
  defaultGlobalRateLimitPolicy: { descriptors: [{ entries: [{ genericKey: { value: 'standard' } }] }] },
}

/** So many of each set of descriptors, then no more. */
function counting(most: number): Limits['answer'] {
  const counts = new Map<string, number>()
  return (request) => {
    const key = JSON.stringify(descriptorsOf(request))
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    const code = count > most ? Code.OVER_LIMIT : Code.OK
    return {
      overallCode: code,
      statuses: [
        {
          code,
          currentLimit: { requestsPerUnit: most, unit: Unit.HOUR },
          limitRemaining: Math.max(0, most - count),
        },
      ],
    }
  }
}

function descriptorsOf(request: Parameters<Limits['answer']>[0]): unknown {
  return request.descriptors.map(({ entries }) => entries.map(({ key, value }) => [key, value]))
}

describe.skipIf(withoutEnvoy()).each(ways)(
  'rate limits, in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const stand = new Stand()
    const backend = new Backend('one')
    const limits = rateLimitServer(counting(2))
    let client: Client

    async function publish(changed: Partial<RateLimitService>): Promise<void> {
      const dag = { ...defaultDagOptions, rateLimitService: { ...service, ...changed } }
      const text = objects(backend.port, limits.port)
      stand.publishEach((layout) => translateFor(stand, text, layout, { dag }))
      await eventually('settled', () => settled(stand))
    }

    const times = async (count: number, host: string, path = '/', headers = {}) => {
      const seen: number[] = []
      for (let index = 0; index < count; index += 1)
        seen.push((await client.send(host, { path, headers })).status)
      return seen
    }

    beforeAll(async () => {
      await stand.open()
      await backend.open()
      await limits.open()
      client = new Client(stand.httpPort)
      await stand.startEnvoy(way)
      await publish({})
      await eventually('the port opens', () => stand.http('unlimited.test'))
      await eventually('the port of TLS opens', () => stand.https('secure.test'))
    }, 60_000)

    beforeEach(() => {
      limits.answer = counting(2)
      limits.seen = []
    })

    afterAll(async () => {
      client.close()
      await stand.close()
      backend.close()
      limits.close()
    })

    test('a host is limited by its own descriptors, and clients are told', async () => {
      expect(stand.refused).toEqual([])
      expect(await times(3, 'own.test')).toEqual([200, 200, 429])
      expect(limits.seen.map((request) => [request.domain, descriptorsOf(request)])).toEqual(
        Array.from({ length: 3 }, () => ['shop', [[['vhost', 'own']]]]),
      )
      const { headers } = await client.send('own.test')
      expect(headers['x-ratelimit-remaining']).toBe('0')
    })

    test('a route adds its own, or leaves those of the host', async () => {
      await times(1, 'own.test', '/more', { 'x-user': 'alice', 'x-plan': 'free' })
      await times(1, 'own.test', '/more', { 'x-user': 'alice' })
      expect(limits.seen.map(descriptorsOf)).toEqual([
        [
          [
            ['user', 'alice'],
            ['header_match', 'free'],
          ],
          [['vhost', 'own']],
        ],
        [[['vhost', 'own']]],
      ])
      expect(await times(3, 'own.test', '/free')).toEqual([200, 200, 200])
      expect(limits.seen).toHaveLength(2)
    })

    test('a descriptor can be for those whose headers do not match', async () => {
      await times(1, 'own.test', '/paid')
      await times(1, 'own.test', '/paid', { 'x-plan': 'free' })
      const host = [['vhost', 'own']]
      expect(limits.seen.map(descriptorsOf)).toEqual([[[['header_match', 'paid']], host], [host]])
    })

    test('a host without a word has the default', async () => {
      expect(await times(3, 'standard.test')).toEqual([200, 200, 429])
      expect(descriptorsOf(limits.seen[0] ?? failed())).toEqual([[['generic_key', 'standard']]])
      expect(await times(3, 'unlimited.test')).toEqual([200, 200, 200])
      expect(limits.seen).toHaveLength(3)
    })

    test('over TLS too', async () => {
      const secure = new Client(stand.httpsPort, 'tls')
      expect((await secure.send('secure.test')).status).toBe(200)
      secure.close()
      expect(descriptorsOf(limits.seen[0] ?? failed())).toEqual([[['remote_address', '127.0.0.1']]])
    })

    test('a client by gRPC is told that its share is used up, where that is set', async () => {
      limits.answer = counting(0)
      const told = async (by: Client) => {
        const headers = { 'content-type': 'application/grpc' }
        return (await by.send('own.test', { method: 'POST', headers })).headers['grpc-status']
      }
      expect(await told(client)).toBe('14')
      await publish({ enableResourceExhaustedCode: true })
      await eventually('the new listener', async () => {
        const fresh = new Client(stand.httpPort)
        const status = await told(fresh)
        fresh.close()
        return status === '8' ? true : undefined
      })
    })

    test('without an answer nobody passes, unless asked so', async () => {
      limits.answer = () => undefined
      expect(await times(1, 'own.test')).toEqual([500])
      await publish({ failOpen: true })
      await eventually('the new listener', async () => {
        const fresh = new Client(stand.httpPort)
        const { status } = await fresh.send('own.test')
        fresh.close()
        return status === 200 ? true : undefined
      })
    })
  },
)

function failed(): never {
  throw new Error('nothing was asked')
}
