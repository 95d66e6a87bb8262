/**
 * A virtual host → its scopes: one ScopedRouteConfiguration with the routes inline for the plain side and one for
 * the secure side. Envoy finds it by the key that the connection manager builds from the request (scope-key.ts).
 */
import { create, toBinary } from '@bufbuild/protobuf'
import { ScopedRouteConfigurationSchema } from '@envoyproxy/envoy-types/envoy/config/route/v3/scoped_route'
import type { Access } from '../dag/access.ts'
import type { HostFilters } from '../dag/filters.ts'
import type { Route, VirtualHost } from '../dag/virtual-host.ts'
import { makeResource, type Resource } from '../xds/resource.ts'
import { type Side, scopeName } from './names.ts'
import { guardedMark, scopeHeader } from './scope-key.ts'
import { isGuarded } from './secure-chains.ts'
import { clustersOf, misdirected, redirectsInside, tableSettings, virtualHostEntry } from './virtual-host.ts'

export function scopes(virtualHost: VirtualHost): readonly Resource[] {
  const { host, plain, plainAccess, secure, filters } = virtualHost
  const resources: Resource[] = []
  if (plain.length > 0) resources.push(scope('http', host, plain, filters, plainAccess))
  if (secure?.kind === 'http') {
    const guarded = isGuarded(secure.tls.settings, secure.access)
    resources.push(scope('https', host, secure.routes, filters, secure.access, guarded))
  }
  if (secure?.kind === 'http' && secure.fallback !== undefined)
    resources.push(scope('fallback', host, secure.routes, filters, plainAccess))
  return resources
}

function scope(
  side: Side,
  host: string,
  routes: readonly Route[],
  filters: HostFilters,
  access: Access,
  guarded = false,
): Resource {
  const name = scopeName(side, host)
  // A redirect that Envoy follows itself is looked up with the headers as its backend got them.
  const redirecting = routes.some(redirectsInside)
  const inside = redirecting ? { header: scopeHeader, copied: side === 'http' } : undefined
  const entry = virtualHostEntry(host, routes, filters, access, inside, guarded ? guardedMark : '')
  const message = create(ScopedRouteConfigurationSchema, {
    name,
    key: { fragments: [{ type: { case: 'stringKey', value: name } }] },
    routeConfiguration: {
      ...tableSettings,
      name,
      requestHeadersToRemove: redirecting ? [] : [scopeHeader],
      virtualHosts: side === 'https' ? [entry, misdirected(access)] : [entry],
    },
  })
  return makeResource(name, toBinary(ScopedRouteConfigurationSchema, message), {
    clusters: clustersOf(routes),
  })
}
