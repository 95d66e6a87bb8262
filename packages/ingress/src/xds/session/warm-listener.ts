/**
 * A listener without a port that makes Envoy load the table of scopes before the real listeners come: an Envoy is
 * ready after the first chunk of scopes and would answer 404 for the hosts of the others. Its connection manager
 * names the same `scoped_routes` as the real ones, byte for byte, and so shares their table.
 */
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { anyPack, anyUnpack } from '@bufbuild/protobuf/wkt'
import { type Listener, ListenerSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener'
import { RouterSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/router/v3/router'
import {
  HttpConnectionManagerSchema,
  type ScopedRoutes,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager'
import { makeResource, type Resource, type ResourceMap } from '../resource.ts'

export interface WarmListener {
  readonly resource: Resource
  /** The real listeners that route by scopes. */
  readonly scoped: ReadonlySet<string>
}

export const warmListenerName = 'landfall-warm-up'

/** Undefined when no listener routes by scopes. */
export function makeWarmListener(listeners: ResourceMap): WarmListener | undefined {
  const scoped = new Set<string>()
  let first: ScopedRoutes | undefined
  for (const name of [...listeners.keys()].toSorted()) {
    const bytes = listeners.get(name)?.bytes
    const found = bytes && findScopedRoutes(fromBinary(ListenerSchema, bytes))
    if (found === undefined) continue
    first ??= found
    scoped.add(name)
  }
  if (first === undefined) return undefined
  return { resource: makeResource(warmListenerName, encode(first)), scoped }
}

function findScopedRoutes(listener: Listener): ScopedRoutes | undefined {
  const chains = [
    ...listener.filterChains,
    ...(listener.defaultFilterChain ? [listener.defaultFilterChain] : []),
  ]
  for (const filter of chains.flatMap((chain) => chain.filters)) {
    if (filter.configType.case !== 'typedConfig') continue
    const manager = anyUnpack(filter.configType.value, HttpConnectionManagerSchema)
    if (manager?.routeSpecifier.case === 'scopedRoutes') return manager.routeSpecifier.value
  }
  return undefined
}

function encode(scopedRoutes: ScopedRoutes): Uint8Array {
  const router = create(RouterSchema)
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: warmListenerName,
    routeSpecifier: { case: 'scopedRoutes', value: scopedRoutes },
    httpFilters: [
      {
        name: 'envoy.filters.http.router',
        configType: { case: 'typedConfig', value: anyPack(RouterSchema, router) },
      },
    ],
  })
  const listener: MessageInitShape<typeof ListenerSchema> = {
    name: warmListenerName,
    bindToPort: false,
    address: {
      address: {
        case: 'socketAddress',
        value: { address: '127.0.0.1', portSpecifier: { case: 'portValue', value: 1 } },
      },
    },
    filterChains: [
      {
        name: warmListenerName,
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            configType: { case: 'typedConfig', value: anyPack(HttpConnectionManagerSchema, manager) },
          },
        ],
      },
    ],
  }
  return toBinary(ListenerSchema, create(ListenerSchema, listener))
}
