/**
 * For tests: worlds by chance, of objects as the API server would take them: custom resources over their schemas, and
 * Ingresses; roots of one host among them, and HTTPProxies that include each other, some all of them all. What they
 * name is there, is of another kind than they think, or is not there at all.
 */
import { projectcontourResources, specProblems } from '@landfall/api/crd'
import type { RawObject } from '@landfall/kube'
import { randomSurroundings } from './random-surroundings.ts'
import { type Fields, names, pick, type Random, randomOf, type Schema, valueOf } from './random-values.ts'

const namespaces = ['web', 'web', 'away']
const children = ['web/c0', 'web/c1', 'away/c2', 'away/c3']

/** The conditions of a route that each HTTPProxy with routes has, and no other: by it one sees whether it is served. */
export function markOf(key: string): string {
  return `/mark-${key.replace('/', '-')}`
}

/** So many that are served or refused, and the Services and Secrets that they may name. */
export function randomWorld(seed: number, count: number): readonly RawObject[] {
  const random = randomOf(seed)
  const dense = random() < 0.5
  const made = new Map<string, RawObject>()
  for (let index = 0; made.size < count; index += 1) {
    const object = oneOf(random, index, dense)
    if (object === undefined) continue
    const { kind = '', metadata } = object
    const key = `${kind} ${metadata.namespace}/${metadata.name}`
    if (!made.has(key)) made.set(key, object)
  }
  return [...randomSurroundings(random), ...made.values()]
}

function oneOf(random: Random, index: number, dense: boolean): RawObject | undefined {
  const kind = random()
  const name = random() < 0.2 ? pick(random, names) : `o${index}`
  const key = `${pick(random, namespaces)}/${name}`
  if (kind < 0.15) return ingress(random, index, key)
  if (kind < 0.25) return custom('ExtensionService', key, random, (spec) => spec)
  if (kind < 0.33) return custom('TLSCertificateDelegation', key, random, (spec) => spec)
  if (kind < (dense ? 0.6 : 0.45)) {
    const child = pick(random, children)
    return custom('HTTPProxy', child, random, (spec) =>
      proxy(random, child, { ...spec, virtualhost: undefined }, dense),
    )
  }
  return custom('HTTPProxy', key, random, (spec) => {
    const virtualhost = { ...(spec['virtualhost'] as Fields | undefined), fqdn: hostName(random, index) }
    return proxy(random, key, { ...spec, virtualhost }, dense)
  })
}

/** One of a host of its own, or of one that others may have too. */
function hostName(random: Random, index: number): string {
  if (random() < 0.1) return 'same.test'
  return random() < 0.1 ? `*.h${index % 5}.test` : `h${random() < 0.8 ? index : index % 5}.test`
}

function metadataOf(
  random: Random,
  key: string,
  annotations: Readonly<Record<string, string>> = {},
): RawObject['metadata'] {
  const [namespace = '', name = ''] = key.split('/')
  const creationTimestamp = `2026-01-01T00:00:${String(Math.floor(random() * 60)).padStart(2, '0')}Z`
  return { name, namespace, generation: 1, creationTimestamp, annotations }
}

/** Undefined: the API server would not take what came out. */
function custom(
  kind: string,
  key: string,
  random: Random,
  change: (spec: Fields) => Fields,
): RawObject | undefined {
  const resource = projectcontourResources.find((one) => one.kind === kind)
  const version = resource?.versions.find((one) => one.name === resource.version)
  if (resource === undefined || version === undefined) throw new Error(`no such kind: ${kind}`)
  const schema: Schema = version.spec
  const changed = Object.entries(change(valueOf(random, 'spec', schema) as Fields))
  const spec = Object.fromEntries(changed.filter(([, value]) => value !== undefined))
  if ((specProblems(resource, version.name, spec) ?? []).length > 0) return undefined
  const other: Readonly<Record<string, string>> =
    random() < 0.03 ? { 'projectcontour.io/ingress.class': 'other' } : {}
  return {
    apiVersion: `${resource.group}/${version.name}`,
    kind,
    metadata: metadataOf(random, key, other),
    spec,
  }
}

/** Routes have one action more often than by chance. */
function proxy(random: Random, key: string, spec: Fields, dense: boolean): Fields {
  const { routes, includes: _, tcpproxy, ...rest } = spec
  const class_ = 'ingressClassName' in rest ? { ingressClassName: 'contour' } : {}
  const chosen = Array.isArray(routes) ? routes.map((route) => acting(random, route as Fields)) : []
  const mark = { conditions: [{ prefix: markOf(key) }], services: [{ name: 'sure', port: 80 }] }
  return {
    ...rest,
    ...class_,
    tcpproxy: random() < 0.3 ? tcpproxy : undefined,
    routes: random() < 0.1 ? undefined : [...chosen, mark],
    includes: random() < (dense ? 0.8 : 0.3) ? includesOf(random) : undefined,
  }
}

function includesOf(random: Random): readonly Fields[] {
  return Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
    const [namespace, name] = (
      random() < 0.9 ? pick(random, children) : pick(random, ['web/gone', 'web/one'])
    ).split('/')
    const conditions = [{ prefix: pick(random, random() < 0.9 ? ['/i', '/j', '/i/', '/'] : ['x', '//i']) }]
    const more = [{ header: { name: 'X-A', present: true } }, { exact: '/e' }, { regex: '/r' }]
    return {
      name,
      ...(random() < 0.9 ? { namespace } : {}),
      ...(random() < 0.6
        ? { conditions: random() < 0.8 ? conditions : [...conditions, pick(random, more)] }
        : {}),
    }
  })
}

function acting(random: Random, route: Fields): Fields {
  const { services, requestRedirectPolicy, directResponsePolicy, ...rest } = route
  if (random() < 0.1) return route
  if (directResponsePolicy !== undefined) return { ...rest, directResponsePolicy }
  if (requestRedirectPolicy !== undefined) return { ...rest, requestRedirectPolicy }
  return { ...rest, services: services ?? [{ name: 'one', port: 80 }] }
}

/** For each type of path those that the API server takes. */
const ingressPaths: Readonly<Record<string, readonly string[]>> = {
  Exact: ['/a', '/', '/a/b', '/a?b'],
  Prefix: ['/', '/a', '/a/', '/a/b', '/a?b', '/a#b'],
  ImplementationSpecific: ['/', '/a', '/a.*', '/[0-9]+', '/[[:none:]]', '/a%', '/(*', ''],
}

const ingressAnnotations: readonly (readonly [string, readonly string[]])[] = [
  ['ingress.kubernetes.io/force-ssl-redirect', ['true', 'yes']],
  ['kubernetes.io/ingress.allow-http', ['false', 'no']],
  ['projectcontour.io/response-timeout', ['1s', 'infinity', 'soon', '-1s']],
  ['projectcontour.io/retry-on', ['5xx', '5xx, gateway-error', 'whatever', ',']],
  ['projectcontour.io/num-retries', ['2', '0', '-1', 'many', '1.5']],
  ['projectcontour.io/per-try-timeout', ['1s', 'soon']],
  ['projectcontour.io/tls-minimum-protocol-version', ['1.3', '1.2', '2']],
  ['projectcontour.io/tls-maximum-protocol-version', ['1.2', 'x']],
  ['projectcontour.io/tls-cert-namespace', ['away', 'web', 'gone']],
  ['projectcontour.io/websocket-routes', ['/a', 'x']],
  ['projectcontour.io/no-such-thing', ['x']],
  ['kubernetes.io/ingress.class', ['contour', 'contour', 'other']],
]

function ingress(random: Random, index: number, key: string): RawObject {
  const annotations = ingressAnnotations.filter(() => random() < 0.15)
  const hosts = Array.from({ length: 1 + Math.floor(random() * 2) }, () => hostName(random, index))
  const rules = hosts.map((host) => ({
    ...(random() < 0.9 ? { host } : {}),
    http: { paths: Array.from({ length: 1 + Math.floor(random() * 2) }, () => ingressPath(random)) },
  }))
  const tls = {
    ...(random() < 0.8 ? { hosts } : {}),
    ...(random() < 0.9 ? { secretName: pick(random, ['pair', 'pair', 'ca', 'gone']) } : {}),
  }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: metadataOf(
      random,
      key,
      Object.fromEntries(annotations.map(([name, values]) => [name, pick(random, values)])),
    ),
    spec: {
      ...(random() < 0.2 ? { defaultBackend: ingressBackend(random) } : {}),
      ...(random() < 0.9 ? { rules } : { defaultBackend: ingressBackend(random) }),
      ...(random() < 0.5 ? { tls: [tls] } : {}),
    },
  }
}

function ingressPath(random: Random): Fields {
  const pathType = pick(random, Object.keys(ingressPaths))
  const path = pick(random, ingressPaths[pathType] ?? [])
  return { path, pathType, backend: ingressBackend(random) }
}

function ingressBackend(random: Random): Fields {
  if (random() < 0.05) return { resource: { kind: 'Bucket', name: 'one' } }
  const port = pick(random, [
    { number: 80 },
    { number: 80 },
    { name: 'http' },
    { number: 81 },
    { name: 'none' },
  ])
  return { service: { name: pick(random, random() < 0.8 ? ['one', 'two'] : names), port } }
}
