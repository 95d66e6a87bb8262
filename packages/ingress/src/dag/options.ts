/** The settings that translation reads. */
import type { AuthorizationServer, RateLimitPolicy } from '@landfall/api'
import type { Key } from '@landfall/kube/model'
import type { DnsFamily } from './cluster.ts'
import type { TlsDefaults } from './tls-settings.ts'

export interface DagOptions {
  /** Clusters have Contour's names wherever those say all of them. */
  readonly contourNames?: true
  /** Namespaces that may hold root HTTPProxies; empty: all. */
  readonly rootNamespaces: readonly string[]
  /** `permitInsecure` counts for nothing. */
  readonly disablePermitInsecure: boolean
  /** Services of type ExternalName are served. */
  readonly enableExternalNameService: boolean
  /** Which addresses of names outside of the cluster are used, where nothing else is said. */
  readonly dnsLookupFamily: DnsFamily
  readonly tls: TlsDefaults
  /** How Envoys get the certificates of hosts: a filter chain for each, or fetched at the handshake that needs one. */
  readonly certificates: 'chains' | 'on-demand'
  /** Shown to clients that name no host of ours, for hosts that want it; undefined: none. */
  readonly fallbackCertificate: Key | undefined
  /** What Envoy shows to backends that speak TLS; undefined: nothing. */
  readonly clientCertificate: Key | undefined
  /** Backends that speak TLS and whose certificate nobody checks are not served. */
  readonly requireUpstreamValidation: boolean
  readonly headers: DefaultHeaders
  /** undefined: nothing is limited globally. */
  readonly rateLimitService: RateLimitService | undefined
  /** Asked on every host that has no server of its own, and over plain HTTP; undefined: nobody is. */
  readonly globalAuthorization: GlobalAuthorization | undefined
  /** Told of requests; undefined: nobody is. */
  readonly tracing: TracingService | undefined
  /** Access logs tell which object a route comes from. */
  readonly tellOwners: boolean
}

/** Who takes traces of requests, by OpenTelemetry over gRPC. */
export interface TracingService {
  /** `namespace/name`. */
  readonly extensionService: Key
  /** Envoy's pod and namespace are among the tags. */
  readonly includePodDetail: boolean
  readonly serviceName: string
  /** Percent: of all, of those that a client asks for, of those that nobody asks for. */
  readonly overallSampling: number
  readonly clientSampling: number
  readonly randomSampling: number
  /** So much of a path is told. */
  readonly maxPathTagLength: number
  readonly customTags: readonly TracingTag[]
}

/** With a text of its own, or that of a header. */
export type TracingTag =
  | { readonly tagName: string; readonly literal: string }
  | { readonly tagName: string; readonly requestHeaderName: string }

export interface GlobalAuthorization {
  /** `namespace/name`. */
  readonly extensionService: Key
  /** How it is asked, and what holds for hosts that say nothing. */
  readonly server: Omit<AuthorizationServer, 'extensionRef'>
}

export interface HeaderDefaults {
  readonly set: Readonly<Record<string, string>>
  readonly remove: readonly string[]
}

/** For every route that does not say otherwise. */
export interface DefaultHeaders {
  readonly request: HeaderDefaults
  readonly response: HeaderDefaults
  readonly applyToIngress: boolean
}

/** Who counts requests for all Envoys together. */
export interface RateLimitService {
  /** `namespace/name`. */
  readonly extensionService: Key
  readonly domain: string
  /** Requests pass when it does not answer. */
  readonly failOpen: boolean
  /** Clients are told of their limits (X-RateLimit-…, draft 03). */
  readonly enableXRateLimitHeaders: boolean
  /** A refused gRPC request gets RESOURCE_EXHAUSTED instead of UNAVAILABLE. */
  readonly enableResourceExhaustedCode: boolean
  /** Of virtual hosts of HTTPProxies that have none. */
  readonly defaultGlobalRateLimitPolicy: RateLimitPolicy['global']
}

export const defaultDagOptions: DagOptions = {
  rootNamespaces: [],
  disablePermitInsecure: false,
  enableExternalNameService: false,
  dnsLookupFamily: 'auto',
  tls: { minimum: '1.2', maximum: '1.3' },
  certificates: 'chains',
  fallbackCertificate: undefined,
  clientCertificate: undefined,
  requireUpstreamValidation: false,
  headers: {
    request: { set: {}, remove: [] },
    response: { set: {}, remove: [] },
    applyToIngress: false,
  },
  rateLimitService: undefined,
  globalAuthorization: undefined,
  tracing: undefined,
  tellOwners: false,
}
