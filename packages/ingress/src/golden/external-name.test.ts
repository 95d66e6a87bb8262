/** Services of type ExternalName through a real Envoy, with names from a server of the test's own. */
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultDagOptions } from '../dag/options.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { NameServer } from './name-server.ts'
import { Backend, Client, pairOf, pem, proxyObject, secretObject, settled, translateFor } from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']

const service = (name: string, externalName: string, port: number) => `---
kind: Service
metadata: {name: ${name}, namespace: web}
spec: {type: ExternalName, externalName: ${externalName}, ports: [{name: http, port: ${port}}]}
`
const to = (name: string, port: number, more = '') =>
  `routes: [{services: [{name: ${name}, port: ${port}${more}}]}]`

const objects = (plain: number, secure: number) =>
  [
    service('plain', 'backend.test', plain),
    service('secure', 'backend.test', secure),
    service('unknown', 'unknown.test', plain),
    service('own', 'localhost', plain),
    secretObject('ca', { 'ca.crt': pem('ca.pem') }),
    proxyObject('plain', to('plain', plain)),
    proxyObject(
      'secure',
      to('secure', secure, ', protocol: tls, validation: {caSecret: ca, subjectName: backend.test}'),
    ),
    proxyObject('unknown', to('unknown', plain)),
    proxyObject('own', to('own', plain)),
  ].join('')

describe.skipIf(withoutEnvoy()).each(ways)(
  'names outside, in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const stand = new Stand()
    const names = new NameServer({ 'backend.test': '127.0.0.1' })
    const plain = new Backend('plain')
    const secure = new Backend(
      'secure',
      ({ socket }, response) => response.end((socket as TLSSocket & { servername?: string }).servername),
      pairOf('server'),
    )
    let client: Client

    async function publish(enableExternalNameService: boolean): Promise<void> {
      const dag = { ...defaultDagOptions, enableExternalNameService }
      const text = objects(plain.port, secure.port)
      stand.publishEach((layout) => translateFor(stand, text, layout, { dag }))
      await eventually('settled', () => settled(stand))
    }

    beforeAll(async () => {
      await stand.open()
      for (const each of [names, plain, secure]) await each.open()
      client = new Client(stand.httpPort)
      await stand.startEnvoy(way, names.port)
      await publish(true)
      await eventually('the port opens', () => stand.http('plain.test'))
    }, 60_000)

    afterAll(async () => {
      client.close()
      await stand.close()
      for (const each of [names, plain, secure]) each.close()
    })

    test('requests go where the name leads, under the host that was asked for', async () => {
      const answered = await eventually('the name is known', async () => {
        const answer = await client.send('plain.test')
        return answer.status === 200 ? answer : undefined
      })
      expect([answered.body, plain.last.headers.host]).toEqual(['plain', 'plain.test'])
      expect(names.asked).toContain('backend.test')
      expect(stand.refused).toEqual([])
    })

    test('over TLS the name is the one that is asked for and checked', async () => {
      const { status, body } = await client.send('secure.test')
      expect([status, body]).toEqual([200, 'backend.test'])
    })

    test('a name that nobody knows is answered 503, and one of Envoy’s own machine never asked for', async () => {
      expect([(await client.send('unknown.test')).status, (await client.send('own.test')).status]).toEqual([
        503, 503,
      ])
      expect(names.asked).not.toContain('localhost')
    })

    test('without the setting none is served', async () => {
      await publish(false)
      await eventually('the routes are gone', async () =>
        (await client.send('plain.test')).status === 503 ? true : undefined,
      )
      expect((await client.send('secure.test')).status).toBe(503)
    })
  },
)
