/** Where requests go, with the settings that make it a cluster of its own. */
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

/** Which addresses of a name are used; `auto` takes IPv6 where there are any, else IPv4. */
export type DnsFamily = 'auto' | 'v4' | 'v6' | 'all'

export interface ExternalName {
  readonly host: string
  readonly family: DnsFamily
  /** That health checks use; undefined: the same as requests. */
  readonly healthPort: number | undefined
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
  /** A name of the DNS that stands for the endpoints; undefined: they come from EndpointSlices. */
  readonly external: ExternalName | undefined
  /** undefined: any certificate is taken. */
  readonly validation: UpstreamValidation | undefined
  /** Redirects that it answers are followed by Envoy itself. */
  readonly redirectsInside?: true
}

/** How a cluster is written, where its settings do not tell any more: Contour's name of it says that, too. */
export interface Written {
  readonly strategy: string
  /** What of a health check is given: times, thresholds and path. */
  readonly healthCheck: string
  /** That requests are sent to: by a policy, or the name outside that the Service stands for. */
  readonly host: string
}

/** One port of a Service. */
export interface ServiceCluster {
  readonly kind: 'service'
  readonly namespace: string
  readonly service: string
  readonly port: number
  /** '' when the Service's only port has no name. */
  readonly portName: string
  readonly settings: ClusterSettings
  /** What its validation names. */
  readonly authority: TrustBundle | undefined
  /** With it the cluster has Contour's name, if that says all of it. */
  readonly written?: Written
}

/** What Envoy itself asks, behind one or several Services. */
export interface ExtensionCluster {
  readonly kind: 'extension'
  readonly namespace: string
  readonly name: string
  /** Not empty; some have a weight. */
  readonly targets: readonly ExtensionTarget[]
  readonly settings: ClusterSettings
  readonly authority: TrustBundle | undefined
}

/** A port of a Service in the namespace of the ExtensionService. */
export interface ExtensionTarget {
  readonly service: string
  readonly portName: string
  readonly weight: number
}

/** A host outside of the cluster that Envoy fetches keys from. */
export interface DnsCluster {
  readonly kind: 'dns'
  readonly host: string
  readonly port: number
  readonly secure: boolean
  readonly family: DnsFamily
  /** undefined: any certificate is taken. */
  readonly validation: UpstreamValidation | undefined
  readonly authority: TrustBundle | undefined
}

export type Cluster = ServiceCluster | ExtensionCluster | DnsCluster
