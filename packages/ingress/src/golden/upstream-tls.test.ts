/** Whose certificates are taken from backends, through a real Envoy; and that a rotation touches no cluster. */
import type { TLSSocket } from 'node:tls'
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
const to = (validation: string, name = 'one') =>
  `routes: [{services: [{name: ${name}, port: 80, protocol: tls${validation}}]}]`
const by = (caSecret: string, subjectName: string) =>
  `, validation: {caSecret: ${caSecret}, subjectName: ${subjectName}}`

const byNames = (names: string) => `, validation: {caSecret: ca, subjectNames: [${names}]}`

const objects = (port: number, other: number, rotated: string) =>
  [
    serviceObjects('one', [{ http: port }]),
    serviceObjects('two', [{ http: other }]),
    secretObject('ca', { 'ca.crt': pem('ca.pem') }),
    secretObject('other', { 'ca.crt': pem('other-ca.pem') }),
    secretObject('rotating', { 'ca.crt': pem(rotated) }),
    proxyObject('verified', to(by('ca', 'backend.test'))),
    proxyObject('authority', to(by('other', 'backend.test'))),
    proxyObject('name', to(by('ca', 'another.test'))),
    proxyObject('one-of-names', to(byNames('another.test, backend.test'))),
    proxyObject('no-name', to(byNames('another.test, alice.test'))),
    proxyObject('uri', to(byNames('spiffe://test/alice'), 'two')),
    proxyObject('other-uri', to(byNames('spiffe://test/bob'), 'two')),
    proxyObject(
      'named',
      `routes: [{requestHeadersPolicy: {set: [{name: Host, value: route.test}]}, services: [{name: one, port: 80,
       protocol: tls}]}, {conditions: [{prefix: /service}], requestHeadersPolicy: {set: [{name: Host, value: route.test}]},
       services: [{name: one, port: 80, protocol: tls, requestHeadersPolicy: {set: [{name: Host, value: service.test}]}}]}]`,
    ),
    ...['lent', 'kept'].map((name) =>
      secretObject(name, { 'ca.crt': pem('ca.pem') }).replace('"namespace":"web"', '"namespace":"certs"'),
    ),
    `---
kind: TLSCertificateDelegation
metadata: {name: lent, namespace: certs}
spec: {delegations: [{secretName: lent, targetNamespaces: [other, web]}, {secretName: kept, targetNamespaces: [other]}]}
`,
    proxyObject('lent', to(by('certs/lent', 'backend.test'))),
    proxyObject('kept', to(by('certs/kept', 'backend.test'))),
    proxyObject('unverified', to('')),
    proxyObject('rotating', to(by('rotating', 'backend.test'))),
  ].join('')

describe.skipIf(withoutEnvoy()).each(ways)(
  'TLS with backends, in an Envoy by way of %s',
  { timeout: 60_000 },
  (way) => {
    const stand = new Stand()
    const backend = new Backend('one', undefined, pairOf('server'))
    const second = new Backend('two', undefined, pairOf('alice'))
    let client: Client

    async function publish(rotated: string): Promise<void> {
      stand.publishEach((layout) => translateFor(stand, objects(backend.port, second.port, rotated), layout))
      await eventually('settled', () => settled(stand))
    }

    beforeAll(async () => {
      await stand.open()
      await backend.open()
      await second.open()
      client = new Client(stand.httpPort)
      await stand.startEnvoy(way)
      await publish('other-ca.pem')
      await eventually('the port opens', () => stand.http('verified.test'))
    }, 60_000)

    afterAll(async () => {
      client.close()
      await stand.close()
      backend.close()
      second.close()
    })

    test('only a certificate by the authority, with the name, is taken', async () => {
      const status = async (host: string) => (await client.send(host)).status
      expect(await status('verified.test')).toBe(200)
      expect(await status('authority.test')).toBe(503)
      expect(await status('name.test')).toBe(503)
      expect(await status('unverified.test')).toBe(200)
    })

    test('of several names the certificate must have one, by DNS or as a URI', async () => {
      const status = async (host: string) => (await client.send(host)).status
      expect([await status('one-of-names.test'), await status('no-name.test')]).toEqual([200, 503])
      expect([await status('uri.test'), await status('other-uri.test')]).toEqual([200, 503])
    })

    test('an authority of another namespace counts where that namespace gives it out', async () => {
      const status = async (host: string) => (await client.send(host)).status
      expect([await status('lent.test'), await status('kept.test')]).toEqual([200, 404])
    })

    test('the backend is asked by the name that the host becomes, that of the Service before that of the route', async () => {
      backend.answer = ({ socket, headers }, response) => {
        response.end(`${(socket as TLSSocket & { servername?: string | false }).servername} ${headers.host}`)
      }
      const asked = async (host: string, path = '/') => (await client.send(host, { path })).body
      expect(await asked('unverified.test')).toBe('false unverified.test')
      expect(await asked('named.test')).toBe('route.test route.test')
      expect(await asked('named.test', '/service')).toBe('service.test route.test')
      backend.answer = (_request, response) => response.end('one')
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
  const { changes } = readObjects(objects(80, 81, 'other-ca.pem'))
  for (const change of changes) take(world, change)
  const engine = new Engine(world)
  engine.apply(changes)
  engine.drain()
  const isRotating = ({ kind, key }: Change) => kind === 'secret' && key === 'web/rotating'
  const rotated = readObjects(objects(80, 81, 'ca.pem')).changes.find(isRotating)
  if (rotated === undefined) throw new Error('no Secret')
  take(world, rotated)
  engine.apply([rotated])
  const changed = Object.entries(engine.drain()).flatMap(([type, table]) =>
    [...table.keys()].map((name) => `${type} ${name}`),
  )
  expect(changed).toEqual(['secrets web/rotating/ca.crt'])
})
