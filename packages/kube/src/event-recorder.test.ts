import { createLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { EventRecorder } from './event-recorder.ts'
import { FakeApiServer, type FakeReply, statusOf } from './testing/fake-api-server.ts'

const about = { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web', uid: 'u' }
const event = { type: 'Normal', reason: 'IPAllocated', message: 'Assigned 10.0.0.1' } as const

const written = { involvedObject: about, count: 1, message: '' }

let server: FakeApiServer
let reply: FakeReply
let lines: Record<string, unknown>[]
let recorder: EventRecorder
let mayWrite: () => boolean

beforeEach(async () => {
  mayWrite = () => true
  reply = { body: {} }
  server = new FakeApiServer(() => reply)
  await server.listen()
  lines = []
  const logger = createLogger({ write: (line) => void lines.push(JSON.parse(line)) })
  const more = { component: 'test', host: 'n1', mayWrite: () => mayWrite() }
  recorder = new EventRecorder({ cluster: server.cluster(), logger, ...more })
})

afterEach(() => server.close())

it('writes an event with all that kubectl shows', async () => {
  recorder.record(about, { ...event, message: 'x'.repeat(3000) })
  await recorder.flush()
  expect(server.requests).toMatchObject([
    {
      method: 'POST',
      path: '/api/v1/namespaces/shop/events',
      body: {
        metadata: { namespace: 'shop', name: expect.stringMatching(/^web\.[0-9a-f]+$/) },
        involvedObject: about,
        type: 'Normal',
        reason: 'IPAllocated',
        message: 'x'.repeat(1024),
        count: 1,
        firstTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        source: { component: 'test', host: 'n1' },
      },
    },
  ])
})

it('lets what an event tells of go first', async () => {
  recorder.record(about, event)
  await server.cluster().request({ method: 'GET', path: '/first' })
  await vi.waitUntil(() => server.requests.length === 2, 30_000)
  expect(server.requests.map(({ path }) => path)).toEqual(['/first', '/api/v1/namespaces/shop/events'])
})

it('counts a repeated event up, and writes a new one when the old is gone', async () => {
  recorder.record(about, event)
  await recorder.flush()
  recorder.record(about, event)
  await recorder.flush()
  expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH'])
  expect(server.requests[1]?.body).toMatchObject({ count: 2 })
  server.answer = ({ method }) =>
    method === 'PATCH' ? { status: 404, body: statusOf(404, 'NotFound') } : reply
  recorder.record(about, event)
  await recorder.flush()
  expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'PATCH', 'POST'])
})

it('writes once what comes again while it waits, and of one reason the newest few', async () => {
  for (let index = 0; index < 100; index++) {
    recorder.record(about, event)
    recorder.record(about, { ...event, reason: 'ClearAssignment', message: `${index}` })
  }
  await recorder.flush()
  const told = server.requests.map(({ body }) => body as typeof written)
  expect(told.map(({ message, count }) => [message, count])).toEqual([
    ['Assigned 10.0.0.1', 100],
    ...['95', '96', '97', '98', '99'].map((message) => [message, 1]),
  ])
})

it('fails nobody: what cannot be written is dropped, said once a streak', async () => {
  reply = { status: 503, body: statusOf(503, 'ServiceUnavailable') }
  for (const name of ['a', 'b', 'c']) recorder.record({ ...about, name }, event)
  await recorder.flush()
  reply = { body: {} }
  recorder.record(about, event)
  await recorder.flush()
  reply = { status: 500, body: statusOf(500, 'InternalError') }
  recorder.record({ ...about, name: 'd' }, event)
  await recorder.flush()
  expect(lines.map((line) => line['event'])).toEqual(['eventFailed', 'eventFailed'])
  expect(server.requests).toHaveLength(5)
})

it('writes what thousands of objects have to say, however fast it comes', { timeout: 60_000 }, async () => {
  for (let index = 0; index < 5000; index++) recorder.record({ ...about, name: `s${index}` }, event)
  await recorder.flush(60_000)
  const names = server.requests.map(({ body }) => (body as typeof written).involvedObject.name)
  expect(new Set(names).size).toBe(5000)
  expect(lines).toEqual([])
})

it('drops at an end what the server is too slow for, and says how many', async () => {
  server.answer = () => 'silence'
  for (let index = 0; index < 3000; index++) recorder.record({ ...about, name: `s${index}` }, event)
  await recorder.flush(500)
  expect(lines).toMatchObject([{ event: 'eventsDropped', count: 2999 }])
  await server.close()
  await recorder.flush()
  expect(server.requests.length).toBe(1)
})

it('writes nothing more once it may not, not even at an end, and says how many were dropped', async () => {
  server.answer = () => {
    mayWrite = () => server.requests.length < 2
    return reply
  }
  for (const name of ['a', 'b', 'c', 'd']) recorder.record({ ...about, name }, event)
  await recorder.flush()
  expect(server.requests).toHaveLength(2)
  expect(lines).toMatchObject([{ event: 'eventsDropped', count: 2 }])
})

it('writes no new event for one that is gone when it may not by then', async () => {
  recorder.record(about, event)
  await recorder.flush()
  server.answer = () => {
    mayWrite = () => false
    return { status: 404, body: statusOf(404, 'NotFound') }
  }
  recorder.record(about, event)
  await recorder.flush()
  expect(server.requests.map(({ method }) => method)).toEqual(['POST', 'PATCH'])
})

it('ends a wait for better times once it may not', async () => {
  server.answer = () => {
    mayWrite = () => false
    return { status: 500, body: statusOf(500, 'InternalError') }
  }
  recorder.record(about, event)
  await vi.waitUntil(() => lines.length > 0, 30_000)
  expect([server.requests.length, lines.map((line) => line['event'])]).toEqual([1, ['eventsDropped']])
})

it.each<[string, (turn: number) => FakeReply | 'reset']>([
  ['breaks connections', () => 'reset'],
  ['fails', () => ({ status: 500, body: statusOf(500, 'InternalError') })],
  ['refuses everybody as it starts', () => ({ status: 403, body: statusOf(403, 'Forbidden') })],
])('loses nothing while the server %s', async (_, failure) => {
  let turns = 0
  const told: string[] = []
  server.answer = ({ body }) => {
    if (turns++ < 2) return failure(turns)
    told.push((body as typeof written).involvedObject.name)
    return reply
  }
  for (const name of ['a', 'b', 'c']) recorder.record({ ...about, name }, event)
  const end = performance.now() + 30_000
  while (told.length < 3 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(told.toSorted((a, b) => a.localeCompare(b))).toEqual(['a', 'b', 'c'])
})

it('asks no more for a while without the right, and goes on once it is granted', async () => {
  reply = { status: 403, body: statusOf(403, 'Forbidden') }
  for (let i = 0; i < 5; i++) recorder.record(about, { ...event, message: `${i}` })
  await recorder.flush()
  expect(server.requests).toHaveLength(1)
  reply = { body: {} }
  await new Promise((resolve) => setTimeout(resolve, 700))
  recorder.record(about, event)
  recorder.record(about, { ...event, message: 'another' })
  await recorder.flush()
  expect(server.requests).toHaveLength(3)
})

it('takes the end of one namespace for no refusal of the others', async () => {
  const message = 'events "web.1" is forbidden: namespace shop is being terminated'
  reply = { status: 403, body: { ...statusOf(403, 'Forbidden'), message } }
  recorder.record(about, event)
  await recorder.flush()
  recorder.record({ ...about, namespace: 'other' }, event)
  await recorder.flush()
  expect(server.requests).toHaveLength(2)
})
