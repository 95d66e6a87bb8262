/**
 * A host and its routes → the entry in a table of routes that stands for them. Every route has a name (an empty one
 * would mean "no scope found" to the lookup of scopes), and an entry answers every path, so that a request never
 * falls through to another.
 */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type {
  RouteSchema,
  VirtualHostSchema,
} from '@envoyproxy/envoy-types/envoy/config/route/v3/route_components'
import type { Access } from '../dag/access.ts'
import {
  type AuthorizationRule,
  type HostFilters,
  noRouteFilters,
  type RouteFilters,
} from '../dag/filters.ts'
import { noEdits } from '../dag/policies/plain-forward.ts'
import type { Action, Route } from '../dag/virtual-host.ts'
import { clustersOfAction } from '../dag/virtual-host.ts'
import { authorizationRule } from './authorization.ts'
import { hostFilters, routeFilters } from './filters.ts'
import { headerEdits } from './header-edits.ts'
import { jwtRule } from './jwt.ts'
import { routeMatch } from './match.ts'
import { clusterName, squeeze } from './names.ts'
import { rateLimits } from './rate-limits.ts'
import { httpsRedirect, redirectAction } from './redirect.ts'
import { forwardAction } from './route-action.ts'

type RouteInit = MessageInitShape<typeof RouteSchema>
type HostInit = MessageInitShape<typeof VirtualHostSchema>

/** What every table of routes says. */
export const tableSettings = {
  // A cluster may be on its way still; a route to one that is not there answers 503.
  validateClusters: false,
  ignorePortInHostMatching: true,
  requestHeadersToAdd: [{ header: { key: 'x-request-start', value: 't=%START_TIME(%s.%3f)%' } }],
}

/** Of a host with routes whose redirects Envoy follows itself. */
export interface Inside {
  /** That only the backends of those routes are to see. */
  readonly header: string
  /** A redirect takes it from the answer of the backend. */
  readonly copied: boolean
}

/** @param mark behind the names of its routes */
export function virtualHostEntry(
  host: string,
  routes: readonly Route[],
  filters: HostFilters,
  access: Access,
  inside?: Inside,
  mark = '',
): HostInit {
  const rest: RouteInit = answer('none', 404, access)
  return {
    name: squeeze([host]),
    domains: [host],
    routes: [
      ...named(routes).map(([name, route]) => routeMessage(name + mark, route, filters, access, inside)),
      rest,
    ],
    rateLimits: rateLimits(filters.descriptors),
    typedPerFilterConfig: hostFilters(filters),
  }
}

/** Envoy tells routes that a redirect may not come to again by their names. */
function named(routes: readonly Route[]): readonly (readonly [name: string, route: Route])[] {
  const apart = routes.some(
    ({ action }) => action.kind === 'forward' && action.internalRedirect?.denyRepeated,
  )
  return routes.map((route) => [apart ? `${route.owner} ${route.rule}` : route.owner, route])
}

/** Over TLS, a request for another host than that of the handshake must open its own connection. */
export function misdirected(access: Access): HostInit {
  return { name: 'misdirected', domains: ['*'], routes: [answer('misdirected', 421, access)] }
}

/** Nobody is asked whether it may be given. */
function answer(name: string, status: number, access: Access): RouteInit {
  return {
    name,
    match: { pathSpecifier: { case: 'prefix', value: '/' } },
    action: { case: 'directResponse', value: { status } },
    typedPerFilterConfig: access.authorization === undefined ? {} : authorizationRule({ kind: 'skip' }),
  }
}

/** Envoy itself follows what its backend answers, if that is a redirect. */
export function redirectsInside({ action }: Route): boolean {
  return action.kind === 'forward' && action.internalRedirect !== undefined
}

function routeMessage(
  name: string,
  route: Route,
  host: HostFilters,
  access: Access,
  inside?: Inside,
): RouteInit {
  const { action, filters = noRouteFilters } = route
  const edits = editsOf(action)
  const follows = redirectsInside(route)
  const isHidden = inside !== undefined && action.kind === 'forward' && !follows
  return {
    name,
    match: routeMatch(route.match),
    action: routeAction(action, filters, inside?.copied === true ? [inside.header] : []),
    ...(route.told === true ? { metadata: ownerMetadata(route.owner) } : {}),
    ...edits,
    ...(isHidden ? { requestHeadersToRemove: [...(edits.requestHeadersToRemove ?? []), inside.header] } : {}),
    ...(follows && inside !== undefined
      ? { responseHeadersToRemove: [...(edits.responseHeadersToRemove ?? []), inside.header] }
      : {}),
    typedPerFilterConfig: {
      ...routeFilters(filters),
      ...(access.authorization === undefined ? {} : authorizationRule(ruleOf(route, host))),
      ...(access.providers.length === 0 ? {} : jwtRule(filters.jwt ?? host.jwt)),
    },
  }
}

function editsOf(action: Action): Partial<ReturnType<typeof headerEdits>> {
  if (action.kind === 'forward') return headerEdits(action.requestHeaders, action.responseHeaders)
  const headers = action.kind === 'https-redirect' ? undefined : action.headers
  return headers === undefined ? {} : headerEdits(noEdits, headers)
}

/** Where access logs look for the object that a route comes from. */
function ownerMetadata(owner: string): RouteInit['metadata'] {
  const [kind = '', namespace = '', name = ''] = owner.split('/')
  const fields = { kind, namespace, name }
  const told = Object.entries(fields).map(([field, text]) => [`io.projectcontour.${field}`, text] as const)
  return { filterMetadata: { 'envoy.access_loggers.file': Object.fromEntries(told) } }
}

/** Whoever is only sent on to the secure side is asked there. */
function ruleOf({ action, filters }: Route, host: HostFilters): AuthorizationRule {
  return action.kind === 'https-redirect' ? { kind: 'skip' } : (filters?.authorization ?? host.authorization)
}

function routeAction(
  action: Action,
  filters: RouteFilters,
  copied: readonly string[],
): NonNullable<RouteInit['action']> {
  if (action.kind === 'respond') {
    const { status, body = '' } = action
    if (body === '') return { case: 'directResponse', value: { status } }
    return {
      case: 'directResponse',
      value: { status, body: { specifier: { case: 'inlineString', value: body } } },
    }
  }
  if (action.kind === 'https-redirect') return httpsRedirect
  if (action.kind === 'redirect') return redirectAction(action)
  return forwardAction(action, filters.descriptors?.descriptors, copied)
}

export function clustersOf(routes: readonly Route[]): readonly string[] {
  const names = routes.flatMap(({ action }) =>
    action.kind === 'forward' ? clustersOfAction(action).map(clusterName) : [],
  )
  return [...new Set(names)].toSorted()
}
