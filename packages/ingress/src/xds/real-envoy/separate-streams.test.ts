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
    await stand.answers('a.test', '1')
    await stand.answers('a.test', '1', stand.httpsPort)
    publish(
      { 'a.test': answer('2'), 'b.test': { match: { safe_regex: { regex: '(' } }, ...answer('2') } },
      '2',
    )
    await stand.answers('a.test', '2', stand.httpsPort)
    await eventually('refused', () => stand.refused[0])
    await delay(200)
    expect(stand.refused).toMatchObject([
      { type: 'routes', name: 'one', message: expect.stringContaining('missing )') },
    ])
    await stand.answers('a.test', '1')
    publish({ 'a.test': answer('3'), 'b.test': answer('3') }, '3')
    await stand.answers('a.test', '3')
    await stand.answers('b.test', '3')
    await eventually('cleared', () => stand.cleared[0])
    expect(stand.cleared).toEqual(['routes/one'])
  })

  test('one that comes back and refuses what it served in an older form names it, and goes on with all that it has', async () => {
    const ports = await Promise.all(['one', 'bad', 'new'].map((name) => stand.backend(name)))
    const ringless = {
      lb_policy: 'RING_HASH',
      ring_hash_lb_config: { minimum_ring_size: 9, maximum_ring_size: 1 },
    }
    const publish = (names: readonly string[], bad: { cluster?: JsonObject; listener?: Resource }) =>
      stand.publishEach(() =>
        snapshot({
          clusters: names.map((name) => streamedCluster(name, name === 'bad' ? bad.cluster : {})),
          endpoints: names.map((name, index) => endpoints(name, ports[index] ?? 0)),
          listeners: [
            tableListener('table', stand.httpPort),
            bad.listener ?? tableListener('bad', stand.httpsPort),
          ],
          routes: ['table', 'bad'].map((one) =>
            table(one, Object.fromEntries(names.map((name) => [`${name}.test`, toCluster(name)]))),
          ),
          runtime: [runtime({})],
        }),
      )
    publish(['one', 'bad'], {})
    for (const port of [stand.httpPort, stand.httpsPort])
      for (const name of ['one', 'bad']) await stand.answers(`${name}.test`, name, port)
    await stand.server.stop()
    await stand.startServer()
    publish(['one', 'bad', 'new'], {
      cluster: ringless,
      listener: httpsListener(stand.httpsPort, 'none', 'bad'),
    })
    const lost: unknown[] = []
    const ask = async () => {
      stand.hangUp()
      for (const port of [stand.httpPort, stand.httpsPort])
        for (const name of ['one', 'bad']) {
          const answered = await stand.http(`${name}.test`, '/', port)
          if (answered?.body !== name) lost.push([port, answered])
        }
    }
    await eventually('both are refused', async () => {
      await ask()
      return stand.refused.length > 1 ? true : undefined
    })
    for (let round = 0; round < 5; round++) {
      await delay(100)
      await ask()
    }
    await stand.answers('new.test', 'new')
    expect(stand.refused.map(({ type, name }) => `${type}/${name}`).toSorted()).toEqual([
      'clusters/bad',
      'listeners/bad',
    ])
    for (const { message } of stand.refused) expect(message).toMatch(/^Error adding\/updating .* bad: /)
    expect(lost).toEqual([])
    expect(await stand.sent()).toMatchObject({ clusters: 1, listeners: 1 })
  })
})
