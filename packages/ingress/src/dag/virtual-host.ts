/** What one host name serves, as values free of Envoy's and the API's shapes. */
import type { Access } from './access.ts'
import type { Cluster, Limit, TrustBundle } from './cluster.ts'
import type { CookieRewrite, HostFilters, RouteFilters } from './filters.ts'
import type { RouteMatch } from './match.ts'

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
  /** Of the answer. */
  readonly headers?: HeaderEdits
}

export type Action =
  | Forward
  | Redirect
  /** 301 to the same host and path over https. */
  | { readonly kind: 'https-redirect' }
  | {
      readonly kind: 'respond'
      readonly status: number
      readonly body?: string
      readonly headers?: HeaderEdits
    }

export interface Route {
  readonly match: RouteMatch
  readonly action: Action
  /** The object that asked for it, as `Kind/namespace/name`. */
  readonly owner: string
  /** Where in that object it stands, as `spec.routes[0]`. */
  readonly rule: string
  readonly filters?: RouteFilters | undefined
  /** Access logs tell its owner. */
  readonly told?: true
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
  /** DNS names that the leaf is for, lower case. */
  readonly names: readonly string[]
}

/** Routes are in the order in which Envoy tries them. */
export interface VirtualHost {
  /** A DNS name, `*.` and a DNS name (one label), or `*`; lower case. */
  readonly host: string
  /** For all routes of both listeners. */
  readonly filters: HostFilters
  /** Empty: the host does not exist on the plain listener. */
  readonly plain: readonly Route[]
  /** Who may send requests there, and under the fallback certificate. */
  readonly plainAccess: Access
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
  | {
      readonly kind: 'http'
      readonly tls: Certified
      readonly routes: readonly Route[]
      /** Who may send requests. */
      readonly access: Access
      /** Shown to clients that name no host; undefined: the host is not served to those. */
      readonly fallback?: Certified | undefined
    }
  /** Streams; without `tls` they are passed on encrypted. Some target has a weight. */
  | { readonly kind: 'tcp'; readonly tls: Certified | undefined; readonly targets: readonly TcpTarget[] }
