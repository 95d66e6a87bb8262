import { type HTTPProxy, httpProxy } from '@landfall/api'
import { customType, type RawObject } from '@landfall/kube'
import { FakeApiServer, statusOf } from '@landfall/kube/testing'
import { silentLogger } from '@landfall/telemetry'
import { expect, test } from 'vitest'
import { warning } from '../dag/problem.ts'
import { eventually } from '../envoy-process/envoy-process.ts'
import { emptyWorld } from '../model/objects.ts'
import { extensionServiceType, StatusSync, type StatusSyncOptions } from './status-sync.ts'

const httpProxyType = customType<HTTPProxy>(httpProxy)
/** A replica that leads, and has nothing to say but that all is well. */
const quiet: Omit<StatusSyncOptions, 'cluster' | 'world' | 'onOutcome'> = {
  logger: silentLogger(),
  classes: [],
  httpProxyType,
  verdict: () => ({ reached: true, problems: [] }),
  refusals: () => [],
  programmed: () => undefined,
  addresses: () => [],
  isLeader: () => true,
}

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
    ...quiet,
    cluster,
    world,
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
  expect(server.requests.map(({ method }) => method)).toEqual(['PUT'])
  expect(outcomes).toEqual(['written'])
  await sync.stop()
  cluster.close()
  await server.close()
})

test.each([
  { what: 'at rest', busy: false, atOnce: 8 },
  { what: 'while hosts come one after the other', busy: true, atOnce: 1 },
])('$what $atOnce statuses are written at once', async ({ busy, atOnce }) => {
  const server = new FakeApiServer(() => 'silence')
  await server.listen()
  const cluster = server.cluster()
  const world = emptyWorld()
  const spec = { virtualhost: { fqdn: 'a.test' } }
  for (let n = 0; n < 20; n++)
    world.httpProxy.set(
      `ns/${n}`,
      httpProxyType.project({ metadata: { name: `${n}`, namespace: 'ns' }, spec }),
    )
  const sync = new StatusSync({ ...quiet, cluster, world, isBusy: () => busy, onOutcome: () => {} })
  sync.touchAll()
  await expect.poll(() => server.requests.length).toBe(atOnce)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(server.requests.length).toBe(atOnce)
  const stopped = sync.stop()
  cluster.close()
  await server.close()
  await stopped
})

test('an ExtensionService gets its verdict as a condition, once', async () => {
  let stored: RawObject = {
    metadata: { name: 'auth', namespace: 'ns', generation: 4 },
    spec: { services: [{ name: 'auth', port: 80 }] },
  }
  const server = new FakeApiServer(({ method, body }) => {
    if (method === 'PUT') stored = { ...stored, status: (body as RawObject)['status'] }
    return { body: stored }
  })
  await server.listen()
  const cluster = server.cluster()
  const world = emptyWorld()
  world.extensionService.set('ns/auth', extensionServiceType.project(stored))
  const outcomes: string[] = []
  const sync = new StatusSync({
    ...quiet,
    cluster,
    world,
    verdict: (kind) => ({ reached: true, problems: [warning('SpecError', 'IgnoredField', `of a ${kind}`)] }),
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

test('a replica that does not lead writes what its Envoy refuses, and the leader keeps it while it stands', async () => {
  let stored: RawObject = {
    metadata: { name: 'one', namespace: 'ns', generation: 2, resourceVersion: '1' },
    spec: { virtualhost: { fqdn: 'A.test' } },
  }
  const server = new FakeApiServer(({ method, body }) => {
    if (method !== 'PUT') return { body: stored }
    const { metadata, status } = body as RawObject
    if (metadata.resourceVersion !== stored.metadata.resourceVersion)
      return { status: 409, body: statusOf(409, 'Conflict') }
    const resourceVersion = String(1 + Number(metadata.resourceVersion))
    stored = { ...stored, metadata: { ...stored.metadata, resourceVersion }, status }
    return { body: stored }
  })
  await server.listen()
  const cluster = server.cluster()
  const world = emptyWorld()
  const observe = () => world.httpProxy.set('ns/one', httpProxyType.project(stored))
  observe()
  const refused = {
    layout: 'scoped' as const,
    type: 'scopes' as const,
    name: 'http/a.test',
    version: '0123456789abcdef',
    build: '1.40.0',
    message: 'no',
  }
  const replica = (leads: boolean, refusals: StatusSyncOptions['refusals']) => {
    const outcomes: string[] = []
    const sync = new StatusSync({
      ...quiet,
      cluster,
      world,
      refusals,
      isLeader: () => leads,
      onOutcome: (_, outcome) => outcomes.push(outcome),
    })
    const after = (count: number) =>
      eventually(`${count} looks`, () => (outcomes.length >= count ? outcomes : undefined))
    return { sync, after }
  }
  const types = () => httpProxyType.project(stored).status?.conditions?.map(({ type }) => type)
  let refuses = true
  let stands = true
  const follower = replica(false, (host) => (refuses && host === 'a.test' ? [refused] : []))
  const leader = replica(true, (_, __, told) => told.filter(() => stands))

  follower.sync.touch('httpProxy', 'ns/one')
  follower.sync.touchProgrammed('ns/one')
  expect(await follower.after(1)).toEqual(['written'])
  expect(stored['status']).toMatchObject({
    conditions: [{ type: 'Programmed', status: 'False', observedGeneration: 2 }],
  })
  expect(Object.keys(stored['status'] ?? {})).toEqual(['conditions'])
  leader.sync.touch('httpProxy', 'ns/one')
  await leader.after(1)
  expect(types()).toEqual(['Valid', 'Programmed'])
  observe()
  follower.sync.touchProgrammed('ns/one')
  leader.sync.touchProgrammed('ns/one')
  expect(await follower.after(2)).toEqual(['written', 'unchanged'])
  expect(await leader.after(2)).toEqual(['written', 'unchanged'])
  refuses = false
  follower.sync.touchProgrammed('ns/one')
  await follower.after(3)
  expect(types()).toEqual(['Valid'])

  refuses = true
  follower.sync.touchProgrammed('ns/one')
  await follower.after(4)
  observe()
  stands = false
  leader.sync.touch('httpProxy', 'ns/one')
  await leader.after(3)
  expect(types()).toEqual(['Valid'])
  await follower.sync.stop()
  await leader.sync.stop()
  cluster.close()
  await server.close()
})

test('a verdict waits for what Envoys say of it, and both are one write; it is said while they are away for a moment', async () => {
  let stored: RawObject = {
    metadata: { name: 'one', namespace: 'ns', generation: 1, resourceVersion: '1' },
    spec: { virtualhost: { fqdn: 'A.test' } },
  }
  const server = new FakeApiServer(({ method, body }) => {
    if (method === 'PUT') stored = { ...stored, status: (body as RawObject)['status'] }
    return { body: stored }
  })
  await server.listen()
  const cluster = server.cluster()
  const world = emptyWorld()
  const observe = () => world.httpProxy.set('ns/one', httpProxyType.project(stored))
  observe()
  let state: ReturnType<StatusSyncOptions['programmed']> = 'pending'
  const outcomes: string[] = []
  const asked: string[] = []
  const sync = new StatusSync({
    ...quiet,
    cluster,
    world,
    programmed: (host, key) => {
      asked.push(`${host} ${key}`)
      return state
    },
    onOutcome: (_, outcome) => outcomes.push(outcome),
  })
  const looked = (count: number) =>
    eventually(`${count} looks`, () => (outcomes.length >= count ? outcomes.at(-1) : undefined))
  const conditions = () =>
    httpProxyType
      .project(stored)
      .status?.conditions?.map(({ type, status, reason }) => [type, status, reason])

  sync.touch('httpProxy', 'ns/one')
  await eventually('asked', () => asked[0])
  expect([asked[0], server.requests.length]).toEqual(['a.test ns/one', 0])
  state = 'acknowledged'
  sync.touch('httpProxy', 'ns/one')
  expect(await looked(1)).toBe('written')
  expect(conditions()).toEqual([
    ['Valid', 'True', 'Valid'],
    ['Programmed', 'True', 'Programmed'],
  ])
  expect(server.requests.map(({ method }) => method)).toEqual(['PUT'])
  observe()
  for (const now of ['pending', 'absent'] as const) {
    state = now
    sync.touch('httpProxy', 'ns/one')
    await looked(now === 'pending' ? 2 : 3)
  }
  expect(outcomes.slice(1)).toEqual(['unchanged', 'unchanged'])
  state = 'none'
  sync.touch('httpProxy', 'ns/one')
  expect(await looked(4)).toBe('written')
  expect(conditions()?.[1]).toEqual(['Programmed', 'Unknown', 'NoEnvoy'])
  stored = { ...stored, metadata: { ...stored.metadata, generation: 2 } }
  observe()
  state = 'pending'
  sync.touch('httpProxy', 'ns/one')
  expect(await looked(5)).toBe('written')
  expect(conditions()?.[1]).toEqual(['Programmed', 'Unknown', 'Pending'])
  state = 'acknowledged'
  sync.touchWaiting()
  expect(await looked(6)).toBe('written')
  expect(conditions()?.[1]).toEqual(['Programmed', 'True', 'Programmed'])
  await sync.stop()
  cluster.close()
  await server.close()
})

test('where no Envoy is, a verdict waits for none; those that come are asked', async () => {
  let stored: RawObject = {
    metadata: { name: 'one', namespace: 'ns', generation: 1, resourceVersion: '1' },
    spec: { virtualhost: { fqdn: 'a.test' } },
  }
  const server = new FakeApiServer(({ method, body }) => {
    if (method === 'PUT') stored = { ...stored, status: (body as RawObject)['status'] }
    return { body: stored }
  })
  await server.listen()
  const cluster = server.cluster()
  const world = emptyWorld()
  const observe = () => world.httpProxy.set('ns/one', httpProxyType.project(stored))
  observe()
  let state: ReturnType<StatusSyncOptions['programmed']> = 'absent'
  let looks = 0
  const outcomes: string[] = []
  const programmed = () => {
    looks++
    return state
  }
  const onOutcome = (_: string, outcome: string) => outcomes.push(outcome)
  const sync = new StatusSync({ ...quiet, cluster, world, programmed, onOutcome })
  const reasons = () => httpProxyType.project(stored).status?.conditions?.map(({ reason }) => reason)
  sync.touch('httpProxy', 'ns/one')
  await eventually('written', () => outcomes[0])
  expect([reasons(), looks]).toEqual([['Valid', 'NoEnvoy'], 1])
  observe()
  state = 'acknowledged'
  sync.touchWaiting()
  await eventually('written again', () => outcomes[1])
  expect(reasons()).toEqual(['Valid', 'Programmed'])
  await sync.stop()
  cluster.close()
  await server.close()
})
