import { configMapType } from '@landfall/kube'
import { FakeApiServer, statusOf } from '@landfall/kube/testing'
import { silentLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { lookAt } from './look.ts'

let server: FakeApiServer

beforeEach(async () => {
  server = new FakeApiServer()
  await server.listen()
})

afterEach(() => server.close())

/** Looks and answers about readiness in turn, 0 for none; the last of each goes on. */
async function look(looks: readonly number[], readiness: readonly number[]): Promise<readonly number[]> {
  const turns = { looks: 0, readiness: 0 }
  server.answer = ({ path }) => {
    const status =
      path === '/readyz'
        ? readiness[Math.min(turns.readiness++, readiness.length - 1)]
        : looks[Math.min(turns.looks++, looks.length - 1)]
    return status === 0 ? 'reset' : { status: status ?? 500, body: statusOf(status ?? 500, '') }
  }
  const { signal } = new AbortController()
  const seen = await lookAt(server.cluster(), configMapType, { logger: silentLogger(), signal })
  return [seen ?? 0, turns.looks]
}

it.each([
  ['is there', [200], [500], [200, 1]],
  ['is not there', [404], [500], [404, 1]],
  ['a refusal of a server that is ready is meant', [403], [200], [403, 1]],
  ['a server that has just started refuses everybody', [403, 403, 200], [500], [200, 3]],
  ['nor does it say at first whether it is ready', [403, 403, 200], [403], [200, 3]],
  ['who may never know whether it is ready asks four times', [403], [403], [403, 4]],
  ['no answer says nothing', [0, 0, 404], [500], [404, 3]],
  ['nor does a server that is busy', [429, 404], [500], [404, 2]],
  ['nor one that is broken', [500, 503, 200], [500], [200, 3]],
  ['what is refused after an outage is doubted as ever', [503, 403], [500, 200], [403, 3]],
  ['nor do credentials that are too old', [401, 403], [200], [403, 2]],
])('%s', async (_, looks, readiness, expected) => {
  expect(await look(looks, readiness)).toEqual(expected)
})

it('is given up with the term', async () => {
  server.answer = () => ({ status: 503, body: statusOf(503, '') })
  const ended = new AbortController()
  const seen = lookAt(server.cluster(), configMapType, { logger: silentLogger(), signal: ended.signal })
  setTimeout(() => ended.abort(), 100)
  expect(await seen).toBe(undefined)
})
