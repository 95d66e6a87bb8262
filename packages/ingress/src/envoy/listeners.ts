/**
 * The traffic listeners. They exist only while a virtual host needs them, and their bytes depend on no host but
 * through the certificates: `ingress_http` is one filter chain, `ingress_https` one chain for each certificate and
 * range of TLS versions, with the server names that present it. In the classic layouts each secure host has a chain.
 */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { ListenerSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener'
import type { FilterChainSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener_components'
import { ProxyProtocolSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol'
import { TlsInspectorSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector'
import type { TlsSettings } from '../dag/virtual-host.ts'
import type { Layout } from '../xds/layout.ts'
import { makeResource, type Resource } from '../xds/resource.ts'
import { scopedRouting, tableRouting, trafficManager } from './connection-manager.ts'
import { downstreamTls } from './downstream-tls.ts'
import { sourceOf } from './layout.ts'
import { typed } from './message.ts'
import type { BindAddress, ListenerOptions } from './options.ts'
import { plainTableName, secureTableName } from './route-table.ts'
import { keepalive, socketAddress } from './socket.ts'

type ListenerInit = MessageInitShape<typeof ListenerSchema>
type FilterChain = MessageInitShape<typeof FilterChainSchema>
type ListenerFilter = NonNullable<ListenerInit['listenerFilters']>[number]

export const httpListenerName = 'ingress_http'
export const httpsListenerName = 'ingress_https'

/** The hosts that present one certificate with one range of versions. */
export interface TlsChain {
  readonly settings: TlsSettings
  /** Not empty; in any order. */
  readonly hosts: Iterable<string>
}

export function httpListener(options: ListenerOptions, layout: Layout): Resource {
  const routing =
    layout === 'scoped' ? scopedRouting('http') : tableRouting(plainTableName, sourceOf(layout), false)
  const filters = [trafficManager(routing, httpListenerName, options.httpAccessLog, options.trustedHops)]
  return listener(httpListenerName, options.http, proxyProtocol(options), [
    { name: httpListenerName, filters },
  ])
}

/** `chains` in any order, none of them twice. */
export function httpsListener(
  chains: Iterable<TlsChain>,
  options: ListenerOptions,
  layout: Layout,
): Resource {
  const all = [...chains]
  const filterChains = layout === 'scoped' ? sharedChains(all, options) : chainPerHost(all, options, layout)
  const secrets = [...new Set(all.map(({ settings }) => settings.secret))].toSorted()
  const inspectors = [...proxyProtocol(options), tlsInspector()]
  return listener(httpsListenerName, options.https, inspectors, filterChains.toSorted(byName), secrets)
}

type NamedChain = FilterChain & { readonly name: string }

function byName(a: NamedChain, b: NamedChain): number {
  return a.name < b.name ? -1 : 1
}

function sharedChains(chains: readonly TlsChain[], options: ListenerOptions): readonly NamedChain[] {
  const filters = [
    trafficManager(scopedRouting('https'), httpsListenerName, options.httpsAccessLog, options.trustedHops),
  ]
  return chains.map(({ settings, hosts }) => ({
    name: chainName(settings),
    filterChainMatch: { serverNames: [...hosts].toSorted() },
    filters,
    transportSocket: downstreamTls(settings, 'ads'),
  }))
}

function chainPerHost(
  chains: readonly TlsChain[],
  options: ListenerOptions,
  layout: Layout,
): readonly NamedChain[] {
  const source = sourceOf(layout)
  return chains.flatMap(({ settings, hosts }) =>
    [...hosts].map((host) => {
      const routing = tableRouting(secureTableName(host), source, host.startsWith('*.'))
      return {
        name: host,
        filterChainMatch: { serverNames: [host] },
        filters: [trafficManager(routing, httpsListenerName, options.httpsAccessLog, options.trustedHops)],
        transportSocket: downstreamTls(settings, source),
      }
    }),
  )
}

/** Chains with the same name are the same. */
export function chainName({ secret, minimum, maximum }: TlsSettings): string {
  return minimum === '1.2' && maximum === '1.3' ? secret : `${secret} ${minimum}-${maximum}`
}

function listener(
  name: string,
  bind: BindAddress,
  listenerFilters: readonly ListenerFilter[],
  filterChains: readonly FilterChain[],
  secrets: readonly string[] = [],
): Resource {
  const message = create(ListenerSchema, {
    name,
    address: socketAddress(bind),
    listenerFilters: [...listenerFilters],
    filterChains: [...filterChains],
    socketOptions: keepalive,
  })
  return makeResource(name, toBinary(ListenerSchema, message), { secrets })
}

function proxyProtocol(options: ListenerOptions): readonly ListenerFilter[] {
  if (!options.useProxyProtocol) return []
  return [listenerFilter(typed('envoy.filters.listener.proxy_protocol', ProxyProtocolSchema, {}))]
}

function tlsInspector(): ListenerFilter {
  return listenerFilter(typed('envoy.filters.listener.tls_inspector', TlsInspectorSchema, {}))
}

function listenerFilter({ name, typedConfig }: ReturnType<typeof typed>): ListenerFilter {
  return { name, configType: { case: 'typedConfig', value: typedConfig } }
}
