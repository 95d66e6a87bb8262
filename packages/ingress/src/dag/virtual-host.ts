/** What one host name serves, as values free of Envoy's and the API's shapes. */
import type { CookieRewrite, HostFilters, RouteFilters } from './filters.ts'

export type PathMatch =
  | { readonly kind: 'exact'; readonly value: string }
  /** The whole path must match this RE2 expression. */
  | { readonly kind: 'regex'; readonly value: string }
  /** A prefix of the text. */
  | { readonly kind: 'prefix'; readonly value: string }
  /** A prefix of whole path segments; never ends in `/`. */
  | { readonly kind: 'segment'; readonly value: string }

export interface HeaderMatch {
  readonly name: string
  readonly kind: 'present' | 'contains' | 'exact' | 'regex'
  /** '' for `present`. */
  readonly value: string
  readonly invert: boolean
  readonly ignoreCase: boolean
  readonly missingAsEmpty: boolean
}

export interface QueryMatch {
  readonly name: string
  readonly kind: 'present' | 'contains' | 'exact' | 'prefix' | 'suffix' | 'regex'
  readonly value: string
  readonly ignoreCase: boolean
}

export interface RouteMatch {
  readonly path: PathMatch
  readonly headers: readonly HeaderMatch[]
  readonly query: readonly QueryMatch[]
}

export type UpstreamProtocol = '' | 'h2' | 'h2c' | 'tls'
export type Strategy = 'RoundRobin' | 'WeightedLeastRequest' | 'Random' | 'RingHash'

/** Milliseconds; undefined: Envoy's default. */
export type Limit = number | 'infinite' | undefined

export interface HealthCheckTimes {
  readonly intervalSeconds: number
  readonly timeoutSeconds: number
  readonly unhealthyThreshold: number
  readonly healthyThreshold: number
}

export interface HttpHealthCheck extends HealthCheckTimes {
  readonly kind: 'http'
  readonly path: string
  readonly host: string
  /** Statuses that count as healthy, the end not among them; empty: 200. */
  readonly expected: readonly { readonly start: number; readonly end: number }[]
}

/** Healthy is what takes a connection. */
export type HealthCheck = HttpHealthCheck | (HealthCheckTimes & { readonly kind: 'tcp' })

export interface SlowStart {
  readonly windowMs: number
  readonly aggression: number
  readonly minWeightPercent: number
}

/** Most at a time, over all endpoints but the last; what is missing has no limit but Envoy's default. */
export interface CircuitBreakers {
  readonly maxConnections?: number
  readonly maxPendingRequests?: number
  readonly maxRequests?: number
  readonly maxRetries?: number
  readonly perHostMaxConnections?: number
}

/** Authorities to check certificates against. */
export interface TrustBundle {
  /** Of the Secrets that it comes from, so that a rotation changes nothing else. */
  readonly name: string
  /** PEM. */
  readonly authorities: Uint8Array
  /** PEM; undefined: nothing is looked for in lists of revoked certificates. */
  readonly revocation: Uint8Array | undefined
}

/** What the certificate of a backend must show. */
export interface UpstreamValidation {
  /** Name of the TrustBundle. */
  readonly authority: string
  /** It must have one of these names: DNS, address or URI. */
  readonly names: readonly string[]
}

/** What makes a cluster another one than that of the same port with other settings. */
export interface ClusterSettings {
  readonly protocol: UpstreamProtocol
  readonly strategy: Strategy
  readonly idleConnection: Limit
  readonly healthCheck: HealthCheck | undefined
  /** Name of the port that health checks use, if it is another. */
  readonly healthPortName: string | undefined
  readonly slowStart: SlowStart | undefined
  readonly circuitBreakers: CircuitBreakers | undefined
  /** Name that is asked for in a TLS handshake with the backend; '': none. */
  readonly sni: string
  /** undefined: any certificate is taken. */
  readonly validation: UpstreamValidation | undefined
}

/** One port of a Service with the settings that make it a cluster of its own. */
export interface Cluster {
  readonly namespace: string
  readonly service: string
  readonly port: number
  /** '' when the Service's only port has no name. */
  readonly portName: string
  readonly settings: ClusterSettings
  /** What its validation names. */
  readonly authority: TrustBundle | undefined
}

export interface HeaderEdits {
  /** Replace what is there; values in Envoy's format, where `%%` is a percent sign. */
  readonly set: readonly { readonly name: string; readonly value: string }[]
  readonly remove: readonly string[]
}

export type HostRewrite =
  | { readonly kind: 'literal'; readonly value: string }
  /** The value of a header of the request. */
  | { readonly kind: 'header'; readonly name: string }

export interface WeightedCluster {
  readonly cluster: Cluster
  readonly weight: number
  readonly request: HeaderEdits
  readonly response: HeaderEdits
  /** What the host becomes for this Service, unless the route says. */
  readonly host?: string | undefined
  /** Of cookies in its answers; not empty: in the place of the route's. */
  readonly cookies?: readonly CookieRewrite[] | undefined
}

export interface Retry {
  readonly count: number
  readonly on: readonly string[]
  readonly statusCodes: readonly number[]
  readonly perTry: Limit
}

export type HashPolicy = { readonly terminal: boolean } & (
  | { readonly kind: 'header' | 'query' | 'cookie'; readonly name: string }
  | { readonly kind: 'source' }
)

export interface InternalRedirect {
  /** 0: Envoy's default, which is 1. */
  readonly most: number
  readonly statuses: readonly number[]
  readonly crossScheme: 'Always' | 'Never' | 'SafeOnly'
  readonly denyRepeated: boolean
}

export interface Forward {
  readonly kind: 'forward'
  readonly clusters: readonly WeightedCluster[]
  readonly websockets: boolean
  /** Gets a copy of so many percent of the requests. */
  readonly mirror: { readonly cluster: Cluster; readonly percent: number } | undefined
  readonly response: Limit
  readonly idle: Limit
  readonly retry: Retry | undefined
  readonly hash: readonly HashPolicy[]
  readonly prefixRewrite: string | undefined
  readonly hostRewrite: HostRewrite | undefined
  readonly requestHeaders: HeaderEdits
  readonly responseHeaders: HeaderEdits
  readonly internalRedirect: InternalRedirect | undefined
}

/** All that an action sends requests to. */
export function clustersOfAction({ clusters, mirror }: Forward): readonly Cluster[] {
  const taking = clusters.map(({ cluster }) => cluster)
  return mirror === undefined ? taking : [...taking, mirror.cluster]
}

export interface Redirect {
  readonly kind: 'redirect'
  /** Undefined: as in the request. */
  readonly scheme: string | undefined
  readonly host: string | undefined
  readonly port: number | undefined
  readonly path: string | undefined
  readonly prefix: string | undefined
  readonly status: number
}

export type Action =
  | Forward
  | Redirect
  /** 301 to the same host and path over https. */
  | { readonly kind: 'https-redirect' }
  | { readonly kind: 'respond'; readonly status: number; readonly body?: string }

export interface Route {
  readonly match: RouteMatch
  readonly action: Action
  /** The object that asked for it, as `Kind/namespace/name`. */
  readonly owner: string
  readonly filters?: RouteFilters | undefined
}

export type TlsVersion = '1.2' | '1.3'

export interface TlsSettings {
  /** `namespace/name` of the Secret. */
  readonly secret: string
  readonly minimum: TlsVersion
  readonly maximum: TlsVersion
  /** undefined: clients are asked for no certificate. */
  readonly clients: ClientValidation | undefined
  /** What the backend is told of the client's certificate; undefined: nothing. */
  readonly forward: ForwardedCertificate | undefined
}

export interface ClientValidation {
  /** Name of the TrustBundle. */
  readonly authority: string | undefined
  readonly verify: boolean
  readonly required: boolean
  /** Only the client's own certificate is looked for in the lists of revoked ones. */
  readonly leafOnly: boolean
}

export interface ForwardedCertificate {
  readonly subject: boolean
  readonly cert: boolean
  readonly chain: boolean
  readonly dns: boolean
  readonly uri: boolean
}

export interface KeyPair {
  /** `namespace/name`. */
  readonly secret: string
  /** PEM, leaf first. */
  readonly certificates: Uint8Array
  readonly key: Uint8Array
}

/** Routes are in the order in which Envoy tries them. */
export interface VirtualHost {
  /** A DNS name, `*.` and a DNS name (one label), or `*`; lower case. */
  readonly host: string
  /** For all routes of both listeners. */
  readonly filters: HostFilters
  /** Empty: the host does not exist on the plain listener. */
  readonly plain: readonly Route[]
  readonly secure: SecureSide | undefined
}

/** How a host presents itself over TLS. */
export interface Certified {
  readonly settings: TlsSettings
  readonly keyPair: KeyPair
  /** What the settings name. */
  readonly trust: TrustBundle | undefined
}

export interface TcpTarget {
  readonly cluster: Cluster
  readonly weight: number
}

export type SecureSide =
  | { readonly kind: 'http'; readonly tls: Certified; readonly routes: readonly Route[] }
  /** Streams; without `tls` they are passed on encrypted. Some target has a weight. */
  | { readonly kind: 'tcp'; readonly tls: Certified | undefined; readonly targets: readonly TcpTarget[] }
