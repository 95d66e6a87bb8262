/**
 * The Ingresses of one host. Of two that ask for the same path the older one is served; so is the older one's
 * certificate, for the rules of all of them, as with Contour. A path whose Service is missing is left out, and requests
 * fall to the next that matches.
 */
import { type Ingress, type IngressBackend, type IngressPath, keyOf } from '@landfall/kube/model'
import { ruleHost } from '../model/host-index.ts'
import type { Lookups } from '../model/lookups.ts'
import { openAccess } from './access.ts'
import type { Contribution } from './contribution.ts'
import { noHostFilters } from './filters.ts'
import { ingressTls, ingressTlsWarnings } from './ingress-tls.ts'
import type { PathMatch } from './match.ts'
import type { DagOptions } from './options.ts'
import type { Outcome } from './outcome.ts'
import { ignored } from './policies/ignored-fields.ts'
import { annotationWarnings, readIngressPolicies } from './policies/ingress-annotations.ts'
import { plainForward } from './policies/plain-forward.ts'
import { type Checked, error, ok, type Problem, refused } from './problem.ts'
import type { Reading } from './reading.ts'
import { isRegex } from './regex.ts'
import { identityOf } from './route-order.ts'
import { plainSettings, resolveService } from './upstream.ts'
import type { Route } from './virtual-host.ts'

const forceRedirect = 'ingress.kubernetes.io/force-ssl-redirect'
const allowHttp = 'kubernetes.io/ingress.allow-http'
const websocketRoutes = 'projectcontour.io/websocket-routes'
export interface IngressHostResult {
  readonly contribution: Contribution
  readonly outcomes: readonly Outcome[]
}

/** @param isSecure an HTTPProxy has a certificate for the host */
export function translateIngresses(
  host: string,
  lookups: Lookups,
  options: DagOptions,
  isSecure: boolean,
): IngressHostResult {
  const certified = lookups.certified(host).map((ingress) => certify(host, ingress, { lookups, options }))
  const tls = certified.find((one) => one.tls !== undefined)?.tls
  const ingresses = lookups.ingresses(host)
  const oldestFirst = ingresses.map((ingress) => translateOne(host, ingress, { lookups, options }))
  const idle = ingresses.map((ingress) =>
    outcomeOf(ingress, isSecure || tls !== undefined ? [] : withoutCertificate(host, ingress)),
  )
  const oldestLast = oldestFirst.toReversed()
  return {
    contribution: {
      plain: oldestLast.flatMap(({ plain }) => plain),
      secure: tls === undefined ? [] : oldestLast.flatMap(({ routes }) => routes),
      tls,
      tcp: undefined,
      access: openAccess,
      filters: noHostFilters,
    },
    outcomes: together([
      ...[...oldestFirst, ...certified].map(({ outcome }) => outcome),
      ...idle,
      ...taken(oldestFirst, tls === undefined ? 'plain' : 'routes'),
    ]),
  }
}

/** Paths that an older Ingress has. @param at where the host is served */
function taken(
  oldestFirst: readonly ReturnType<typeof translateOne>[],
  at: 'plain' | 'routes',
): readonly Outcome[] {
  const owners = new Map<string, string>()
  return oldestFirst.map(({ [at]: served, outcome }) => {
    const problems = served.flatMap(({ match, owner, rule }) => {
      const identity = identityOf(match)
      const older = owners.get(identity) ?? owner
      owners.set(identity, older)
      const name = older.slice('Ingress/'.length)
      return older === owner
        ? []
        : [ignored(`${rule}: ignored, as the older Ingress "${name}" has this path`)]
    })
    return { ...outcome, problems }
  })
}

/** What annotations ask for that needs a certificate. */
function withoutCertificate(host: string, { meta: { annotations } }: Ingress): readonly Problem[] {
  if (annotations[forceRedirect] === 'true')
    return [
      ignored(
        `metadata.annotations["${forceRedirect}"]: redirects to nothing, as there is no certificate for "${host}"`,
      ),
    ]
  if (annotations[allowHttp] !== 'false') return []
  const why = `nothing of it is served, as there is no certificate for "${host}"`
  return [ignored(`metadata.annotations["${allowHttp}"]: ${why}`)]
}

/** Entries that are no path of the Ingress. */
function idleWebsockets({ meta, rules, defaultBackend }: Ingress): readonly Problem[] {
  const paths = new Set(rules.flatMap((rule) => rule.paths.map(({ path }) => path || '/')))
  if (defaultBackend !== undefined) paths.add('/')
  return listed(meta.annotations[websocketRoutes])
    .filter((entry) => entry !== '' && !paths.has(entry))
    .map((entry) => ignored(`metadata.annotations["${websocketRoutes}"]: no path is "${entry}", ignored`))
}

function listed(text: string | undefined): readonly string[] {
  return (text ?? '').split(',').map((entry) => entry.trim())
}

/** The host's certificate is that of the oldest Ingress that has a good one, for the rules of all of them. */
function certify(host: string, ingress: Ingress, { lookups, options }: Reading) {
  const problems: Problem[] = []
  const tls = ingressTls(host, ingress, lookups, options, problems)
  return { tls, outcome: outcomeOf(ingress, problems) }
}

function translateOne(host: string, ingress: Ingress, reading: Reading) {
  const { annotations } = ingress.meta
  const problems: Problem[] = [
    ...annotationWarnings(annotations),
    ...idleWebsockets(ingress),
    ...ingressTlsWarnings(ingress),
  ]
  const routes = routesOf(host, ingress, reading, problems)
  const redirected = routes.map((route): Route => ({ ...route, action: { kind: 'https-redirect' } }))
  const open = annotations[allowHttp] === 'false' ? [] : routes
  const plain = annotations[forceRedirect] === 'true' ? redirected : open
  return { plain, routes, outcome: outcomeOf(ingress, problems) }
}

function outcomeOf(ingress: Ingress, problems: readonly Problem[]): Outcome {
  return { kind: 'ingress', key: keyOf(ingress.meta), problems }
}

function together(outcomes: readonly Outcome[]): readonly Outcome[] {
  const told = new Map<string, Outcome>()
  for (const outcome of outcomes) {
    const before = told.get(outcome.key)?.problems ?? []
    told.set(outcome.key, { ...outcome, problems: [...before, ...outcome.problems] })
  }
  return [...told.values()]
}

function routesOf(host: string, ingress: Ingress, reading: Reading, problems: Problem[]): readonly Route[] {
  const routes: Route[] = []
  const add = (field: string, path: IngressPath): void => {
    const route = routeOf(ingress, field, path, reading, problems)
    if (route.ok) routes.push(route.value)
    else problems.push(...route.problems)
  }
  if (host === '*' && ingress.defaultBackend !== undefined) {
    add('spec.defaultBackend', { path: '/', pathType: 'Prefix', backend: ingress.defaultBackend })
  }
  for (const [index, rule] of ingress.rules.entries()) {
    if (ruleHost(rule.host) !== host) continue
    for (const [at, path] of rule.paths.entries()) add(`spec.rules[${index}].http.paths[${at}]`, path)
  }
  return routes
}

function routeOf(
  ingress: Ingress,
  field: string,
  path: IngressPath,
  reading: Reading,
  warnings: Problem[],
): Checked<Route> {
  const match = pathMatch(path)
  const problems: Problem[] = []
  if (match === undefined) {
    const message = `${field}.path: "${path.path}" is no ${path.pathType} path that Envoy can match`
    problems.push(error('RouteError', 'PathMatchConditionsNotValid', message))
  }
  const cluster = path.backend === undefined ? undefined : backendOf(ingress, path.backend, reading)
  if (cluster === undefined) {
    problems.push(
      error('ServiceError', 'ServiceUnresolvedReference', `${field}.backend: only Services are served`),
    )
  } else if (!cluster.ok) {
    problems.push(error('ServiceError', 'ServiceUnresolvedReference', `${field}.backend: ${cluster.why}`))
  }
  if (match === undefined || !cluster?.ok) return refused(...problems)
  warnings.push(...cluster.warnings)
  return ok({
    match: { path: match, headers: [], query: [] },
    action: {
      ...plainForward([cluster.cluster]),
      websockets: listed(ingress.meta.annotations[websocketRoutes]).includes(path.path || '/'),
      ...readIngressPolicies(ingress.meta.annotations),
    },
    owner: `Ingress/${keyOf(ingress.meta)}`,
    rule: field,
  })
}

function backendOf(ingress: Ingress, backend: IngressBackend, { lookups, options }: Reading) {
  const port = backend.port.name === '' ? backend.port.number : backend.port.name
  const { namespace } = ingress.meta
  const reference = {
    namespace,
    name: backend.serviceName,
    port,
    protocol: '',
    settings: plainSettings,
  }
  return resolveService(reference, lookups, options)
}

/** undefined: nothing that Envoy could match. */
function pathMatch({ path, pathType }: IngressPath): PathMatch | undefined {
  const value = path === '' ? '/' : path
  if (!value.startsWith('/')) return undefined
  if (pathType === 'Exact') return { kind: 'exact', value }
  if (pathType === 'Prefix') {
    const segment = value.replace(/\/+$/, '')
    if (segment === '') return { kind: 'prefix', value: '/' }
    return /[?#]/.test(segment) ? undefined : { kind: 'segment', value: segment }
  }
  if (!/[\^+*[\]%]/.test(value)) return { kind: 'prefix', value }
  return isRegex(value) ? { kind: 'regex', value } : undefined
}
