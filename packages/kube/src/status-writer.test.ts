import { createLogger, type Logger } from '@landfall/telemetry'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configMapType } from './core-types.ts'
import type { RawObject } from './resource.ts'
import { firstPruned, sameWritable, writableOf } from './status-fields.ts'
import { StatusWriter } from './status-writer.ts'
import { configMap, FakeApiServer, type FakeReply, statusOf } from './testing/fake-api-server.ts'

const toWhom = 'User "system:serviceaccount:a:b" cannot update'
const noRight = `configmaps "a" is forbidden: ${toWhom} resource "configmaps/status" in API group "" in the namespace "default"`
const denied = `configmaps "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: no`

/** Longer than any test. */
const patient = { firstMs: 60_000, ceilingMs: 600_000 }

describe('a status writer', () => {
  let server: FakeApiServer
  let lines: Record<string, unknown>[]
  let writer: StatusWriter
  let puts: unknown[]
  let logger: Logger

  beforeEach(async () => {
    server = new FakeApiServer()
    await server.listen()
    lines = []
    puts = []
    logger = createLogger({ write: (line) => void lines.push(JSON.parse(line)) })
    writer = new StatusWriter(server.cluster(), logger)
  })

  afterEach(() => server.close())

  /** GET answers the object of the turn, PUT what the test says. */
  function serve(objects: readonly RawObject[], put: (body: unknown) => FakeReply) {
    let turn = 0
    server.answer = ({ method, body }) => {
      if (method === 'GET') return { body: objects[Math.min(turn++, objects.length - 1)] }
      puts.push(body)
      return put(body)
    }
  }

  const ready = (raw: RawObject): RawObject => ({ ...raw, status: { ready: true } })

  it('reads and changes the object anew after a conflict', async () => {
    serve([configMap('a', 1, { k: 'old' }), configMap('a', 2, { k: 'new' })], (body) =>
      puts.length === 1 ? { status: 409, body: statusOf(409, 'Conflict') } : { body },
    )
    expect(await writer.write(configMapType, 'default/a', ready)).toBe('written')
    expect(puts).toMatchObject([
      { metadata: { resourceVersion: '1' }, data: { k: 'old' }, status: { ready: true } },
      { metadata: { resourceVersion: '2' }, data: { k: 'new' }, status: { ready: true } },
    ])
    expect(server.requests.at(-1)?.path).toBe('/api/v1/namespaces/default/configmaps/a/status')
  })

  it('sends what was observed unread, and reads the object after a conflict', async () => {
    const { data: _, ...observed } = configMap('a', 1)
    serve([configMap('a', 2, { k: 'new' })], (body) =>
      puts.length === 2 ? { status: 409, body: statusOf(409, 'Conflict') } : { body },
    )
    expect(await writer.write(configMapType, 'default/a', ready, { observed })).toBe('written')
    expect([server.requests.map(({ method }) => method), puts]).toEqual([
      ['PUT'],
      [{ ...observed, status: { ready: true } }],
    ])
    expect(await writer.write(configMapType, 'default/a', ready, { observed })).toBe('written')
    expect(server.requests.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'GET', 'PUT'])
    expect(puts.at(-1)).toMatchObject({ metadata: { resourceVersion: '2' }, data: { k: 'new' } })
  })

  it('gives up after some conflicts', async () => {
    serve([configMap('a', 1)], () => ({ status: 409, body: statusOf(409, 'Conflict') }))
    await expect(writer.write(configMapType, 'default/a', ready)).rejects.toMatchObject({ status: 409 })
    expect(puts).toHaveLength(6)
  })

  it('sees a change that a mutation made in place', async () => {
    serve([configMap('a', 1)], (body) => ({ body }))
    const outcome = await writer.write(configMapType, 'default/a', (raw) =>
      Object.assign(raw, { status: { a: 1 } }),
    )
    expect([outcome, puts.length]).toEqual(['written', 1])
  })

  it('writes a pruned field again only when something else changed', async () => {
    let stored: RawObject = configMap('a', 1)
    server.answer = ({ method, body }) => {
      if (method === 'GET') return { body: stored }
      puts.push(body)
      const { ready: _, ...kept } = Object(body).status
      stored = { ...stored, status: kept }
      return { body: stored }
    }
    const mutate = (more: object) => (raw: RawObject) => ({ ...raw, status: { ready: true, ...more } })
    expect(await writer.write(configMapType, 'default/a', mutate({ n: 1 }))).toBe('pruned')
    expect(await writer.write(configMapType, 'default/a', mutate({ n: 1 }))).toBe('unchanged')
    expect(await writer.write(configMapType, 'default/a', mutate({ n: 2 }))).toBe('pruned')
    expect(await writer.write(configMapType, 'default/a', mutate({ n: 2 }))).toBe('unchanged')
    expect([puts.length, lines.map((line) => line['field'])]).toEqual([2, ['status.ready']])
  })

  it('asks not at once again for a right that is missing, and says so only when it is missing for good', async () => {
    serve([configMap('a', 1)], () => ({ status: 403, body: statusOf(403, 'Forbidden', noRight) }))
    for (let times = 0; times < 3; times++) {
      expect(await writer.write(configMapType, 'default/a', ready)).toBe('forbidden')
    }
    expect([puts.length, lines]).toEqual([1, []])
    expect(writer.forbiddenMs(configMapType)).toBeGreaterThan(0)
    const hasty = new StatusWriter(server.cluster(), logger, { firstMs: 1, ceilingMs: 1 })
    for (let times = 0; times < 4; times++) {
      expect(await hasty.write(configMapType, 'default/a', ready)).toBe('forbidden')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect([puts.length, lines.map((line) => line['event'])]).toEqual([5, ['statusForbidden']])
  })

  it('writes once the right is there', async () => {
    let status = 403
    serve([configMap('a', 1)], () =>
      status === 403
        ? { status, body: statusOf(403, 'Forbidden', noRight) }
        : { body: ready(configMap('a', 2)) ?? {} },
    )
    const hasty = new StatusWriter(server.cluster(), logger, { firstMs: 1, ceilingMs: 1 })
    expect(await hasty.write(configMapType, 'default/a', ready)).toBe('forbidden')
    await new Promise((resolve) => setTimeout(resolve, 5))
    status = 200
    expect(await hasty.write(configMapType, 'default/a', ready)).toBe('written')
    expect(hasty.forbiddenMs(configMapType)).toBe(0)
  })

  it.each([
    ['all of the kind', noRight],
    ['all of the kind', `${noRight}: RBAC: clusterrole.rbac.authorization.k8s.io "c" not found`],
    [
      'all of the kind',
      `gadgets.test "a" is forbidden: ${toWhom} resource "g" in API group "t" at the cluster scope`,
    ],
    [
      'all of the kind',
      `configmaps "a" is forbidden: ${toWhom} configmaps/status in the namespace "default"`,
    ],
    ['that object', denied],
    ['that object', 'admission webhook "a.example" denied the request: User "x" cannot say this'],
    ['that object', 'configmaps "a" is forbidden: not yet ready to handle request'],
    ['that object', 'Forbidden'],
  ])('holds back the writes of %s: %s', async (held, message) => {
    server.answer = ({ method, path, body }) => {
      if (method === 'GET') return { body: configMap(path.endsWith('/a') ? 'a' : 'b', 1) }
      return path.endsWith('/a/status')
        ? { status: 403, body: statusOf(403, 'Forbidden', message) }
        : { body }
    }
    writer = new StatusWriter(server.cluster(), logger, patient)
    expect(await writer.write(configMapType, 'default/a', ready)).toBe('forbidden')
    expect(await writer.write(configMapType, 'default/b', ready)).toBe(
      held === 'that object' ? 'written' : 'forbidden',
    )
    expect(writer.forbiddenMs(configMapType, 'default/b') > 0).toBe(held !== 'that object')
    expect(writer.forbiddenMs(configMapType, 'default/a')).toBeGreaterThan(0)
    expect(writer.forbiddenMs(configMapType)).toBeGreaterThan(0)
    expect(writer.forbiddenMs({ ...configMapType, plural: 'config' })).toBe(0)
  })

  it('tries what is denied ever more seldom, at once when it is another, and says once of which object', async () => {
    let status = 403
    let stored = configMap('a', 1)
    server.answer = ({ method, body }) => {
      if (method === 'GET') return { body: stored }
      puts.push(body)
      return status === 403 ? { status, body: statusOf(403, 'Forbidden', denied) } : { body }
    }
    writer = new StatusWriter(server.cluster(), logger, patient)
    for (let times = 0; times < 3; times++)
      expect(await writer.write(configMapType, 'default/a', ready)).toBe('forbidden')
    const first = writer.forbiddenMs(configMapType, 'default/a')
    expect([puts.length, lines]).toEqual([1, []])
    const other = (raw: RawObject) => ({ ...raw, status: { ready: false } })
    expect(await writer.write(configMapType, 'default/a', other)).toBe('forbidden')
    stored = configMap('a', 2)
    expect(await writer.write(configMapType, 'default/a', other)).toBe('forbidden')
    expect(writer.forbiddenMs(configMapType, 'default/a')).toBeGreaterThan(first)
    expect([puts.length, lines.map(({ event, key, error }) => [event, key, error])]).toEqual([
      3,
      [['statusDenied', 'default/a', expect.stringContaining(denied)]],
    ])
    stored = configMap('a', 3)
    status = 200
    expect(await writer.write(configMapType, 'default/a', other)).toBe('written')
    expect(writer.forbiddenMs(configMapType)).toBe(0)
  })

  it('tries the same again when its time has come', async () => {
    let status = 403
    serve([configMap('a', 1)], (body) =>
      status === 403 ? { status, body: statusOf(403, 'Forbidden', denied) } : { body },
    )
    const hasty = new StatusWriter(server.cluster(), logger, { firstMs: 1, ceilingMs: 1 })
    for (let times = 0; times < 5; times++) {
      expect(await hasty.write(configMapType, 'default/a', ready)).toBe('forbidden')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect([puts.length, lines.length]).toEqual([5, 1])
    status = 200
    expect(await hasty.write(configMapType, 'default/a', ready)).toBe('written')
  })

  it.each([
    ['refuses', 422, 'invalid'],
    ['denies', 403, 'forbidden'],
    ['prunes', 200, 'unchanged'],
  ])(
    'forgets the oldest of the objects that the server %s, when there are too many',
    async (_, status, again) => {
      server.answer = ({ method, path, body }) => {
        const name = path.split('/')[6] ?? ''
        if (method === 'GET') return { body: configMap(name, 1) }
        puts.push(Object(body).metadata.name)
        return status === 200
          ? { body: configMap(name, 1) }
          : { status, body: statusOf(status, 'No', denied) }
      }
      const small = new StatusWriter(server.cluster(), logger, patient, undefined, 2)
      for (const name of ['a', 'b', 'c', 'b', 'c', 'a'])
        await small.write(configMapType, `default/${name}`, ready)
      expect(puts).toEqual(['a', 'b', 'c', 'a'])
      expect(await small.write(configMapType, 'default/c', ready)).toBe(again)
      expect(puts).toHaveLength(4)
    },
  )

  it('writes no status to an object that the server finds invalid, until the object or the status is another', async () => {
    const invalid = statusOf(422, 'Invalid', 'spec.peerPort: Invalid value: 0')
    let stored = configMap('a', 1)
    let status = 422
    server.answer = ({ method, body }) => {
      if (method === 'GET') return { body: stored }
      puts.push(body)
      return status === 422 ? { status, body: invalid } : { body }
    }
    for (let times = 0; times < 3; times++) {
      expect(await writer.write(configMapType, 'default/a', ready)).toBe('invalid')
    }
    expect([puts.length, lines.map(({ event, key }) => [event, key])]).toEqual([
      1,
      [['statusRefused', 'default/a']],
    ])
    const other = (raw: RawObject) => ({ ...raw, status: { ready: false } })
    expect(await writer.write(configMapType, 'default/a', other)).toBe('invalid')
    expect([puts.length, lines.length]).toEqual([2, 1])
    stored = configMap('a', 2)
    status = 200
    expect(await writer.write(configMapType, 'default/a', ready)).toBe('written')
  })

  it('fails when the server does', async () => {
    serve([configMap('a', 1)], () => ({ status: 500, body: statusOf(500, 'InternalError', 'etcd is away') }))
    await expect(writer.write(configMapType, 'default/a', ready)).rejects.toThrow(
      'PUT /api/v1/namespaces/default/configmaps/a/status: etcd is away',
    )
  })
})

describe('what a status write is about', () => {
  const balancer = (...ingress: readonly object[]): RawObject => ({
    metadata: { name: 'a' },
    status: { loadBalancer: { ingress } },
  })

  it('is compared after defaulting', () => {
    const same = (a: RawObject, b: RawObject) => sameWritable(writableOf(a), writableOf(b))
    expect(same(balancer({ ip: '10.0.0.1' }), balancer({ ip: '10.0.0.1', ipMode: 'VIP' }))).toBe(true)
    expect(same(balancer({ ip: '10.0.0.1' }), balancer({ ip: '10.0.0.1', ipMode: 'Proxy' }))).toBe(false)
    expect(same(balancer({ hostname: 'x' }), balancer({ hostname: 'x' }))).toBe(true)
    expect(same({ metadata: { name: 'a' } }, { metadata: { name: 'a' }, status: {} })).toBe(true)
    expect(same(balancer(), { ...balancer(), metadata: { name: 'a', annotations: { k: 'v' } } })).toBe(false)
  })

  it.each([
    ['the same', { a: 1 }, { a: 1 }, undefined],
    ['a default', { a: 1 }, { a: 1, b: 2 }, undefined],
    ['a lost field', { a: 1, b: { c: 2 } }, { a: 1 }, 'status.b'],
    ['a lost field of an element', { a: [{ x: 1 }, { y: 1 }] }, { a: [{ x: 1 }, {}] }, 'status.a[1].y'],
    ['emptiness left out', { a: [], b: '', c: { d: [] } }, {}, undefined],
  ])('names what was pruned: %s', (_, asked, answer, expected) => {
    expect(firstPruned(asked, answer)).toBe(expected)
  })
})
