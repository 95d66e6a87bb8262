import { createLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { endpointSource } from './endpoint-source.ts'
import { FakeApiServer, statusOf } from './testing/index.ts'

const ok = { body: { metadata: {}, items: [] } }
let api: FakeApiServer
let events: unknown[]
let refused: Readonly<Record<string, number>>

beforeEach(async () => {
  events = []
  refused = {}
  api = new FakeApiServer(({ path }) => {
    const status = refused[path.split('/').at(-1) ?? '']
    return status === undefined ? ok : { status, body: statusOf(status, 'No') }
  })
  await api.listen()
})
afterEach(() => api.close())

function source(signal = new AbortController().signal): ReturnType<typeof endpointSource> {
  const logger = createLogger({ level: 'all', write: (line) => void events.push(JSON.parse(line).event) })
  return endpointSource(api.cluster(), logger, signal)
}

test('slices, where they may be read', async () => {
  expect((await source())?.kind).toBe('EndpointSlice')
  expect([events, api.requests.length]).toEqual([[], 1])
})

test.each([403, 404])('Endpoints, where slices are answered with %s', async (status) => {
  refused = { endpointslices: status }
  expect((await source())?.kind).toBe('Endpoints')
  expect(events).toEqual(['endpointsRead'])
})

test('asks again while both are refused, and says so once', async () => {
  refused = { endpointslices: 403, endpoints: 403 }
  const found = source()
  while (api.requests.length < 4) await new Promise((resolve) => setTimeout(resolve, 20))
  refused = {}
  expect((await found)?.kind).toBe('EndpointSlice')
  expect(events).toEqual(['noEndpoints'])
})

test('ends when it is stopped', async () => {
  refused = { endpointslices: 403, endpoints: 403 }
  const stop = new AbortController()
  const found = source(stop.signal)
  while (api.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 20))
  stop.abort()
  expect(await found).toBeUndefined()
})
