/** The filters that a virtual host or a route of an HTTPProxy asks for. */
import type { HTTPProxyRoute, HTTPProxyVirtualHost } from '@landfall/api'
import { type HostFilters, type JwtRule, noHostFilters, type RouteFilters } from '../filters.ts'
import type { DagOptions } from '../options.ts'
import { type Checked, ok, type Problem, refused, warning } from '../problem.ts'
import { type HostAuthorization, readRouteAuthorization } from './authorization.ts'
import { readCookies } from './cookies.ts'
import { readCors } from './cors.ts'
import { readHostDescriptors, readRouteDescriptors, uncounted, unlimited } from './global-rate-limit.ts'
import { readIPFilter } from './ip-filter.ts'
import { readRouteTokens } from './jwt.ts'
import { readLocalRateLimit } from './local-rate-limit.ts'

/** What the routes of a host, also those of included objects, are read with. */
export interface HostRules {
  readonly authorization: HostAuthorization
  /** Names of the providers of tokens that the root speaks of. */
  readonly providers: readonly string[]
  /** Of routes that say nothing. */
  readonly jwt: JwtRule
  /** What limits all of them by a rate limit service. */
  readonly limitedBy: string | undefined
  readonly options: DagOptions
}

/** Those that hold whatever the host checks of its clients. */
export function readHostFilters(
  host: HTTPProxyVirtualHost | undefined,
  { rateLimitService }: DagOptions,
): Checked<HostFilters> {
  if (host === undefined) return ok(noHostFilters)
  const field = 'spec.virtualhost'
  const cors = readCors(host.corsPolicy)
  const rateLimit = readLocalRateLimit(field, 'VirtualHostError', host.rateLimitPolicy)
  const ipFilter = readIPFilter(field, host)
  const descriptors = readHostDescriptors(field, host.rateLimitPolicy, rateLimitService)
  if (!cors.ok || !rateLimit.ok || !ipFilter.ok || !descriptors.ok)
    return refused(...problemsOf([cors, rateLimit, ipFilter, descriptors]))
  return ok({
    ...noHostFilters,
    cors: cors.value,
    rateLimit: rateLimit.value,
    ipFilter: ipFilter.value,
    descriptors: rateLimitService === undefined ? [] : descriptors.value,
  })
}

export interface ReadRouteFilters {
  /** undefined: nothing is asked for. */
  readonly filters: RouteFilters | undefined
  readonly warnings: readonly Problem[]
}

export function readRouteFilters(
  field: string,
  route: HTTPProxyRoute,
  host: HostRules,
): Checked<ReadRouteFilters> {
  const { rateLimitService } = host.options
  const forwards = (route.services ?? []).length > 0
  const rateLimit = readLocalRateLimit(field, 'RouteError', route.rateLimitPolicy)
  const descriptors = readRouteDescriptors(field, route.rateLimitPolicy)
  const ipFilter = readIPFilter(field, route)
  const cookies = readCookies(field, route.cookieRewritePolicies)
  const authorization = readRouteAuthorization(field, route.authPolicy, host.authorization)
  const jwt = readRouteTokens(field, route.jwtVerificationPolicy, host.providers)
  if (!rateLimit.ok || !descriptors.ok || !ipFilter.ok || !cookies.ok || !authorization.ok || !jwt.ok)
    return refused(...problemsOf([rateLimit, descriptors, ipFilter, cookies, authorization, jwt]))
  const filters: RouteFilters = {
    rateLimit: rateLimit.value,
    ipFilter: ipFilter.value,
    cookies: forwards ? cookies.value : [],
    descriptors: rateLimitService === undefined || !forwards ? undefined : descriptors.value,
    authorization: authorization.value.rule,
    jwt: jwt.value,
  }
  const warnings = [
    ...unchecked(field, route, filters, host),
    ...authorization.value.warnings,
    ...unlimited(field, route.rateLimitPolicy, rateLimitService),
    ...(forwards ? [] : uncounted(field, route.rateLimitPolicy, rateLimitService, host.limitedBy)),
  ]
  return ok({ filters: asksNothing(filters) ? undefined : filters, warnings })
}

/** Authorization and tokens are matters of the secure side, as with Contour. */
function unchecked(
  field: string,
  { permitInsecure }: HTTPProxyRoute,
  filters: RouteFilters,
  { authorization, jwt, options }: HostRules,
): readonly Problem[] {
  if (permitInsecure !== true || options.disablePermitInsecure) return []
  // A server of all hosts is asked there too.
  const asks =
    options.globalAuthorization === undefined &&
    authorization.server !== undefined &&
    (filters.authorization ?? authorization.rule).kind === 'ask'
  const requires = (filters.jwt ?? jwt).kind === 'require'
  const message = (what: string) => `${field}.permitInsecure: over plain HTTP, requests pass without ${what}`
  return [
    ...(asks ? [warning('AuthError', 'UncheckedOverHTTP', message('authorization'))] : []),
    ...(requires ? [warning('JWTVerificationError', 'UncheckedOverHTTP', message('a token'))] : []),
  ]
}

function asksNothing({ cookies, ...others }: RouteFilters): boolean {
  return cookies.length === 0 && Object.values(others).every((value) => value === undefined)
}

function problemsOf(all: readonly Checked<unknown>[]): readonly Problem[] {
  return all.flatMap((checked) => (checked.ok ? [] : checked.problems))
}
