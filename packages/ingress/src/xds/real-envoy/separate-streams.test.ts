/** The server against a real Envoy on Contour's bootstrap: the state of the world, by a stream for each thing. */
import { setTimeout as delay } from 'node:timers/promises'
import type { JsonObject } from '@bufbuild/protobuf'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../../envoy-process/envoy-process.ts'
import type { Resource } from '../resource.ts'
import { snapshot } from '../session/script.ts'
import {
  answer,
  endpoints,
  httpsListener,
  runtime,
  streamedCluster,
  table,
  tableListener,
  toCluster,
} from './resources.ts'
import { Stand } from './stand.ts'

describe.skipIf(withoutEnvoy())('a real Envoy with a stream for each thing', { timeout: 60_000 }, () => {
  let stand: Stand
  beforeEach(async () => {
    stand = await new Stand().open()
    await stand.startEnvoy('streams')
  })
  afterEach(() => stand.close())

  const answers = async (host: string, body: string, port = stand.httpPort) =>
    await eventually(`${host} answers ${body}`, async () =>
      (await stand.http(host, '/', port))?.body === body ? true : undefined,
    )

  test('a table of routes that it refuses is isolated, the fix clears it', async () => {
    const publish = (one: Record<string, JsonObject>, two: string) =>
      stand.publishEach(() =>
        snapshot({
          listeners: [tableListener('one', stand.httpPort), tableListener('two', stand.httpsPort)],
          routes: [table('one', one), table('two', { 'a.test': answer(two) })],
          runtime: [runtime({})],
        }),
      )
    publish({ 'a.test': answer('1') }, '1')
    await answers('a.test', '1')
    await answers('a.test', '1', stand.httpsPort)
    publish(
      { 'a.test': answer('2'), 'b.test': { match: { safe_regex: { regex: '(' } }, ...answer('2') } },
      '2',
    )
    await answers('a.test', '2', stand.httpsPort)
    await eventually('refused', () => stand.refused[0])
    await delay(200)
    expect(stand.refused).toMatchObject([
      { type: 'routes', name: 'one', message: expect.stringContaining('missing )') },
    ])
    await answers('a.test', '1')
    publish({ 'a.test': answer('3'), 'b.test': answer('3') }, '3')
    await answers('a.test', '3')
    await answers('b.test', '3')
    await eventually('cleared', () => stand.cleared[0])
    expect(stand.cleared).toEqual(['routes/one'])
  })

  test('one that comes back and refuses a cluster and a listener names them, and keeps the others', async () => {
    const ports = await Promise.all(['one', 'two', 'new'].map((name) => stand.backend(name)))
    const publish = (names: readonly string[], more: { clusters?: Resource[]; listeners?: Resource[] }) =>
      stand.publishEach(() =>
        snapshot({
          clusters: [...names.map((name) => streamedCluster(name)), ...(more.clusters ?? [])],
          endpoints: names.map((name, index) => endpoints(name, ports[index] ?? 0)),
          listeners: [tableListener('table', stand.httpPort), ...(more.listeners ?? [])],
          routes: [
            table('table', Object.fromEntries(names.map((name) => [`${name}.test`, toCluster(name)]))),
          ],
          runtime: [runtime({})],
        }),
      )
    publish(['one', 'two'], {})
    await answers('one.test', 'one')
    await stand.server.stop()
    await stand.startServer()
    const bad = {
      clusters: [
        streamedCluster('bad', {
          lb_policy: 'RING_HASH',
          ring_hash_lb_config: { minimum_ring_size: 1024, maximum_ring_size: 1 },
        }),
      ],
      listeners: [httpsListener(stand.httpsPort, 'none', 'bad')],
    }
    publish(['one', 'two', 'new'], bad)
    const lost: unknown[] = []
    await eventually('the new one answers', async () => {
      for (const name of ['one', 'two']) {
        const answered = await stand.http(`${name}.test`)
        if (answered?.body !== name) lost.push(answered)
      }
      return (await stand.http('new.test'))?.body === 'new' ? true : undefined
    })
    await eventually('both are refused', () => (stand.refused.length > 1 ? true : undefined))
    await delay(200)
    expect(stand.refused.map(({ type, name }) => `${type}/${name}`).toSorted()).toEqual([
      'clusters/bad',
      'listeners/bad',
    ])
    for (const { message } of stand.refused) expect(message).toMatch(/^Error adding\/updating .* bad: /)
    expect(lost).toEqual([])
    // The list with the one at fault, and that without.
    expect(await stand.sent()).toMatchObject({ clusters: 2, listeners: 2 })
  })
})
