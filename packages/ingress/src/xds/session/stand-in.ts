/**
 * What an Envoy holds of a host whose content it refused and of which it has nothing that was good: an answer of 503 to
 * every request. Without it the request would be the default host's, or nobody's.
 */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from '@envoyproxy/envoy-types/envoy/config/route/v3/route'
import { ScopedRouteConfigurationSchema } from '@envoyproxy/envoy-types/envoy/config/route/v3/scoped_route'
import { makeResource, type Resource, type ResourceType } from '../resource.ts'

/** Undefined: nothing can stand in for a resource of the type. A scope's key is its name. */
export function standIn(type: ResourceType, name: string): Resource | undefined {
  if (type === 'routes') return makeResource(name, toBinary(RouteConfigurationSchema, unavailable(name)))
  if (type !== 'scopes') return undefined
  const message = create(ScopedRouteConfigurationSchema, {
    name,
    key: { fragments: [{ type: { case: 'stringKey', value: name } }] },
    routeConfiguration: unavailable(name),
  })
  return makeResource(name, toBinary(ScopedRouteConfigurationSchema, message))
}

function unavailable(name: string): RouteConfiguration {
  const routes: MessageInitShape<typeof RouteConfigurationSchema> = {
    name,
    virtualHosts: [
      {
        name: 'refused',
        domains: ['*'],
        routes: [
          {
            name: 'refused',
            match: { pathSpecifier: { case: 'prefix', value: '/' } },
            action: { case: 'directResponse', value: { status: 503 } },
          },
        ],
      },
    ],
  }
  return create(RouteConfigurationSchema, routes)
}
