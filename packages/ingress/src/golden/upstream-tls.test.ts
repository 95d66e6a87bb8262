/** Whose certificates are taken from backends, through a real Envoy; and that a rotation touches no cluster. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { type Change, emptyWorld, take } from '../model/objects.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { readObjects } from './objects.ts'
import {
  Backend,
  Client,
  pairOf,
  pem,
  proxyObject,
  secretObject,
  serviceObjects,
  settled,
  translateFor,
} from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const to = (validation: string) => `routes: [{services: [{name: one, port: 80, protocol: tls${validation}}]}]`
const by = (caSecret: string, subjectName: string) =>
  `, validation: {caSecret: ${caSecret}, subjectName: ${subjectName}}`

const objects = (port: number, rotated: string) =>
  [
    serviceObjects('one', [{ http: port }]),
    secretObject('ca', { 'ca.crt': pem('ca.pem') }),
    secretObject('other', { 'ca.crt': pem('other-ca.pem') }),
    secretObject('rotating', { 'ca.crt': pem(rotated) }),
    proxyObject('verified', to(by('ca', 'backend.test'))),
    proxyObject('authority', to(by('other', 'backend.test'))),
    proxyObject('name', to(by('ca', 'another.test'))),
    proxyObject('unverified', to('')),
    proxyObject('rotating', to(by('rotating', 'backend.test'))),
  ].join('')

describe.skipIf(withoutEnvoy()).each(ways)(
  'TLS with backends, in an Envoy by way of %s',
  { timeout: 30_000 },
  (way) => {
    const stand = new Stand()
    const backend = new Backend('one', undefined, pairOf('server'))
    let client: Client

    async function publish(rotated: string): Promise<void> {
      stand.publishEach((layout) => translateFor(stand, objects(backend.port, rotated), layout))
      await eventually('settled', () => settled(stand))
    }

    beforeAll(async () => {
      await stand.open()
      await backend.open()
      client = new Client(stand.httpPort)
      await stand.startEnvoy(way)
      await publish('other-ca.pem')
      await eventually('the port opens', () => stand.http('verified.test'))
    }, 60_000)

    afterAll(async () => {
      client.close()
      await stand.close()
      backend.close()
    })

    test('only a certificate by the authority, with the name, is taken', async () => {
      const status = async (host: string) => (await client.send(host)).status
      expect(await status('verified.test')).toBe(200)
      expect(await status('authority.test')).toBe(503)
      expect(await status('name.test')).toBe(503)
      expect(await status('unverified.test')).toBe(200)
    })

    test('another authority in the Secret counts at once', async () => {
      expect((await client.send('rotating.test')).status).toBe(503)
      await publish('ca.pem')
      await eventually('the new authority', async () =>
        (await client.send('rotating.test')).status === 200 ? true : undefined,
      )
      expect(stand.refused).toEqual([])
    })
  },
)

test('rule 38: a rotated authority changes its secret and nothing else', () => {
  const world = emptyWorld()
  const { changes } = readObjects(objects(80, 'other-ca.pem'))
  for (const change of changes) take(world, change)
  const engine = new Engine(world)
  engine.apply(changes)
  engine.drain()
  const isRotating = ({ kind, key }: Change) => kind === 'secret' && key === 'web/rotating'
  const rotated = readObjects(objects(80, 'ca.pem')).changes.find(isRotating)
  if (rotated === undefined) throw new Error('no Secret')
  take(world, rotated)
  engine.apply([rotated])
  const changed = Object.entries(engine.drain()).flatMap(([type, table]) =>
    [...table.keys()].map((name) => `${type} ${name}`),
  )
  expect(changed).toEqual(['secrets web/rotating/ca.crt'])
})
