/** Global rate limits by Envoy's own rate limit service: what clients and backends see below and above a limit. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultDagOptions, type RateLimitService } from '../dag/options.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { RateLimitProcess, withoutRateLimit } from './rate-limit-service.ts'
import {
  Backend,
  Client,
  extensionObject,
  proxyObject,
  serviceObjects,
  settled,
  translateFor,
} from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const domain = 'shop'
const limits = `
domain: ${domain}
descriptors:
- {key: host, value: daily, rate_limit: {unit: day, requests_per_unit: 4}}
- {key: host, value: brief, rate_limit: {unit: second, requests_per_unit: 1}}
- key: plan
  value: free
  descriptors: [{key: user, rate_limit: {unit: day, requests_per_unit: 2}}]
`
const service: RateLimitService = {
  extensionService: 'web/limits',
  domain,
  failOpen: false,
  enableXRateLimitHeaders: true,
  enableResourceExhaustedCode: false,
  defaultGlobalRateLimitPolicy: undefined,
}

const one = 'services: [{name: one, port: 80}]'
const by = (entries: string) => `rateLimitPolicy: {global: {descriptors: [{entries: [${entries}]}]}}`
const host = (value: string) => by(`{genericKey: {key: host, value: ${value}}}`)
const user = '{requestHeader: {headerName: X-User, descriptorKey: user}}'
const objects = (backend: number, limit: number) =>
  [
    serviceObjects('one', [{ http: backend }]),
    serviceObjects('limits', [{ http: limit }]),
    extensionObject('limits', 'protocol: h2c, timeoutPolicy: {response: 20s}'),
    proxyObject('daily', `routes: [{${one}}]`, `, ${host('daily')}`),
    proxyObject('brief', `routes: [{${one}}]`, `, ${host('brief')}`),
    proxyObject(
      'plans',
      `routes: [{${one}, ${by(`{genericKey: {key: plan, value: free}}, ${user}`)}},
       {conditions: [{prefix: /unknown}], ${host('unknown')}, ${one}}]`,
    ),
  ].join('')

describe.skipIf(withoutEnvoy() || withoutRateLimit()).each(ways)(
  'the rate limit service, asked by an Envoy by way of %s',
  (way) => {
    const stand = new Stand()
    const backend = new Backend('one')
    const limit = new RateLimitProcess()
    let client: Client

    const times = async (count: number, name: string, path = '/', headers = {}) => {
      const seen: number[] = []
      for (let n = 0; n < count; n++) seen.push((await client.send(name, { path, headers })).status)
      return seen
    }

    beforeAll(async () => {
      await stand.open()
      await backend.open()
      await limit.open(limits)
      client = new Client(stand.httpPort)
      await stand.startEnvoy(way)
      const dag = { ...defaultDagOptions, rateLimitService: service }
      const text = objects(backend.port, limit.port)
      stand.publishEach((layout) => translateFor(stand, text, layout, { dag }))
      await eventually('settled', () => settled(stand))
      await eventually('the port opens', () => stand.http('plans.test'))
    }, 60_000)

    afterAll(async () => {
      client.close()
      await stand.close()
      await limit.close()
      backend.close()
    })

    test('four a day, and the fifth is refused before the backend sees it', async () => {
      expect(stand.refused).toEqual([])
      const first = await client.send('daily.test')
      expect([
        first.status,
        first.headers['x-ratelimit-limit'],
        first.headers['x-ratelimit-remaining'],
      ]).toEqual([200, '4, 4;w=86400', '3'])
      expect(await times(3, 'daily.test')).toEqual([200, 200, 200])
      const seen = backend.seen.length
      const over = await client.send('daily.test')
      expect([
        over.status,
        over.headers['x-ratelimit-remaining'],
        over.headers['x-envoy-ratelimited'],
      ]).toEqual([429, '0', 'true'])
      expect(Number(over.headers['x-ratelimit-reset'])).toBeGreaterThan(0)
      expect(backend.seen.length).toBe(seen)
    })

    test('what is refused is let through again when its time is over', async () => {
      const answered = (status: number) =>
        eventually(`${status}`, async () =>
          (await client.send('brief.test')).status === status ? status : undefined,
        )
      expect([await answered(429), await answered(200)]).toEqual([429, 200])
    })

    test('each user has a limit, one that sends no name has none, nor has a descriptor that it does not know', async () => {
      expect(await times(3, 'plans.test', '/', { 'x-user': 'alice' })).toEqual([200, 200, 429])
      expect(await times(3, 'plans.test', '/', { 'x-user': 'bob' })).toEqual([200, 200, 429])
      expect(await times(4, 'plans.test')).toEqual([200, 200, 200, 200])
      expect(await times(4, 'plans.test', '/unknown')).toEqual([200, 200, 200, 200])
    })
  },
)
