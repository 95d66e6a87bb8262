/** Envoy's own listeners, through a real Envoy: `health-om-enforced`, which obeys its limits, and the administration. */
import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freePort, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { optionsOf, publishWith, RawClient } from './settings-traffic.ts'
import { proxyObject } from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const text = proxyObject('here', 'routes: [{directResponsePolicy: {statusCode: 200, body: here}}]')

/** undefined: there was no answer. */
function ask(port: number, path: string, method = 'GET'): Promise<number | undefined> {
  return new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode))
    })
    call.on('error', () => resolve(undefined))
    call.end()
  })
}

describe.skipIf(withoutEnvoy()).each(ways)(
  "Envoy's own listeners, by way of %s",
  { timeout: 60_000 },
  (way) => {
    let stand: Stand

    beforeEach(async () => {
      stand = await new Stand().open()
    })
    afterEach(() => stand.close())

    test('health-om-enforced is not ready while there are as many connections as Envoy takes, and health is', async () => {
      const [stats, port] = [await freePort(), await freePort()]
      await stand.startEnvoy(way, undefined, { maximumDownstreamConnections: 3 })
      const file = `omEnforcedHealthListener: {address: 127.0.0.1, port: ${port}}`
      const { limitedHealth } = optionsOf(file).listeners
      expect(limitedHealth).toEqual({ address: '127.0.0.1', port })
      await publishWith(stand, text, file, { stats: { address: '127.0.0.1', port: stats } })
      await expect.poll(() => ask(port, '/ready')).toBe(200)
      await expect.poll(() => ask(stats, '/ready')).toBe(200)
      expect([await ask(port, '/stats'), await ask(port, '/ready', 'POST')]).toEqual([404, 404])

      const held: RawClient[] = []
      const oneMore = () => {
        const raw = new RawClient(stand.httpPort)
        held.push(raw)
        return raw.ask('here.test')
      }
      await expect.poll(oneMore).toBe(200)
      await expect.poll(oneMore).toBeUndefined()
      await expect.poll(() => ask(port, '/ready')).toBeUndefined()
      expect(await ask(stats, '/ready')).toBe(200)
      for (const { socket } of held) socket.destroy()
      await expect.poll(() => ask(port, '/ready')).toBe(200)
      expect(stand.refused).toEqual([])
    })

    test('the administration is there to be read, on the loopback, and changes nothing', async () => {
      const adminPort = await freePort()
      const envoy = await stand.startEnvoy(way)
      await publishWith(stand, text, `network: {admin-port: ${adminPort}}`, { adminPort })
      await expect.poll(() => ask(adminPort, '/ready')).toBe(200)
      const read = [
        '/certs',
        '/clusters',
        '/config_dump',
        '/config_dump?resource=dynamic_listeners',
        '/listeners',
        '/memory',
        '/runtime',
        '/server_info',
        '/stats',
        '/stats/prometheus',
        '/stats/recentlookups',
      ]
      expect(await Promise.all(read.map((path) => ask(adminPort, path)))).toEqual(read.map(() => 200))
      const changing = [
        '/quitquitquit',
        '/healthcheck/fail',
        '/logging?level=trace',
        '/reset_counters',
        '/drain_listeners',
        '/runtime_modify?a=b',
        '/stats/recentlookups/enable',
        '/stats/../quitquitquit',
        '/',
      ]
      for (const method of ['GET', 'POST'])
        expect(await Promise.all(changing.map((path) => ask(adminPort, path, method)))).toEqual(
          changing.map(() => 404),
        )
      for (const method of ['POST', 'PUT', 'DELETE']) expect(await ask(adminPort, '/stats', method)).toBe(404)
      const { state } = JSON.parse(await envoy.admin('/server_info'))
      expect(state).toBe('LIVE')
      expect(await envoy.admin('/listeners')).toContain(`envoy-admin::127.0.0.1:${adminPort}\n`)
      expect(stand.refused).toEqual([])
    })
  },
)
