/** `timeouts.request-timeout` of the configuration, through a real Envoy: it bounds receiving a request. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { engineOptions } from '../configuration/engine-options.ts'
import { readFileText } from '../configuration/read.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { Backend, Client, proxyObject, serviceObjects, settled, translateFor } from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const boundMs = 1000

describe.skipIf(withoutEnvoy()).each(ways)(
  'a bound for requests, in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const stand = new Stand()
    const backend = new Backend('one', (incoming, response) => {
      incoming.resume()
      incoming.on('end', () => response.end('one'))
    })
    let client: Client

    beforeAll(async () => {
      await stand.open()
      await backend.open()
      client = new Client(stand.httpPort)
      await stand.startEnvoy(way)
      const { settings } = readFileText(`timeouts: {request-timeout: ${boundMs}ms}`)
      const { listeners } = engineOptions({
        ...settings,
        httpAccessLog: '',
        httpsAccessLog: '',
        adminPort: 0,
      })
      const at = (port: number) => ({ address: '127.0.0.1', port })
      const [http, https, stats] = [at(stand.httpPort), at(stand.httpsPort), at(0)]
      const text = [
        serviceObjects('one', [{ http: backend.port }]),
        proxyObject('bound', 'routes: [{services: [{name: one, port: 80}]}]'),
      ].join('')
      stand.publishEach((layout) =>
        translateFor(stand, text, layout, { listeners: { ...listeners, http, https, stats } }),
      )
      await eventually('settled', () => settled(stand))
      await eventually('the port opens', () => stand.http('bound.test'))
    }, 60_000)

    afterAll(async () => {
      client.close()
      await stand.close()
      backend.close()
    })

    test('a request whose body does not come to its end is a 408', async () => {
      expect(stand.refused).toEqual([])
      const headers = { host: 'bound.test', 'content-length': 10 }
      const at = { host: '127.0.0.1', port: stand.httpPort, method: 'POST', agent: false }
      const call = request({ ...at, headers }).on('error', () => {})
      call.write('half')
      const [response]: IncomingMessage[] = await once(call, 'response')
      call.destroy()
      expect(response?.statusCode).toBe(408)
    })

    test('an answer may take longer than the request was allowed to', async () => {
      const usual = backend.answer
      backend.answer = async (incoming, response) => {
        incoming.resume()
        await sleep(2 * boundMs)
        response.end('late')
      }
      const { status, body } = await client.send('bound.test', { method: 'POST', body: 'whole' })
      backend.answer = usual
      expect([status, body]).toEqual([200, 'late'])
    })
  },
)
