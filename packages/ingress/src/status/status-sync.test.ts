import { type HTTPProxy, httpProxy } from '@landfall/api'
import { customType, type RawObject } from '@landfall/kube'
import { FakeApiServer } from '@landfall/kube/testing'
import { silentLogger } from '@landfall/telemetry'
import { expect, test } from 'vitest'
import { warning } from '../dag/problem.ts'
import { eventually } from '../envoy-process/envoy-process.ts'
import { emptyWorld } from '../model/objects.ts'
import { extensionServiceType, StatusSync } from './status-sync.ts'

const httpProxyType = customType<HTTPProxy>(httpProxy)

test('while the API server is away nothing is tried and nothing has failed', async () => {
  const raw = { metadata: { name: 'one', namespace: 'ns' }, spec: { virtualhost: { fqdn: 'a.test' } } }
  const server = new FakeApiServer(({ body }) => ({ body: body ?? raw }))
  await server.listen()
  const cluster = server.cluster()
  const world = emptyWorld()
  world.httpProxy.set('ns/one', httpProxyType.project(raw))
  const outcomes: string[] = []
  const written = Promise.withResolvers<void>()
  const sync = new StatusSync({
    cluster,
    logger: silentLogger(),
    world,
    classes: [],
    httpProxyType,
    verdict: () => ({ reached: true, problems: [] }),
    refusals: () => [],
    addresses: () => [],
    isLeader: () => true,
    onOutcome: (_, outcome) => {
      outcomes.push(outcome)
      written.resolve()
    },
  })
  cluster.gate.shut()
  sync.touch('httpProxy', 'ns/one')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect([server.requests.length, outcomes]).toEqual([0, []])
  cluster.gate.open()
  await written.promise
  expect(server.requests.map(({ method }) => method)).toEqual(['GET', 'PUT'])
  expect(outcomes).toEqual(['written'])
  await sync.stop()
  cluster.close()
  await server.close()
})

test('an ExtensionService gets its verdict as a condition, once', async () => {
  let stored: RawObject = {
    metadata: { name: 'auth', namespace: 'ns', generation: 4 },
    spec: { services: [{ name: 'auth', port: 80 }] },
  }
  const server = new FakeApiServer(({ method, body }) => {
    if (method === 'PUT') stored = body as RawObject
    return { body: stored }
  })
  await server.listen()
  const cluster = server.cluster()
  const world = emptyWorld()
  world.extensionService.set('ns/auth', extensionServiceType.project(stored))
  const outcomes: string[] = []
  const sync = new StatusSync({
    cluster,
    logger: silentLogger(),
    world,
    classes: [],
    httpProxyType,
    verdict: (kind) => ({ reached: true, problems: [warning('SpecError', 'IgnoredField', `of a ${kind}`)] }),
    refusals: () => [],
    addresses: () => [],
    isLeader: () => true,
    onOutcome: (kind, outcome) => outcomes.push(`${kind} ${outcome}`),
  })
  sync.touchAll()
  await eventually('written', () => outcomes[0])
  const { pathname } = new URL(server.requests.at(-1)?.path ?? '', 'http://api')
  expect(pathname).toBe('/apis/projectcontour.io/v1alpha1/namespaces/ns/extensionservices/auth/status')
  expect(extensionServiceType.project(stored).status?.conditions).toMatchObject([
    {
      type: 'Valid',
      status: 'True',
      observedGeneration: 4,
      warnings: [{ reason: 'IgnoredField', message: 'of a extensionService' }],
    },
  ])
  world.extensionService.set('ns/auth', extensionServiceType.project(stored))
  sync.touch('extensionService', 'ns/auth')
  await eventually('looked at again', () => outcomes[1])
  expect(outcomes).toEqual(['extensionService written', 'extensionService unchanged'])
  await sync.stop()
  cluster.close()
  await server.close()
})
