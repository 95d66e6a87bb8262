/**
 * A route of an HTTPProxy that goes to Services, with all that the route and each Service ask of it → how Envoy
 * forwards it. A Service that is not there leaves the others; when none is, the route answers 503.
 */
import type { HTTPProxy, HTTPProxyRoute, HTTPProxyService } from '@landfall/api'
import type { Cluster, HealthCheck, Written } from './cluster.ts'
import type { CookieRewrite } from './filters.ts'
import type { RouteMatch } from './match.ts'
import { readInternalRedirect } from './policies/answers.ts'
import { mergeCookies, readCookies } from './policies/cookies.ts'
import { isServerName } from './policies/header-limits.ts'
import { type HeaderContext, type HeaderRules, noHeaderRules, readHeaders } from './policies/headers.ts'
import { readHealthCheck, writtenHealthCheck } from './policies/health-check.ts'
import { ignoredFields } from './policies/ignored-fields.ts'
import { type LoadBalancing, readLoadBalancing, readSlowStart } from './policies/load-balancing.ts'
import { readPrefixRewrite } from './policies/path-rewrite.ts'
import { readRetry, readTimeouts, type Timeouts } from './policies/timeouts.ts'
import { validated } from './policies/upstream-validation.ts'
import { type Checked, error, ok, type Problem, refused } from './problem.ts'
import type { Reading } from './reading.ts'
import { plainSettings, resolveService, type ServiceReference } from './upstream.ts'
import type { Action, WeightedCluster } from './virtual-host.ts'

interface Rules {
  readonly timeouts: Timeouts
  readonly healthCheck: HealthCheck | undefined
  readonly prefixRewrite: string | undefined
  readonly request: HeaderRules
  readonly response: HeaderRules
  /** Empty when they are refused, which is told elsewhere. */
  readonly cookies: readonly CookieRewrite[]
  readonly redirectsInside: boolean
  readonly written: Omit<Written, 'host'>
}

interface Backend {
  readonly service: HTTPProxyService
  readonly cluster: Cluster
  readonly request: HeaderRules
  readonly response: HeaderRules
  readonly cookies: readonly CookieRewrite[]
}

/** The largest sum of weights that Envoy takes. */
export const maximumWeight = 0xffffffff
const noTimeouts: Timeouts = { response: undefined, idle: undefined, idleConnection: undefined }

export function translateForward(
  proxy: HTTPProxy,
  field: string,
  route: HTTPProxyRoute,
  match: RouteMatch,
  reading: Reading,
): Checked<{ readonly value: Action; readonly problems: readonly Problem[] }> {
  const fatal: Problem[] = [...countProblems(field, route.services ?? [])]
  const rules = rulesOf(proxy, field, route, match, fatal)
  const balancing = readLoadBalancing(field, route.loadBalancerPolicy)
  fatal.push(...balancing.errors)
  const problems: Problem[] = [...balancing.warnings, ...ignoredFields(field, route, match.path)]
  const backends = (route.services ?? []).flatMap((service, index) => {
    const at = `${field}.services[${index}]`
    return backendOf(proxy, at, service, rules, balancing, reading, fatal, problems) ?? []
  })
  if (fatal.length > 0) return refused(...fatal)
  const taking = backends.filter(({ service }) => service.mirror !== true)
  if (taking.length === 0) return ok({ value: { kind: 'respond', status: 503 }, problems })
  const mirror = backends.find(({ service }) => service.mirror === true)
  return ok({
    value: {
      kind: 'forward',
      clusters: weigh(taking),
      websockets: route.enableWebsockets === true,
      mirror: mirror && { cluster: mirror.cluster, percent: mirror.service.weight || 100 },
      response: rules.timeouts.response,
      idle: rules.timeouts.idle,
      retry: readRetry(route.retryPolicy),
      hash: balancing.hash,
      prefixRewrite: rules.prefixRewrite,
      hostRewrite: rules.request.host,
      requestHeaders: rules.request.edits,
      responseHeaders: rules.response.edits,
      internalRedirect: readInternalRedirect(route.internalRedirectPolicy),
    },
    problems,
  })
}

function countProblems(field: string, services: readonly HTTPProxyService[]): readonly Problem[] {
  const problems: Problem[] = []
  const mirrors = services.filter(({ mirror }) => mirror === true)
  if (mirrors.length > 1) {
    const message = `${field}.services: only one Service per route may be a mirror`
    problems.push(error('ServiceError', 'OnlyOneMirror', message))
  }
  for (const { weight = 0 } of mirrors)
    if (weight > 100) {
      const message = `${field}.services: a mirror's weight is a percentage, ${weight} is above 100`
      problems.push(error('RouteError', 'ServiceWeightsNotValid', message))
    }
  const sum = services.reduce((all, { weight = 0, mirror }) => all + (mirror === true ? 0 : weight), 0)
  if (sum > maximumWeight) {
    const message = `${field}.services: the weights add up to ${sum}, above ${maximumWeight}`
    problems.push(error('RouteError', 'ServiceWeightsNotValid', message))
  }
  return problems
}

function rulesOf(
  proxy: HTTPProxy,
  field: string,
  route: HTTPProxyRoute,
  match: RouteMatch,
  fatal: Problem[],
): Rules {
  const variables = { CONTOUR_NAMESPACE: proxy.meta.namespace }
  const context = (direction: HeaderContext['direction']): HeaderContext => ({
    field: `${field}.${direction}HeadersPolicy`,
    of: 'route',
    direction,
    variables,
  })
  return {
    timeouts: take(readTimeouts(field, route.timeoutPolicy), noTimeouts, fatal),
    healthCheck: take(readHealthCheck(field, route.healthCheckPolicy), undefined, fatal),
    prefixRewrite: take(readPrefixRewrite(field, route.pathRewritePolicy, match.path), undefined, fatal),
    request: take(readHeaders(route.requestHeadersPolicy, context('request')), noHeaderRules, fatal),
    response: take(readHeaders(route.responseHeadersPolicy, context('response')), noHeaderRules, fatal),
    redirectsInside: route.internalRedirectPolicy !== undefined,
    cookies: take(readCookies(field, route.cookieRewritePolicies), [], []),
    written: {
      strategy: route.loadBalancerPolicy?.strategy ?? '',
      healthCheck: writtenHealthCheck(route.healthCheckPolicy),
    },
  }
}

/** The value, or the other one with its problems noted. */
function take<T>(checked: Checked<T>, otherwise: T, problems: Problem[]): T {
  if (checked.ok) return checked.value
  problems.push(...checked.problems)
  return otherwise
}

function backendOf(
  proxy: HTTPProxy,
  field: string,
  service: HTTPProxyService,
  rules: Rules,
  { strategy }: LoadBalancing,
  { lookups, options }: Reading,
  fatal: Problem[],
  problems: Problem[],
): Backend | undefined {
  const { protocol = '' } = service
  if (!['', 'h2', 'h2c', 'tls'].includes(protocol)) {
    const message = `${field}.protocol: "${protocol}" is none of h2, h2c and tls`
    fatal.push(error('ServiceError', 'UnsupportedProtocol', message))
  }
  const { request, response } = serviceHeaders(proxy, field, service, fatal)
  const host = request.host ?? rules.request.host
  const cookies = mergeCookies(
    rules.cookies,
    take(readCookies(field, service.cookieRewritePolicies), [], fatal),
  )
  const named = host?.kind === 'literal' ? host.value : ''
  const reference: ServiceReference = {
    namespace: proxy.meta.namespace,
    name: service.name,
    port: service.port,
    protocol,
    healthPort: service.healthPort,
    ...(options.contourNames === true && { written: { ...rules.written, host: named } }),
    settings: {
      ...plainSettings,
      strategy,
      idleConnection: rules.timeouts.idleConnection,
      healthCheck: rules.healthCheck,
      slowStart: take(readSlowStart(field, service.slowStartPolicy, strategy), undefined, fatal),
      sni: named,
      ...(rules.redirectsInside && service.mirror !== true ? { redirectsInside: true } : {}),
    },
  }
  const resolved = resolveService(reference, lookups, options)
  if (resolved.ok) {
    problems.push(...resolved.warnings)
    const { sni } = resolved.cluster.settings
    if (!isServerName(sni)) {
      const message = `${field}: the host "${sni}" is too long for a TLS handshake with the backend`
      fatal.push(error('ServiceError', 'TLSUpstreamValidation', message))
    }
    const asking = { field, namespace: proxy.meta.namespace }
    const cluster = validated(resolved.cluster, service.validation, asking, lookups, fatal, problems)
    return { service, cluster, request, response, cookies }
  }
  problems.push(error('ServiceError', 'ServiceUnresolvedReference', `${field}: ${resolved.why}`))
  return undefined
}

function serviceHeaders(
  proxy: HTTPProxy,
  field: string,
  service: HTTPProxyService,
  fatal: Problem[],
): Pick<Backend, 'request' | 'response'> {
  const variables = {
    CONTOUR_NAMESPACE: proxy.meta.namespace,
    CONTOUR_SERVICE_NAME: service.name,
    CONTOUR_SERVICE_PORT: String(service.port),
  }
  const read = (direction: HeaderContext['direction']): HeaderRules =>
    take(
      readHeaders(service[`${direction}HeadersPolicy`], {
        field: `${field}.${direction}HeadersPolicy`,
        of: 'service',
        direction,
        variables,
      }),
      noHeaderRules,
      fatal,
    )
  return { request: read('request'), response: read('response') }
}

/** No weight anywhere: all the same. Any weight: the others count for nothing. */
function weigh(backends: readonly Backend[]): readonly WeightedCluster[] {
  const total = backends.reduce((sum, { service }) => sum + (service.weight ?? 0), 0)
  return backends.map(({ service, cluster, request, response, cookies }) => ({
    cluster,
    weight: total === 0 ? 1 : (service.weight ?? 0),
    request: request.edits,
    response: response.edits,
    host: request.host?.kind === 'literal' ? request.host.value : undefined,
    cookies,
  }))
}
