/**
 * The traffic listeners. They exist only while a virtual host needs them, and their bytes depend on no host but
 * through the chains of the secure one: `ingress_http` is one filter chain, those of `ingress_https` are in
 * secure-chains.ts.
 */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { ListenerSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener'
import { ProxyProtocolSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol'
import { TlsInspectorSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector'
import { clustersOfAccess } from '../dag/access.ts'
import type { Layout } from '../xds/layout.ts'
import { makeResource, type References, type Resource } from '../xds/resource.ts'
import { scopedRouting, tableRouting, trafficManager } from './connection-manager.ts'
import { sourceOf } from './layout.ts'
import { typed } from './message.ts'
import { clusterName } from './names.ts'
import type { BindAddress, ListenerOptions } from './options.ts'
import { plainTableName } from './route-table.ts'
import {
  chainReferences,
  type FilterChain,
  filterChains,
  httpsListenerName,
  matcherOf,
  type SecureChain,
} from './secure-chains.ts'
import { keepalive, marks, socketAddress } from './socket.ts'

type ListenerInit = MessageInitShape<typeof ListenerSchema>
type ListenerFilter = NonNullable<ListenerInit['listenerFilters']>[number]

export const httpListenerName = 'ingress_http'

export function httpListener(options: ListenerOptions, layout: Layout): Resource {
  const routing =
    layout === 'scoped' ? scopedRouting('http') : tableRouting(plainTableName, sourceOf(layout), false)
  const { authorization } = options
  const access = { authorization, providers: [] }
  const filters = [trafficManager(routing, httpListenerName, options.httpAccessLog, options, { access })]
  const chains = [{ name: httpListenerName, filters }]
  return listener(httpListenerName, options.http, options, proxyProtocol(options), chains, {
    clusters: [...clustersOfAccess(access).map(clusterName), ...sharedClusters(options)],
  })
}

/** `chains` in any order, none of them twice. */
export function httpsListener(
  chains: readonly SecureChain[],
  options: ListenerOptions,
  layout: Layout,
): Resource {
  const sorted = filterChains(chains, options, layout).toSorted(byName)
  const inspectors = [...proxyProtocol(options), tlsInspector(options)]
  const { secrets, clusters } = chainReferences(chains)
  const references = { secrets, clusters: [...clusters, ...sharedClusters(options)] }
  const matcher = layout === 'scoped' ? matcherOf(chains) : undefined
  return listener(httpsListenerName, options.https, options, inspectors, sorted, references, matcher)
}

/** Of the servers that every connection manager asks or tells. */
function sharedClusters({ rateLimiting, tracing }: ListenerOptions): readonly string[] {
  return [rateLimiting, tracing].flatMap((server) => server?.cluster ?? [])
}

function byName(a: FilterChain, b: FilterChain): number {
  return a.name < b.name ? -1 : 1
}

function listener(
  name: string,
  bind: BindAddress,
  options: ListenerOptions,
  listenerFilters: readonly ListenerFilter[],
  filterChains: readonly FilterChain[],
  references: References = {},
  filterChainMatcher?: ListenerInit['filterChainMatcher'],
): Resource {
  const { bufferBytes, connectionsPerSocketEvent } = options.limits
  const message = create(ListenerSchema, {
    name,
    address: socketAddress(bind),
    listenerFilters: [...listenerFilters],
    filterChains: [...filterChains],
    ...(filterChainMatcher === undefined ? {} : { filterChainMatcher }),
    socketOptions: [...keepalive, ...marks(bind, options.socket)],
    ...(bufferBytes === undefined ? {} : { perConnectionBufferLimitBytes: bufferBytes }),
    ...(connectionsPerSocketEvent === undefined
      ? {}
      : { maxConnectionsToAcceptPerSocketEvent: connectionsPerSocketEvent }),
    ...(options.exactBalance
      ? { connectionBalanceConfig: { balanceType: { case: 'exactBalance', value: {} } } }
      : {}),
  })
  return makeResource(name, toBinary(ListenerSchema, message), references)
}

function proxyProtocol(options: ListenerOptions): readonly ListenerFilter[] {
  if (!options.useProxyProtocol) return []
  return [listenerFilter(typed('envoy.filters.listener.proxy_protocol', ProxyProtocolSchema, {}))]
}

function tlsInspector({ tls }: ListenerOptions): ListenerFilter {
  const { ja3, ja4 } = tls.fingerprints
  return listenerFilter(
    typed('envoy.filters.listener.tls_inspector', TlsInspectorSchema, {
      ...(ja3 ? { enableJa3Fingerprinting: true } : {}),
      ...(ja4 ? { enableJa4Fingerprinting: true } : {}),
    }),
  )
}

function listenerFilter({ name, typedConfig }: ReturnType<typeof typed>): ListenerFilter {
  return { name, configType: { case: 'typedConfig', value: typedConfig } }
}
