import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultEngineOptions, Engine, type ResourceChange } from '../engine/engine.ts'
import { type Change, emptyWorld, type SliceChange, take } from '../model/objects.ts'
import { layouts } from '../xds/layout.ts'
import { resourceTypes, type Snapshot } from '../xds/resource.ts'
import { readObjects } from './objects.ts'
import { brokenRules } from './readable.ts'
import { pem } from './traffic.ts'

/** A small world in which objects meet: few names, hosts and Services, so that most histories touch each other. */
const names = ['a', 'b', 'c']
const hosts = ['one.test', 'two.test', '*.wild.test']

const service = fc.record({
  kind: fc.constant('Service'),
  name: fc.constantFrom(...names),
  spec: fc.record({
    type: fc.constantFrom('ClusterIP', 'ClusterIP', 'ExternalName'),
    externalName: fc.constantFrom('one.test', 'two.test', 'localhost'),
    ports: fc.constantFrom([{ port: 80 }], [{ port: 80, name: 'http' }], [{ port: 81 }]),
  }),
})
const backend = fc.constantFrom(...names).map((name) => ({ name, port: 80 }))
const upstream = fc
  .tuple(backend, fc.constantFrom({}, ...names.map(validatedBy)))
  .map(([plain, validation]) => ({ ...plain, ...validation }))
const pair = { 'tls.crt': pem('server.pem'), 'tls.key': pem('server.key') }
const keySet = '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'
const authority = fc.record({
  kind: fc.constant('Secret'),
  name: fc.constantFrom(...names),
  spec: fc.constant({}),
  stringData: fc.constantFrom<Readonly<Record<string, string>>[]>(
    { ...pair, 'ca.crt': pem('ca.pem'), 'crl.pem': pem('crl.pem') },
    { ...pair, 'ca.crt': pem('other-ca.pem'), keys: keySet },
    { ...pair, keys: '{"keys": []}' },
    { 'ca.crt': pem('ca.pem') },
    { 'ca.crt': '?' },
  ),
})
const filters = fc.constantFrom(
  {},
  { ipDenyPolicy: [{ source: 'Peer', cidr: '10.0.0.0/8' }] },
  { ipDenyPolicy: [{ source: 'Peer', cidr: 'nowhere' }] },
  { rateLimitPolicy: { local: { requests: 1, unit: 'second' } } },
  { rateLimitPolicy: { global: { descriptors: [{ entries: [{ remoteAddress: {} }] }] } } },
)
/** What a host checks of its clients. */
const access = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  fc.constantFrom(...names).map((name) => ({ authorization: { extensionRef: { name } } })),
  fc.constantFrom(...names).map((secretName) => ({
    jwtProviders: [{ name: 'x', default: true, localJWKS: { secretName, key: 'keys' } }],
  })),
  fc.constantFrom(...names).map((caSecret) => ({
    jwtProviders: [
      {
        name: 'x',
        remoteJWKS: { uri: 'https://issuer.test/keys', validation: { caSecret, subjectName: 'issuer.test' } },
      },
    ],
  })),
)
const extension = fc
  .tuple(
    fc.constantFrom(...names),
    fc.array(backend, { minLength: 1, maxLength: 2 }),
    fc.constantFrom(undefined, ...names),
  )
  .map(([name, services, caSecret]) => ({
    kind: 'ExtensionService',
    name,
    spec: {
      services,
      ...(caSecret === undefined
        ? { protocol: 'h2c', timeoutPolicy: { response: '1s' } }
        : { validation: { caSecret, subjectName: 'a.test' } }),
    },
  }))
const route = fc
  .record({
    conditions: fc.constantFrom(
      [],
      [{ prefix: '/x' }],
      [{ prefix: '/x' }, { prefix: '/y' }],
      [{ exact: '/x' }],
    ),
    policies: fc.constantFrom(
      {},
      { authPolicy: { disabled: true } },
      { jwtVerificationPolicy: { require: 'x' } },
      { jwtVerificationPolicy: { disabled: true } },
    ),
    services: fc.array(upstream, { minLength: 1, maxLength: 2 }),
  })
  .chain(({ policies, ...plain }) => filters.map((asked) => ({ ...plain, ...policies, ...asked })))
const clientValidation = fc.constantFrom(
  {},
  ...names.map((caSecret) => ({ clientValidation: { caSecret } })),
  ...names.map((caSecret) => ({
    clientValidation: { caSecret, crlSecret: 'a', optionalClientCertificate: true },
  })),
  { clientValidation: { skipClientCertValidation: true, forwardClientCertificate: { subject: true } } },
)
const tls = fc.oneof(
  fc.constantFrom({}, { tls: { passthrough: true } }),
  fc
    .tuple(fc.constantFrom(...names), clientValidation)
    .map(([secretName, clients]) => ({ tls: { secretName, ...clients } })),
)
const tcp = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  upstream.map((one) => ({ tcpproxy: { services: [one] } })),
  fc.constant({ tcpproxy: { include: { name: 'b' } } }),
)
const cors = fc.constantFrom({}, { corsPolicy: { allowOrigin: ['*'], allowMethods: ['GET'] } })
const virtualhost = fc
  .tuple(fc.constantFrom(...hosts), filters, cors, tls, access)
  .map(([fqdn, ...rest]) => Object.assign({ fqdn }, ...rest))
const root = fc
  .record({
    kind: fc.constant('HTTPProxy'),
    name: fc.constantFrom(...names),
    spec: fc.record({
      virtualhost,
      routes: fc.array(route, { maxLength: 2 }),
      includes: fc.constantFrom([], [{ name: 'b', conditions: [{ prefix: '/i' }] }]),
    }),
  })
  .chain(withStreams)
const child = fc
  .record({
    kind: fc.constant('HTTPProxy'),
    name: fc.constantFrom(...names),
    spec: fc.record({ routes: fc.array(route, { maxLength: 2 }) }),
  })
  .chain(withStreams)
const ingress = fc.record({
  kind: fc.constant('Ingress'),
  name: fc.constantFrom(...names),
  spec: fc.record({
    rules: fc.array(
      fc.record({
        host: fc.constantFrom(...hosts, ''),
        http: backend.map(({ name, port }) => ({
          paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name, port: { number: port } } } }],
        })),
      }),
      { maxLength: 2 },
    ),
  }),
})

function withStreams<T extends { readonly spec: object }>(plain: T) {
  return tcp.map((streams) => ({ ...plain, spec: { ...plain.spec, ...streams } }))
}

interface Written {
  readonly kind: string
  readonly name: string
  readonly spec: object
  readonly stringData?: object
}

const objects: fc.Arbitrary<Written> = fc.oneof(service, root, child, ingress, authority, extension)

const dag = {
  ...defaultEngineOptions.dag,
  enableExternalNameService: true,
  globalAuthorization: { extensionService: 'd/b', server: {} },
  rateLimitService: {
    extensionService: 'd/a',
    domain: 'test',
    failOpen: false,
    enableXRateLimitHeaders: false,
    enableResourceExhaustedCode: false,
    defaultGlobalRateLimitPolicy: undefined,
  },
}

/** undefined: the object is deleted. */
const steps = fc.array(
  fc.record({ object: objects, deleted: fc.boolean(), age: fc.integer({ min: 1, max: 3 }) }),
  { minLength: 1, maxLength: 25 },
)

function validatedBy(caSecret: string) {
  return { protocol: 'tls', validation: { caSecret, subjectName: 'a.test' } }
}

function changeOf({ kind, name, spec, stringData }: Written, age: number): Change {
  const metadata = { namespace: 'd', name, creationTimestamp: `2026-01-0${age}T00:00:00Z` }
  const [change] = readObjects(JSON.stringify({ kind, metadata, spec, stringData })).changes
  if (change === undefined) throw new Error('nothing read')
  return change
}

/** A delete takes what the name stands for now. */
function step(world: ReturnType<typeof emptyWorld>, written: Change, deleted: boolean): Change {
  const before = world[written.kind].get(written.key)
  return { ...written, before, after: deleted ? undefined : written.after } as Change
}

function versions(snapshot: Snapshot): Readonly<Record<string, readonly string[]>> {
  const { clusters, endpoints, listeners, routes = new Map(), scopes, secrets } = snapshot
  return Object.fromEntries(
    Object.entries({ clusters, endpoints, listeners, routes, scopes, secrets }).map(([type, map]) => [
      type,
      [...map.values()].map(({ name, version }) => `${name} ${version}`).toSorted(),
    ]),
  )
}

/** What Envoy would refuse of it by the rules in its protos. */
function broken(snapshot: Snapshot): readonly string[] {
  return resourceTypes.flatMap((type) =>
    [...(snapshot[type]?.values() ?? [])].flatMap((resource) => brokenRules(type, resource)),
  )
}

function verdicts(engine: Engine, changes: Iterable<Change>): Readonly<Record<string, unknown>> {
  const judged: [string, unknown][] = [...changes].flatMap(({ kind, key }) =>
    kind === 'httpProxy' || kind === 'ingress' || kind === 'extensionService'
      ? [[`${kind} ${key}`, engine.verdict(kind, key)]]
      : [],
  )
  return Object.fromEntries(judged)
}

function everything(world: ReturnType<typeof emptyWorld>): readonly Change[] {
  return Object.entries(world).flatMap(([kind, map]) =>
    [...map].map(([key, after]) => ({ kind, key, before: undefined, after }) as Change),
  )
}

describe('the engine', { timeout: 60_000 }, () => {
  test.each(layouts)('after any history says what a fresh one says of the last world, %s', (layout) => {
    const options = { ...defaultEngineOptions, layout, dag }
    fc.assert(
      fc.property(
        steps,
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 25, maxLength: 25 }),
        (history, cuts) => {
          const world = emptyWorld()
          const engine = new Engine(world, options)
          const told = mirror(engine)
          let batch: Change[] = []
          for (const [index, { object, deleted, age }] of history.entries()) {
            const change = step(world, changeOf(object, age), deleted)
            take(world, change)
            batch.push(change)
            if (batch.length >= (cuts[index] ?? 1) || index === history.length - 1) {
              engine.apply(batch)
              told.follow(engine.drain())
              batch = []
            }
          }
          const all = everything(world)
          const fresh = new Engine(world, options)
          fresh.apply(all)
          expect(versions(told.state)).toEqual(versions(fresh.snapshot()))
          expect(verdicts(engine, all)).toEqual(verdicts(fresh, all))
        },
      ),
      { numRuns: layout === 'scoped' ? 300 : 100 },
    )
  })

  test('does not care about the order of objects, and writes nothing that breaks the rules of protos', () => {
    const shuffled = fc
      .uniqueArray(objects, { selector: ({ kind, name }) => `${kind} ${name}`, maxLength: 9 })
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })))
    fc.assert(
      fc.property(shuffled, (orders) => {
        const [first, second] = orders.map((list) => {
          const changes = list.map((object) => changeOf(object, 1))
          const world = emptyWorld()
          for (const change of changes) take(world, change)
          const engine = new Engine(world, { ...defaultEngineOptions, dag })
          engine.apply(changes)
          const snapshot = engine.snapshot()
          expect(broken(snapshot)).toEqual([])
          return [versions(snapshot), verdicts(engine, changes)]
        })
        expect(first).toEqual(second)
      }),
    )
  })

  test('rule 37: a host more, or a route changed, leaves the listeners as they are', () => {
    const world = emptyWorld()
    const engine = new Engine(world)
    const change = (name: string, host: string, service: string) => {
      const spec = { virtualhost: { fqdn: host }, routes: [{ services: [{ name: service, port: 80 }] }] }
      const changed = changeOf({ kind: 'HTTPProxy', name, spec }, 1)
      take(world, changed)
      engine.apply([changed])
      return [...engine.drain().listeners.keys()]
    }
    for (const name of ['a', 'b']) {
      const made = changeOf({ kind: 'Service', name, spec: { ports: [{ port: 80 }] } }, 1)
      take(world, made)
      engine.apply([made])
    }
    expect(change('a', 'a.test', 'a')).toContain('ingress_http')
    expect(change('b', 'b.test', 'b')).toEqual([])
    expect(change('a', 'a.test', 'b')).toEqual([])
  })

  test('rule 50: a change of endpoints re-encodes the ports of its Service alone, and no translation', () => {
    const world = emptyWorld()
    const changes = [
      changeOf({ kind: 'Service', name: 'a', spec: { ports: [{ port: 80 }] } }, 1),
      changeOf({ kind: 'Service', name: 'b', spec: { ports: [{ port: 80 }] } }, 1),
      ...names.slice(0, 2).map((name, index) =>
        changeOf(
          {
            kind: 'HTTPProxy',
            name,
            spec: { virtualhost: { fqdn: hosts[index] }, routes: [{ services: [{ name, port: 80 }] }] },
          },
          1,
        ),
      ),
    ]
    for (const change of changes) take(world, change)
    const engine = new Engine(world)
    engine.apply(changes)
    engine.drain()
    expect(afterSlice(engine, 'a', '10.0.0.1')).toEqual({ endpoints: ['d/a'] })
    expect(afterSlice(engine, 'a', '10.0.0.1')).toEqual({})
    expect(afterSlice(engine, 'unused', '10.0.0.1')).toEqual({})
  })
})

/** What an Envoy would hold that was told everything once and then each change. */
function mirror(engine: Engine) {
  const first = engine.snapshot()
  const state = {
    clusters: new Map(first.clusters),
    endpoints: new Map(first.endpoints),
    listeners: new Map(first.listeners),
    routes: new Map(first.routes),
    scopes: new Map(first.scopes),
    secrets: new Map(first.secrets),
  }
  const follow = (change: ResourceChange): void => {
    for (const type of ['clusters', 'endpoints', 'listeners', 'routes', 'scopes', 'secrets'] as const) {
      for (const [name, resource] of change[type]) {
        if (resource === undefined) state[type].delete(name)
        else state[type].set(name, resource)
      }
    }
  }
  return { state, follow }
}

function afterSlice(engine: Engine, service: string, address: string): Readonly<Record<string, unknown>> {
  engine.applySlices([slice(service, [address])])
  const changed = Object.entries(engine.drain()).filter(([, change]) => change.size > 0)
  return Object.fromEntries(changed.map(([type, change]) => [type, [...change.keys()]]))
}

function slice(service: string, addresses: readonly string[]): SliceChange {
  const metadata = { namespace: 'd', name: `${service}-1`, labels: { 'kubernetes.io/service-name': service } }
  const endpoints = addresses.map((address) => ({ addresses: [address], conditions: { ready: true } }))
  const raw = { kind: 'EndpointSlice', metadata, addressType: 'IPv4', ports: [{ port: 8080 }], endpoints }
  const [change] = readObjects(JSON.stringify(raw)).slices
  if (change === undefined) throw new Error('nothing read')
  return change
}
