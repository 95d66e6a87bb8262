/** `slowStartPolicy` of a service, through a real Envoy: what an endpoint gets that has only just come. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import { Backend, Client, proxyObject, serviceObjects, settled, translateFor } from './traffic.ts'

const windowMs = 8000
// With this aggression an endpoint has its tenth for three quarters of the window, and rises in the last one.
const slowly = `slowStartPolicy: {window: ${windowMs}ms, aggression: '0.1', minWeightPercent: 10}`

const objects = (ports: readonly number[]) =>
  [
    serviceObjects(
      'one',
      ports.map((http) => ({ http })),
    ),
    proxyObject('slow', `routes: [{services: [{name: one, port: 80, ${slowly}}]}]`),
    proxyObject('usual', 'routes: [{services: [{name: one, port: 80}]}]'),
  ].join('')

describe.skipIf(withoutEnvoy())('slow start', { timeout: 60_000 }, () => {
  const stand = new Stand()
  const [old, young] = [new Backend('old'), new Backend('young')]
  let client: Client

  const publish = async (...backends: readonly Backend[]) => {
    const text = objects(backends.map(({ port }) => port))
    stand.publishEach((layout) => translateFor(stand, text, layout))
    await eventually('settled', () => settled(stand))
  }

  /** The share of the young endpoint in so many requests. */
  const share = async (host: string, requests: number) => {
    let young = 0
    for (let n = 0; n < requests; n++) if ((await client.send(host)).body === 'young') young += 1
    return young / requests
  }

  beforeAll(async () => {
    await stand.open()
    await Promise.all([old.open(), young.open()])
    client = new Client(stand.httpPort)
    await stand.startEnvoy()
    await publish(old)
    await eventually('the port opens', () => stand.http('slow.test'))
  }, 60_000)

  afterAll(async () => {
    client.close()
    await stand.close()
    old.close()
    young.close()
  })

  test('a young endpoint gets few requests at first, and as many as the old one after its time', async () => {
    // The old one is past its own window.
    await sleep(windowMs)
    await publish(old, young)
    expect(stand.refused).toEqual([])
    await eventually('it is there', async () => (await share('usual.test', 2)) > 0 || undefined)
    const first = await share('slow.test', 100)
    expect(first).toBeGreaterThan(0)
    expect(first).toBeLessThan(0.3)
    expect(await share('usual.test', 100)).toBeGreaterThan(0.4)
    await sleep(windowMs)
    await eventually('an equal share', async () => (await share('slow.test', 100)) > 0.4 || undefined)
  })
})
