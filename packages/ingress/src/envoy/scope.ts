/**
 * A virtual host → its scopes: one ScopedRouteConfiguration with the routes inline for the plain side and one for
 * the secure side. Envoy finds it by the key that the connection manager builds from the request (scope-key.ts).
 * Every route has a name (an empty one would mean "no scope found" to the lookup), and a scope answers every path,
 * so that a request never falls through to another scope.
 */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  RedirectAction_RedirectResponseCode,
  type RouteSchema,
  type VirtualHostSchema,
} from '@envoyproxy/envoy-types/envoy/config/route/v3/route_components'
import { ScopedRouteConfigurationSchema } from '@envoyproxy/envoy-types/envoy/config/route/v3/scoped_route'
import type { Action, Route, VirtualHost } from '../dag/virtual-host.ts'
import { makeResource, type Resource } from '../xds/resource.ts'
import { routeMatch } from './match.ts'
import { clusterName, type Side, scopeName, squeeze } from './names.ts'
import { scopeHeader } from './scope-key.ts'

type RouteInit = MessageInitShape<typeof RouteSchema>
type HostInit = MessageInitShape<typeof VirtualHostSchema>

export function scopes(virtualHost: VirtualHost): readonly Resource[] {
  const { host, plain, secure } = virtualHost
  const resources: Resource[] = []
  if (plain.length > 0) resources.push(scope('http', host, plain))
  if (secure !== undefined) resources.push(scope('https', host, secure.routes))
  return resources
}

function scope(side: Side, host: string, routes: readonly Route[]): Resource {
  const name = scopeName(side, host)
  const message = create(ScopedRouteConfigurationSchema, {
    name,
    key: { fragments: [{ type: { case: 'stringKey', value: name } }] },
    routeConfiguration: {
      name,
      // A cluster may be on its way still; a route to one that is not there answers 503.
      validateClusters: false,
      ignorePortInHostMatching: true,
      requestHeadersToRemove: [scopeHeader],
      requestHeadersToAdd: [{ header: { key: 'x-request-start', value: 't=%START_TIME(%s.%3f)%' } }],
      virtualHosts: side === 'https' ? [virtualHost(host, routes), misdirected] : [virtualHost(host, routes)],
    },
  })
  return makeResource(name, toBinary(ScopedRouteConfigurationSchema, message), {
    clusters: clustersOf(routes),
  })
}

function virtualHost(host: string, routes: readonly Route[]): HostInit {
  const rest: RouteInit = answer('none', 404)
  return { name: squeeze([host]), domains: [host], routes: [...routes.map(routeMessage), rest] }
}

/** The key is the name asked for in the handshake, so a request for another host must open its own connection. */
const misdirected: HostInit = { name: 'misdirected', domains: ['*'], routes: [answer('misdirected', 421)] }

function answer(name: string, status: number): RouteInit {
  return {
    name,
    match: { pathSpecifier: { case: 'prefix', value: '/' } },
    action: { case: 'directResponse', value: { status } },
  }
}

function routeMessage(route: Route): RouteInit {
  return { name: route.owner, match: routeMatch(route.match), action: routeAction(route.action) }
}

const httpsRedirect: NonNullable<RouteInit['action']> = {
  case: 'redirect',
  value: {
    schemeRewriteSpecifier: { case: 'httpsRedirect', value: true },
    responseCode: RedirectAction_RedirectResponseCode.MOVED_PERMANENTLY,
  },
}

function routeAction(action: Action): NonNullable<RouteInit['action']> {
  if (action.kind === 'respond') return { case: 'directResponse', value: { status: action.status } }
  if (action.kind === 'https-redirect') return httpsRedirect
  const upgradeConfigs = action.websockets ? [{ upgradeType: 'websocket' }] : []
  return { case: 'route', value: { clusterSpecifier: clusterSpecifier(action), upgradeConfigs } }
}

type Forward = Extract<Action, { kind: 'forward' }>
type RouteActionInit = Extract<NonNullable<RouteInit['action']>, { case: 'route' }>['value']

function clusterSpecifier({ clusters }: Forward): NonNullable<RouteActionInit['clusterSpecifier']> {
  const only = clusters[0]
  if (only !== undefined && clusters.length === 1)
    return { case: 'cluster', value: clusterName(only.cluster) }
  const weighted = clusters.map(({ cluster, weight }) => ({ name: clusterName(cluster), weight }))
  return { case: 'weightedClusters', value: { clusters: weighted } }
}

function clustersOf(routes: readonly Route[]): readonly string[] {
  const names = routes.flatMap(({ action }) =>
    action.kind === 'forward' ? action.clusters.map(({ cluster }) => clusterName(cluster)) : [],
  )
  return [...new Set(names)].toSorted()
}
