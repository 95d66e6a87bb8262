/**
 * For tests: histories by chance of a small world in which objects meet: few names, hosts and Services, so that most
 * changes touch each other.
 */
import * as fc from 'fast-check'
import type { Engine } from '../engine/engine.ts'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import type { Change, SliceChange, World } from '../model/objects.ts'
import type { Snapshot } from '../xds/resource.ts'
import { readObjects } from './objects.ts'
import { pem } from './traffic.ts'

export const names = ['a', 'b', 'c']
export const hosts = ['one.test', 'two.test', '*.wild.test']

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

export interface Written {
  readonly kind: string
  readonly name: string
  readonly spec: object
  readonly stringData?: object
}

export const objects: fc.Arbitrary<Written> = fc.oneof(service, root, child, ingress, authority, extension)

export const dag = {
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

function validatedBy(caSecret: string) {
  return { protocol: 'tls', validation: { caSecret, subjectName: 'a.test' } }
}

export function changeOf({ kind, name, spec, stringData }: Written, age: number): Change {
  const metadata = { namespace: 'd', name, creationTimestamp: `2026-01-0${age}T00:00:00Z` }
  const [change] = readObjects(JSON.stringify({ kind, metadata, spec, stringData })).changes
  if (change === undefined) throw new Error('nothing read')
  return change
}

/** A delete takes what the name stands for now. */
export function step(world: World, written: Change, deleted: boolean): Change {
  const before = world[written.kind].get(written.key)
  return { ...written, before, after: deleted ? undefined : written.after } as Change
}

export function versions(snapshot: Snapshot): Readonly<Record<string, readonly string[]>> {
  const { clusters, endpoints, listeners, routes = new Map(), scopes, secrets } = snapshot
  return Object.fromEntries(
    Object.entries({ clusters, endpoints, listeners, routes, scopes, secrets }).map(([type, map]) => [
      type,
      [...map.values()].map(({ name, version }) => `${name} ${version}`).toSorted(),
    ]),
  )
}

export function verdicts(engine: Engine, changes: Iterable<Change>): Readonly<Record<string, unknown>> {
  const judged: [string, unknown][] = [...changes].flatMap(({ kind, key }) =>
    kind === 'httpProxy' || kind === 'ingress' || kind === 'extensionService'
      ? [[`${kind} ${key}`, engine.verdict(kind, key)]]
      : [],
  )
  return Object.fromEntries(judged)
}

export function everything(world: World): readonly Change[] {
  return Object.entries(world).flatMap(([kind, map]) =>
    [...map].map(([key, after]) => ({ kind, key, before: undefined, after }) as Change),
  )
}

export function slice(service: string, addresses: readonly string[]): SliceChange {
  const metadata = { namespace: 'd', name: `${service}-1`, labels: { 'kubernetes.io/service-name': service } }
  const endpoints = addresses.map((address) => ({ addresses: [address], conditions: { ready: true } }))
  const raw = { kind: 'EndpointSlice', metadata, addressType: 'IPv4', ports: [{ port: 8080 }], endpoints }
  const [change] = readObjects(JSON.stringify(raw)).slices
  if (change === undefined) throw new Error('nothing read')
  return change
}
