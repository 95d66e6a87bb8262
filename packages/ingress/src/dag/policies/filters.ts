/** The filters that a virtual host or a route of an HTTPProxy asks for. */
import type { HTTPProxyRoute, HTTPProxyVirtualHost } from '@landfall/api'
import { type HostFilters, noHostFilters, type RouteFilters } from '../filters.ts'
import { type Checked, ok, type Problem, refused } from '../problem.ts'
import { readCookies } from './cookies.ts'
import { readCors } from './cors.ts'
import { readIPFilter } from './ip-filter.ts'
import { readLocalRateLimit } from './local-rate-limit.ts'

export function readHostFilters(host: HTTPProxyVirtualHost | undefined): Checked<HostFilters> {
  if (host === undefined) return ok(noHostFilters)
  const field = 'spec.virtualhost'
  const cors = readCors(host.corsPolicy)
  const rateLimit = readLocalRateLimit(field, 'VirtualHostError', host.rateLimitPolicy)
  const ipFilter = readIPFilter(field, host)
  if (cors.ok && rateLimit.ok && ipFilter.ok)
    return ok({ cors: cors.value, rateLimit: rateLimit.value, ipFilter: ipFilter.value })
  return refused(...problemsOf([cors, rateLimit, ipFilter]))
}

/** undefined: nothing is asked for. */
export function readRouteFilters(field: string, route: HTTPProxyRoute): Checked<RouteFilters | undefined> {
  const rateLimit = readLocalRateLimit(field, 'RouteError', route.rateLimitPolicy)
  const ipFilter = readIPFilter(field, route)
  const cookies = readCookies(field, route.cookieRewritePolicies)
  if (!rateLimit.ok || !ipFilter.ok || !cookies.ok)
    return refused(...problemsOf([rateLimit, ipFilter, cookies]))
  if (rateLimit.value === undefined && ipFilter.value === undefined && cookies.value.length === 0)
    return ok(undefined)
  return ok({ rateLimit: rateLimit.value, ipFilter: ipFilter.value, cookies: cookies.value })
}

function problemsOf(all: readonly Checked<unknown>[]): readonly Problem[] {
  return all.flatMap((checked) => (checked.ok ? [] : checked.problems))
}
