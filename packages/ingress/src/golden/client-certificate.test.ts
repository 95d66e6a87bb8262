/** The certificate that Envoy shows to backends: through a real Envoy, and what is said while there is none. */
import { afterEach, describe, expect, test } from 'vitest'
import { engineOptions } from '../configuration/engine-options.ts'
import { readFileText } from '../configuration/read.ts'
import { Engine } from '../engine/engine.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { type Change, emptyWorld, take } from '../model/objects.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { readObjects } from './objects.ts'
import {
  Backend,
  pairOf,
  pem,
  proxyObject,
  secretObject,
  serviceObjects,
  settled,
  translateFor,
} from './traffic.ts'

const { settings } = readFileText('tls: {envoy-client-certificate: {name: envoy, namespace: web}}')
const options = engineOptions(settings)
const certificate = secretObject('envoy', { 'tls.crt': pem('alice.pem'), 'tls.key': pem('alice.key') })
const objects = (port: number) =>
  [
    serviceObjects('one', [{ http: port }]),
    proxyObject('asked', 'routes: [{services: [{name: one, port: 80, protocol: tls}]}]'),
    proxyObject('plain', 'routes: [{directResponsePolicy: {statusCode: 200}}]'),
  ].join('')

const ways: readonly Way[] = ['delta', 'streams']

describe.skipIf(withoutEnvoy()).each(ways)('in an Envoy by way of %s', (way) => {
  const stand = new Stand()
  afterEach(() => stand.close())

  test('a backend that insists on a certificate is shown it', async () => {
    await stand.open()
    await stand.startEnvoy(way)
    const strict = { ...pairOf('server'), ca: pem('ca.pem'), requestCert: true, rejectUnauthorized: true }
    const backend = await new Backend('one', undefined, strict).open()
    const publish = (dag: typeof options.dag) =>
      stand.publishEach((layout) => translateFor(stand, certificate + objects(backend.port), layout, { dag }))
    publish(engineOptions({}).dag)
    await eventually('the port opens', () => stand.http('plain.test'))
    await eventually('settled', () => settled(stand))
    expect((await stand.http('asked.test'))?.status).toBe(503)
    publish(options.dag)
    const status = await eventually('it is let in', async () =>
      (await stand.http('asked.test'))?.status === 200 ? 200 : undefined,
    )
    expect(status).toBe(200)
    expect(stand.refused).toEqual([])
    backend.close()
  })
})

test('without it, what needs it answers 503 and says so; with it, all is well again', () => {
  const world = emptyWorld()
  const engine = new Engine(world, options)
  const apply = (changes: readonly Change[]) => {
    for (const change of changes) take(world, change)
    engine.apply(changes)
  }
  const shown = () => {
    const { clusters, secrets } = engine.snapshot()
    return [
      clusters.size,
      [...secrets.keys()],
      engine.verdict('httpProxy', 'web/asked').problems.at(-1)?.reason,
    ]
  }
  apply(readObjects(objects(8080)).changes)
  expect(shown()).toEqual([0, [], 'SecretNotValid'])
  expect(engine.verdict('httpProxy', 'web/plain').problems).toEqual([])
  const { changes } = readObjects(certificate)
  apply(changes)
  expect(shown()).toEqual([1, ['web/envoy'], 'UpstreamNotVerified'])
  const gone = changes.map((change) => ({ ...change, before: change.after, after: undefined }) as Change)
  apply(gone)
  expect(shown()).toEqual([0, [], 'SecretNotValid'])
})
