/**
 * The filter chains of `ingress_https`. In the scoped layout hosts with the same TLS settings share a chain, and which
 * host has which is said beside them (`chain-matcher.ts`); in the classic ones each has its own. A host that passes
 * streams has a chain of its own in both. With certificates on demand one chain serves all hosts that ask for nothing
 * special: Envoy fetches the certificate of a host, by its name, when a client first asks for it.
 */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { FilterChainSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener_components'
import { type Access, clustersOfAccess, isOpen } from '../dag/access.ts'
import type { TcpTarget, TlsSettings, TlsVersion } from '../dag/virtual-host.ts'
import type { Layout } from '../xds/layout.ts'
import { chainMatcher } from './chain-matcher.ts'
import { scopedRouting, tableRouting, trafficManager } from './connection-manager.ts'
import { downstreamTls, onDemandTls } from './downstream-tls.ts'
import { sourceOf } from './layout.ts'
import { milliseconds } from './message.ts'
import { clusterName, longHash } from './names.ts'
import type { ListenerOptions } from './options.ts'
import { fallbackTableName, secureTableName } from './route-table.ts'
import { tcpProxy } from './tcp-proxy.ts'

/** Of a chain that hosts share. */
interface Shared {
  /** Not empty; in any order. */
  readonly hosts: Iterable<string>
  /** By which it is taken in the scoped layout: hosts, and wildcards that stand for others of them. */
  readonly names: Iterable<string>
}

/** Hosts that present one certificate in one way. */
export interface HttpChain extends Shared {
  readonly kind: 'http'
  readonly settings: TlsSettings
  readonly access: Access
  /** Of the certificate's names; none where the chain checks clients: it takes the names of its hosts alone. */
  readonly wildcards: readonly string[]
}

export interface TcpChain {
  readonly kind: 'tcp'
  readonly host: string
  /** undefined: TLS is passed on. */
  readonly settings: TlsSettings | undefined
  readonly targets: readonly TcpTarget[]
}

/** For clients that name no host of ours: one for all hosts that are served to them. */
export interface FallbackChain {
  readonly kind: 'fallback'
  readonly settings: TlsSettings
}

/** Hosts whose certificates are fetched at the handshake; there is one such chain at most. */
export interface OnDemandChain extends Shared {
  readonly kind: 'on-demand'
  readonly minimum: TlsVersion
  readonly maximum: TlsVersion
  readonly access: Access
}

export type SecureChain = HttpChain | OnDemandChain | TcpChain | FallbackChain

/** What one host asks for. */
export type ChainRequest =
  | Omit<HttpChain, keyof Shared>
  | Omit<OnDemandChain, keyof Shared>
  | TcpChain
  | FallbackChain

export type FilterChain = MessageInitShape<typeof FilterChainSchema> & { readonly name: string }

export const httpsListenerName = 'ingress_https'

/** No host and no Secret is called so; names of chains beside a matcher must differ. */
const onDemandName = 'on demand'
const fallbackName = 'fallback certificate'

/** Chains with the same name are the same. */
export function chainName(
  { secret, minimum, maximum, clients, forward }: TlsSettings,
  access: Access,
): string {
  const versions = minimum === '1.2' && maximum === '1.3' ? '' : ` ${minimum}-${maximum}`
  const certificates =
    clients === undefined && forward === undefined ? '' : ` clients ${longHash([clients, forward])}`
  return `${secret}${versions}${certificates}${accessIdentity(access)}`
}

/** The chain checks clients, not the routes: on the chain of another host these would be served to anybody. */
export function isGuarded({ clients }: Pick<TlsSettings, 'clients'>, access: Access): boolean {
  return clients !== undefined || !isOpen(access)
}

/** '' for everybody. */
export function accessIdentity(access: Access): string {
  return isOpen(access) ? '' : ` access ${longHash(identityOf(access))}`
}

/** Clusters count by their names, and by what else of them a filter says. */
function identityOf({ authorization, providers }: Access): unknown {
  const asked = authorization && { ...authorization, cluster: undefined }
  const keys = providers.map((provider) =>
    provider.keys.kind === 'local'
      ? provider
      : { ...provider, keys: { ...provider.keys, cluster: clusterName(provider.keys.cluster) } },
  )
  return [asked, keys]
}

/** Tells chains of streams apart. */
export function tcpChainIdentity({ host, settings, targets }: TcpChain): string {
  const to = targets.map(({ cluster, weight }) => [clusterName(cluster), weight])
  return JSON.stringify([host, settings, to])
}

export function filterChains(
  chains: readonly SecureChain[],
  options: ListenerOptions,
  layout: Layout,
): readonly FilterChain[] {
  const managers: Managers = new Map()
  return chains.flatMap((chain): readonly FilterChain[] => {
    if (chain.kind === 'tcp') return [streamChain(chain, options, layout)]
    if (chain.kind === 'fallback') return [fallbackChain(chain, options, layout)]
    if (chain.kind === 'on-demand') return [onDemandChain(chain, options)]
    return layout === 'scoped'
      ? [sharedChain(chain, options, managers)]
      : chainPerHost(chain, options, layout)
  })
}

/** Which chain of the scoped layout takes a connection; what no other takes is fetched on demand, where that is wanted. */
export function matcherOf(chains: readonly SecureChain[]): ReturnType<typeof chainMatcher> {
  const named = chains.flatMap((chain) => {
    if (chain.kind === 'tcp') return [{ chain: chain.host, hosts: [chain.host] }]
    if (chain.kind === 'http') return [{ chain: chainName(chain.settings, chain.access), hosts: chain.names }]
    return chain.kind === 'on-demand' ? [{ chain: onDemandName, hosts: chain.names }] : []
  })
  const has = (kind: SecureChain['kind']) => chains.some((chain) => chain.kind === kind)
  return chainMatcher(named, has('fallback') ? fallbackName : has('on-demand') ? onDemandName : undefined)
}

/** What the chains name must be there before them; no listener waits for what is fetched. */
export function chainReferences(chains: readonly SecureChain[]) {
  const secrets = chains.flatMap((chain) =>
    chain.kind === 'on-demand' || chain.settings === undefined
      ? []
      : [chain.settings.secret, chain.settings.clients?.authority ?? []].flat(),
  )
  const clusters = chains.flatMap((chain) => {
    if (chain.kind === 'fallback') return []
    const wanted =
      chain.kind === 'tcp' ? chain.targets.map(({ cluster }) => cluster) : clustersOfAccess(chain.access)
    return wanted.map(clusterName)
  })
  return { secrets: [...new Set(secrets)].toSorted(), clusters: [...new Set(clusters)].toSorted() }
}

function sharedChain(chain: HttpChain, options: ListenerOptions, managers: Managers): FilterChain {
  const { settings, access } = chain
  return {
    name: chainName(settings, access),
    filters: [managerOf(chain, options, managers)],
    transportSocket: downstreamTls(settings, 'ads', options),
  }
}

/** Made once for all chains that want the same. */
type Managers = Map<string, ReturnType<typeof trafficManager>>

function managerOf(
  { settings, access, wildcards, hosts }: HttpChain,
  options: ListenerOptions,
  managers: Managers,
): ReturnType<typeof trafficManager> {
  const exact = wildcards.length === 0 && ![...hosts].some((host) => host.startsWith('*.'))
  const { forward } = settings
  const guarded = isGuarded(settings, access)
  const identity = JSON.stringify([exact, guarded, forward, accessIdentity(access)])
  const found = managers.get(identity)
  if (found !== undefined) return found
  const routing = scopedRouting('https', { exact, guarded })
  const checks = { forward, access }
  const made = trafficManager(routing, httpsListenerName, options.httpsAccessLog, options, checks)
  managers.set(identity, made)
  return made
}

/** A handshake that waits for a certificate has no other limit than that of the chain. */
function onDemandChain(chain: OnDemandChain, options: ListenerOptions): FilterChain {
  const { access } = chain
  const routing = scopedRouting('https', { guarded: !isOpen(access) })
  return {
    name: onDemandName,
    transportSocketConnectTimeout: milliseconds(5000),
    filters: [trafficManager(routing, httpsListenerName, options.httpsAccessLog, options, { access })],
    transportSocket: onDemandTls(chain, options),
  }
}

function chainPerHost(
  { settings, access, hosts }: HttpChain,
  options: ListenerOptions,
  layout: Layout,
): readonly FilterChain[] {
  const source = sourceOf(layout)
  const checks = { forward: settings.forward, access }
  return [...hosts].map((host) => {
    const routing = tableRouting(secureTableName(host), source, host.startsWith('*.'))
    return {
      name: host,
      filterChainMatch: { serverNames: [host] },
      filters: [trafficManager(routing, httpsListenerName, options.httpsAccessLog, options, checks)],
      transportSocket: downstreamTls(settings, source, options),
    }
  })
}

/** Any TLS that no other chain takes. */
function fallbackChain({ settings }: FallbackChain, options: ListenerOptions, layout: Layout): FilterChain {
  const source = sourceOf(layout)
  const access = { authorization: options.authorization, providers: [] }
  const routing =
    layout === 'scoped' ? scopedRouting('fallback') : tableRouting(fallbackTableName, source, false)
  return {
    name: layout === 'scoped' ? fallbackName : 'fallback-certificate',
    ...(layout === 'scoped' ? {} : { filterChainMatch: { transportProtocol: 'tls' } }),
    filters: [trafficManager(routing, httpsListenerName, options.httpsAccessLog, options, { access })],
    transportSocket: downstreamTls(settings, source, options),
  }
}

function streamChain(
  { host, settings, targets }: TcpChain,
  options: ListenerOptions,
  layout: Layout,
): FilterChain {
  return {
    name: host,
    ...(layout === 'scoped' ? {} : { filterChainMatch: { serverNames: [host] } }),
    filters: [tcpProxy(targets, httpsListenerName, options)],
    ...(settings === undefined
      ? {}
      : { transportSocket: downstreamTls(settings, sourceOf(layout), options, []) }),
  }
}
