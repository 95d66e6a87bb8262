/** What one host name serves, as values free of Envoy's and the API's shapes. */

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
export type Strategy = 'RoundRobin' | 'WeightedLeastRequest' | 'Random'

/** One port of a Service with the settings that make it a cluster of its own. */
export interface Cluster {
  readonly namespace: string
  readonly service: string
  readonly port: number
  /** '' when the Service's only port has no name. */
  readonly portName: string
  readonly protocol: UpstreamProtocol
  readonly strategy: Strategy
}

export interface WeightedCluster {
  readonly cluster: Cluster
  readonly weight: number
}

export type Action =
  | { readonly kind: 'forward'; readonly clusters: readonly WeightedCluster[]; readonly websockets: boolean }
  /** 301 to the same host and path over https. */
  | { readonly kind: 'https-redirect' }
  | { readonly kind: 'respond'; readonly status: number }

export interface Route {
  readonly match: RouteMatch
  readonly action: Action
  /** The object that asked for it, as `Kind/namespace/name`. */
  readonly owner: string
}

export type TlsVersion = '1.2' | '1.3'

export interface TlsSettings {
  /** `namespace/name` of the Secret. */
  readonly secret: string
  readonly minimum: TlsVersion
  readonly maximum: TlsVersion
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
  /** Empty: the host does not exist on the plain listener. */
  readonly plain: readonly Route[]
  readonly secure:
    | { readonly tls: TlsSettings; readonly keyPair: KeyPair; readonly routes: readonly Route[] }
    | undefined
}
