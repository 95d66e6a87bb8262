import { FakeApiServer, statusOf } from '@landfall/kube/testing'
import { createLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { toldRefusals } from './told-refusals.ts'

let server: FakeApiServer
let lines: Record<string, unknown>[]

beforeEach(async () => {
  server = new FakeApiServer()
  await server.listen()
  lines = []
})

afterEach(() => server.close())

function read(namespaces: readonly string[] = [], signal = new AbortController().signal) {
  const logger = createLogger({ write: (line) => void lines.push(JSON.parse(line)) })
  return toldRefusals(server.cluster(), logger, namespaces, signal)
}

function event(name: string, lastTimestamp: string) {
  const content = `scopes http/${name}.test of content 0123456789abcdef (scoped), by Envoy 1.40.0: no`
  return {
    metadata: { namespace: 'web', name: `${name}.1` },
    involvedObject: { kind: 'Ingress', namespace: 'web', name, uid: 'u' },
    message: `Envoy refuses, and goes on with what it had: ${content}`,
    lastTimestamp,
  }
}

test('Events about Ingresses are read, page by page, and the newest comes last', async () => {
  const pages = [
    { metadata: { continue: 'more' }, items: [event('new', '2026-01-01T00:00:02Z')] },
    { metadata: {}, items: [event('old', '2026-01-01T00:00:01Z'), { metadata: { name: 'other' } }] },
  ]
  server.answer = ({ query }) => ({ body: pages[query.has('continue') ? 1 : 0] })
  expect((await read()).map(({ ingress }) => ingress)).toEqual(['web/old', 'web/new'])
  expect(server.requests.map(({ path }) => path)).toEqual(['/api/v1/events', '/api/v1/events'])
  const selectors = server.requests.map(({ query }) => query.get('fieldSelector'))
  expect(new Set(selectors)).toEqual(new Set(['reason=EnvoyRefused,involvedObject.kind=Ingress']))
  expect(lines).toEqual([])
})

test('of namespaces those are read that may be, and what may not is said once', async () => {
  server.answer = ({ path }) =>
    path === '/api/v1/namespaces/web/events'
      ? { body: { items: [event('a', '2026-01-01T00:00:01Z')] } }
      : { status: 403, body: statusOf(403, 'Forbidden', 'cannot list resource "events"') }
  expect(await read(['dark', 'web', 'darker'])).toHaveLength(1)
  expect(lines).toMatchObject([
    {
      event: 'refusalsUnread',
      level: 'info',
      error: expect.stringContaining('cannot list'),
      msg: expect.stringContaining('grant `list` of Events'),
    },
  ])
})

test('an API server that is slow to answer is not waited for', async () => {
  server.answer = ({ query }) =>
    query.has('continue')
      ? 'silence'
      : { body: { metadata: { continue: 'more' }, items: [event('a', '2026-01-01T00:00:01Z')] } }
  const began = performance.now()
  expect(await read()).toHaveLength(1)
  expect(performance.now() - began).toBeGreaterThan(1900)
  expect(lines).toMatchObject([{ event: 'refusalsUnread' }])
})

test('at an end nothing is said', async () => {
  server.answer = () => 'silence'
  const ended = new AbortController()
  const reading = read([], ended.signal)
  ended.abort()
  expect(await reading).toEqual([])
  expect(lines).toEqual([])
})

test('more Events than can be of use are not read', async () => {
  const items = Array.from({ length: 500 }, () => event('a', '2026-01-01T00:00:01Z'))
  server.answer = () => ({ body: { metadata: { continue: 'more' }, items } })
  expect((await read()).length).toBeLessThanOrEqual(5000)
  expect(lines).toEqual([])
})
