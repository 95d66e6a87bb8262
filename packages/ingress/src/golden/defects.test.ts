/**
 * What hurts Contour's users, and is gone: by the numbers that the README's table has. What of it clients see through
 * Envoy stands in the files that the table names.
 */
import { readFileSync } from 'node:fs'
import { projectcontourResources, specProblems } from '@landfall/api/crd'
import { expect, test } from 'vitest'
import { readFileText } from '../configuration/read.ts'
import { type DagOptions, defaultDagOptions } from '../dag/options.ts'
import { usualHealthCheck } from '../dag/policies/health-check.ts'
import { Engine } from '../engine/engine.ts'
import { defaultEngineOptions, type EngineOptions } from '../engine/engine-options.ts'
import { type Change, emptyWorld, take } from '../model/objects.ts'
import { readObjects } from './objects.ts'
import { readable } from './readable.ts'
import { rowsBelow } from './readme.ts'
import { extensionObject, pairOf, pem, proxyObject, secretObject, serviceObjects } from './traffic.ts'

const shop = 'services: [{name: shop, port: 80}]'
const common = [
  serviceObjects('shop', [{ http: 8080 }]),
  serviceObjects('other', [{ http: 8081 }]),
  secretObject('cert', { 'tls.crt': pairOf('server').cert, 'tls.key': pairOf('server').key }),
].join('')

interface World {
  readonly engine: Engine
  /** What changes of the desired state with these objects, as `type name`. */
  readonly apply: (text: string) => readonly string[]
}

function worldOf(text: string, dag: Partial<DagOptions> = {}, more: Partial<EngineOptions> = {}): World {
  const world = emptyWorld()
  const engine = new Engine(world, {
    ...defaultEngineOptions,
    dag: { ...defaultDagOptions, ...dag },
    ...more,
  })
  const apply = (text: string) => {
    const { changes, slices } = readObjects(text)
    const known = changes.map(
      (change) => ({ ...change, before: world[change.kind].get(change.key) }) as Change,
    )
    for (const change of known) take(world, change)
    engine.apply(known)
    engine.applySlices(slices)
    return Object.entries(engine.drain()).flatMap(([type, table]) =>
      [...table.keys()].map((name) => `${type} ${name}`),
    )
  }
  apply(common + text)
  return { engine, apply }
}

/** The routes of a host on the plain listener, as Envoy gets them, but for the one that takes what is left. */
function routesOf({ engine }: World, host: string): readonly Shown[] {
  const scope = engine.snapshot().scopes.get(`http/${host}`)
  if (scope === undefined) return []
  const { route_configuration } = readable('scopes', scope) as {
    readonly route_configuration: { readonly virtual_hosts: readonly [{ readonly routes: readonly Shown[] }] }
  }
  return route_configuration.virtual_hosts[0].routes.filter(({ name }) => name !== 'none')
}

interface Shown {
  readonly name?: string
  readonly match: { readonly prefix?: string; readonly headers?: readonly { readonly name: string }[] }
  readonly route?: { readonly cluster?: string; readonly prefix_rewrite?: string }
  readonly direct_response?: { readonly status: number }
}

function reasonsOf({ engine }: World, name: string): readonly string[] {
  return engine
    .verdict('httpProxy', `web/${name}`)
    .problems.map(({ severity, type, reason }) => `${severity} ${type}/${reason}`)
}

function aged(text: string, day: number): string {
  return text.replace('namespace: web}', `namespace: web, creationTimestamp: '2026-01-0${day}T00:00:00Z'}`)
}

const titles = rowsBelow('Defects of Contour').map(([number = '', , files = '']) => ({
  number,
  files: files.split(', '),
}))

test.each(titles)('defect $number has a test of its name in each of $files', ({ number, files }) => {
  const title = new RegExp(`(?:\\btest\\(|^\\s*)'[^\\n]*\\bdefect ${number}: `, 'm')
  const without = files.filter(
    (file) => !title.test(readFileSync(new URL(`../${file}.test.ts`, import.meta.url), 'utf8')),
  )
  expect(files).not.toEqual([])
  expect(without).toEqual([])
})

test('the table has every defect that is to be gone', () => {
  const ofGatewayAPI = new Set([3, 8, 17])
  const all = Array.from({ length: 20 }, (_, index) => index + 1).filter((one) => !ofGatewayAPI.has(one))
  expect(titles.map(({ number }) => number)).toEqual([...all.map(String), 'RE2'])
})

test('defect 1: a change is told with what it changes, and nothing else', () => {
  const world = worldOf(proxyObject('a', `routes: [{${shop}}]`) + proxyObject('b', `routes: [{${shop}}]`))
  const again = proxyObject('a', `routes: [{${shop}}]`)
  expect(world.apply(again)).toEqual([])
  expect(world.apply(again.replace('{services', '{permitInsecure: true, services'))).toEqual([])
  expect(world.apply(again.replace('{services', '{enableWebsockets: true, services'))).toEqual([
    'scopes http/a.test',
  ])
})

test('defect 5: of two Ingresses for one path the older one is served, in whatever order they come', () => {
  const ingress = (name: string, service: string, day: number) =>
    aged(
      `---
kind: Ingress
metadata: {name: ${name}, namespace: web}
spec: {rules: [{host: a.test, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: ${service}, port: {number: 80}}}}]}}]}
`,
      day,
    )
  const [older, younger] = [ingress('zz', 'shop', 1), ingress('aa', 'other', 2)]
  for (const text of [older + younger, younger + older]) {
    const [route, ...others] = routesOf(worldOf(text), 'a.test')
    expect(others).toEqual([])
    expect(route?.route?.cluster).toMatch(/^web\/shop\/80\//)
  }
})

test('defect 6: a missing include answers 502 under the conditions of all includes above it, and under no fewer', () => {
  const conditions = '[{prefix: /shop}, {header: {name: X-Team, exact: red}}]'
  const world = worldOf(
    proxyObject('root', `routes: [{${shop}}], includes: [{name: child, conditions: ${conditions}}]`) +
      '---\n{kind: HTTPProxy, metadata: {name: child, namespace: web}, spec: {includes: [{name: gone, conditions: [{prefix: /cart}]}]}}\n',
  )
  const [gone, ...others] = routesOf(world, 'root.test')
  expect(gone?.direct_response?.status).toBe(502)
  expect(gone?.match.prefix).toBe('/shop/cart')
  expect(gone?.match.headers?.map(({ name }) => name)).toContain('X-Team')
  expect(others.map(({ match }) => match.prefix)).toEqual(['/'])
  expect([reasonsOf(world, 'root'), reasonsOf(world, 'child')]).toEqual([
    [],
    ['error IncludeError/IncludeNotFound'],
  ])
})

test('defect 7: bounds of upstream TLS hold for ExtensionServices too', () => {
  const rateLimitService = {
    extensionService: 'web/limits',
    domain: 'a',
    failOpen: true,
    enableXRateLimitHeaders: false,
    enableResourceExhaustedCode: false,
    defaultGlobalRateLimitPolicy: undefined,
  }
  const { clusters } = defaultEngineOptions
  const tls = { ...clusters.tls, minimum: '1.3' as const, curves: ['X25519'] }
  const { engine } = worldOf(
    serviceObjects('limits', [{ http: 1 }]) + extensionObject('limits', 'protocol: h2'),
    { rateLimitService },
    { clusters: { ...clusters, tls } },
  )
  const cluster = engine.snapshot().clusters.get('extension/web/limits')
  expect(JSON.stringify(cluster && readable('clusters', cluster))).toContain(
    '"tls_params":{"tls_minimum_protocol_version":"TLSv1_3"',
  )
})

test('defect 9: a prefix is rewritten with its slashes under each set of conditions', () => {
  const rewrite = (more: string, to: string) =>
    `{conditions: [{prefix: /p}${more}], pathRewritePolicy: {replacePrefix: [{replacement: ${to}}]}, ${shop}}`
  const red = ', {header: {name: X-Team, exact: red}}'
  const world = worldOf(proxyObject('a', `routes: [${rewrite('', '/r')}, ${rewrite(red, '/s')}]`))
  const shown = routesOf(world, 'a.test').map(({ match, route }) => {
    const teams = (match.headers ?? []).filter(({ name }) => name === 'X-Team')
    return `${match.prefix} of ${teams.length === 0 ? 'all' : 'a team'} to ${route?.prefix_rewrite}`
  })
  expect(shown.toSorted()).toEqual([
    '/p of a team to /s',
    '/p of all to /r',
    '/p/ of a team to /s/',
    '/p/ of all to /r/',
  ])
})

interface Described {
  readonly description?: string
  readonly items?: Described
  readonly properties?: Readonly<Record<string, Described>>
}

/** What the definition says of a field of HTTPProxies. */
function saidOf(path: string): string {
  const versions = projectcontourResources.find(({ kind }) => kind === 'HTTPProxy')?.versions
  let node: Described | undefined = versions?.[0]?.spec
  for (const name of path.split('.')) node = (node?.items ?? node)?.properties?.[name]
  return node?.description ?? ''
}

test('defect 10: what the definition and the configuration say of a field is what holds', () => {
  const checks = 'routes.healthCheckPolicy'
  const { intervalSeconds, timeoutSeconds, unhealthyThreshold, healthyThreshold, host } = usualHealthCheck
  const usual = {
    [`${checks}.intervalSeconds`]: intervalSeconds,
    [`${checks}.timeoutSeconds`]: timeoutSeconds,
    [`${checks}.unhealthyThresholdCount`]: unhealthyThreshold,
    [`${checks}.healthyThresholdCount`]: healthyThreshold,
    [`${checks}.host`]: host,
    'tcpproxy.healthCheckPolicy.intervalSeconds': intervalSeconds,
  }
  for (const [path, value] of Object.entries(usual)) expect(saidOf(path)).toMatch(`; ${value} if not given.`)

  const filters = 'ipAllowPolicy: [{source: Peer, cidr: 10.0.0.0/8}, {source: Remote, cidr: 192.0.2.0/24}]'
  const condition = 'conditions: [{queryParameter: {name: Page, present: true}}]'
  const world = worldOf(proxyObject('a', `routes: [{${condition}, ${shop}}]`, `, ${filters}`))
  const scope = world.engine.snapshot().scopes.get('http/a.test')
  const shown = JSON.stringify(scope && readable('scopes', scope))
  expect(saidOf('routes.conditions.queryParameter.name')).toContain('case matters')
  expect(shown).toContain('"query_parameters":[{"name":"Page",')
  expect(saidOf('virtualhost.ipAllowPolicy')).toContain('whoever one of these names')
  expect(shown).toMatch(/"principals":\[\{"direct_remote_ip":[^\]]*\},\{"remote_ip":/)

  expect(readFileText('featureFlags: [useEndpointSlices]').problems).toMatchObject([{ path: 'featureFlags' }])
})

test('defect 11: another certificate, authority or list of revoked ones changes its secret and nothing else', () => {
  const clients = secretObject('ca', { 'ca.crt': pem('ca.pem'), 'crl.pem': pem('crl.pem') })
  const world = worldOf(
    clients +
      proxyObject(
        'a',
        `routes: [{${shop}}]`,
        ', tls: {secretName: cert, clientValidation: {caSecret: ca, crlSecret: ca}}',
      ),
  )
  const two = `${pem('ca.pem')}${pem('other-ca.pem')}`
  const chain = `${pairOf('server').cert}${pem('ca.pem')}`
  expect(world.apply(secretObject('ca', { 'ca.crt': two, 'crl.pem': pem('crl.pem') }))).toEqual([
    expect.stringMatching(/^secrets web\/ca\//),
  ])
  expect(world.apply(secretObject('cert', { 'tls.crt': chain, 'tls.key': pairOf('server').key }))).toEqual([
    'secrets web/cert',
  ])
  expect(reasonsOf(world, 'a')).toEqual([])
})

test('defect 13: the oldest object keeps a host that others ask for, and only they are told', () => {
  const proxy = (name: string, service: string, day: number) =>
    aged(proxyObject(name, `routes: [{services: [{name: ${service}, port: 80}]}]`), day).replace(
      `${name}.test`,
      'a.test',
    )
  const [oldest, middle, youngest] = [
    proxy('zz', 'shop', 1),
    proxy('middle', 'other', 2),
    proxy('aa', 'other', 3),
  ]
  const alone = routesOf(worldOf(oldest), 'a.test')
  expect(alone).toHaveLength(1)
  const world = worldOf(youngest + oldest)
  expect(world.apply(middle)).toEqual([])
  expect(routesOf(world, 'a.test')).toEqual(alone)
  const told = ['error VirtualHostError/DuplicateVhost']
  expect(['zz', 'middle', 'aa'].map((name) => reasonsOf(world, name))).toEqual([[], told, told])
})

test.each(['auto', 'v4', 'v6', 'all'])(
  'defect 15: the keys of tokens may be looked up in the family %s, by the definition too',
  (family) => {
    const remoteJWKS = { uri: 'https://keys.test/', dnsLookupFamily: family }
    const virtualhost = {
      fqdn: 'a.test',
      tls: { secretName: 'cert' },
      jwtProviders: [{ name: 'a', remoteJWKS }],
    }
    const spec = { virtualhost, routes: [{ services: [{ name: 'shop', port: 80 }] }] }
    const definition = projectcontourResources.find(({ kind }) => kind === 'HTTPProxy')
    expect(definition && specProblems(definition, 'v1', spec)).toEqual([])
    const metadata = { name: 'a', namespace: 'web' }
    const world = worldOf(`---\n${JSON.stringify({ kind: 'HTTPProxy', metadata, spec })}\n`)
    expect(reasonsOf(world, 'a')).toEqual(['warning JWTVerificationError/UpstreamNotVerified'])
    const clusters = [...world.engine.snapshot().clusters].filter(([name]) => name.startsWith('dnsname/'))
    const shown = clusters.map(
      ([, one]) => readable('clusters', one) as { readonly dns_lookup_family?: string },
    )
    const families = { v4: 'V4_ONLY', v6: 'V6_ONLY', all: 'ALL' }
    expect(shown.map((one) => one.dns_lookup_family)).toEqual([families[family as keyof typeof families]])
  },
)

test('defect 16: a Secret with an authority that nobody names is nobody’s business', () => {
  const world = worldOf(proxyObject('a', `routes: [{${shop}}]`, ', tls: {secretName: cert}'))
  const { changes } = readObjects(secretObject('unread', { 'ca.crt': pem('ca.pem') }))
  expect([...world.engine.apply(changes)]).toEqual([])
  expect(world.apply(secretObject('unread', { 'ca.crt': pem('other-ca.pem') }))).toEqual([])
})

test('defect 20: a backend over TLS that nobody checks is told, and served only where the configuration lets it', () => {
  const text = proxyObject('a', 'routes: [{services: [{name: shop, port: 80, protocol: tls}]}]')
  const usual = worldOf(text)
  expect(reasonsOf(usual, 'a')).toEqual(['warning ServiceError/UpstreamNotVerified'])
  expect(routesOf(usual, 'a.test')[0]?.route?.cluster).toMatch(/^web\/shop\/80\//)
  const strict = worldOf(text, { requireUpstreamValidation: true })
  expect(reasonsOf(strict, 'a')).toEqual(['error ServiceError/UpstreamNotVerified'])
  expect(routesOf(strict, 'a.test')[0]?.direct_response?.status).toBe(503)
  expect(strict.engine.snapshot().clusters.size).toBe(0)
})

test('defect 20: nor is what Envoy itself asks believed without a check, where the configuration forbids it', () => {
  const server = extensionObject('shop', 'protocol: h2')
  const jwks = 'jwtProviders: [{name: a, remoteJWKS: {uri: "https://keys.test/"}}]'
  const text = server + proxyObject('a', `routes: [{${shop}}]`, `, tls: {secretName: cert}, ${jwks}`)
  const told = ({ engine }: World) =>
    engine.verdict('extensionService', 'web/shop').problems.map(({ severity, reason }) => [severity, reason])
  const usual = worldOf(text)
  expect(told(usual)).toEqual([['warning', 'UpstreamNotVerified']])
  expect(reasonsOf(usual, 'a')).toEqual(['warning JWTVerificationError/UpstreamNotVerified'])
  const strict = worldOf(text, { requireUpstreamValidation: true })
  expect(told(strict)).toEqual([['error', 'UpstreamNotVerified']])
  expect(reasonsOf(strict, 'a')).toEqual(['error JWTVerificationError/UpstreamNotVerified'])
  expect(routesOf(strict, 'a.test')).toEqual([])
})

test('of a number that is UDP and TCP the TCP port is meant', () => {
  const ports =
    '[{name: quic, port: 443, protocol: UDP}, {name: https, port: 443}, {name: dns, port: 53, protocol: UDP}]'
  const service = `---\nkind: Service\nmetadata: {name: both, namespace: web}\nspec: {ports: ${ports}}\n`
  const to = (port: number) => `routes: [{services: [{name: both, port: ${port}}]}]`
  const world = worldOf(service + proxyObject('a', to(443)) + proxyObject('b', to(53)))
  expect(reasonsOf(world, 'a')).toEqual([])
  expect([...world.engine.snapshot().endpoints.keys()]).toContain('web/both/https')
  expect(reasonsOf(world, 'b')).toEqual(['error ServiceError/ServiceUnresolvedReference'])
})

test('what is wrong is told in the order in which Contour looks', () => {
  const bad = [
    'ipAllowPolicy: [{source: Peer, cidr: none}]',
    'corsPolicy: {allowOrigin: ["("], allowMethods: [GET]}',
    'rateLimitPolicy: {local: {requests: 0, unit: second}}',
    'jwtProviders: [{name: a, remoteJWKS: {uri: "ftp://keys.test/"}}]',
    'authorization: {extensionRef: {name: none}}',
  ].join(', ')
  const routes = `routes: [{conditions: [{prefix: none}], ${shop}}]`
  const world = worldOf(
    proxyObject('open', routes, `, ${bad}`) + proxyObject('a', routes, `, tls: {secretName: none}, ${bad}`),
  )
  const types = (name: string) => [...new Set(reasonsOf(world, name).map((text) => text.replace(/\/.*/, '')))]
  const after = ['error RouteError', 'error CORSError', 'error VirtualHostError']
  const ofClients = ['error AuthError', 'error JWTVerificationError']
  expect(reasonsOf(world, 'open').slice(0, 2)).toEqual([
    'error JWTVerificationError/JWTVerificationNotPermitted',
    'error AuthError/AuthNotPermitted',
  ])
  expect(types('a')).toEqual(['error IPFilterError', 'error TLSError', ...after, ...ofClients])
})

test.each(['a(?=b)', '(a)\\1', 'a(', 'a{1001}', '[[:none:]]'])(
  'defect RE2: a regular expression is taken only if RE2 takes it, unlike %s',
  (regex) => {
    const quoted = JSON.stringify(regex)
    const given = {
      PathMatchConditionsNotValid: `{regex: ${JSON.stringify(`/${regex}`)}}`,
      HeaderMatchConditionsNotValid: `{header: {name: X-A, regex: ${quoted}}}`,
      QueryParameterMatchConditionsNotValid: `{queryParameter: {name: q, regex: ${quoted}}}`,
    }
    for (const [reason, condition] of Object.entries(given)) {
      const world = worldOf(proxyObject('a', `routes: [{conditions: [${condition}], ${shop}}]`))
      expect(reasonsOf(world, 'a')).toEqual([`error RouteError/${reason}`])
      expect(routesOf(world, 'a.test')).toEqual([])
    }
  },
)
