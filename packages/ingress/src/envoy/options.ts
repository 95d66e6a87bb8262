/** The settings that the encoding reads: of listeners, of clusters, of Envoy's runtime. */

import type { Authorization } from '../dag/access.ts'
import type { CircuitBreakers, Limit } from '../dag/cluster.ts'
import type { RateLimiting } from './rate-limits.ts'
import type { Tracing } from './tracing.ts'

export interface BindAddress {
  /** `::` takes IPv4 too. */
  readonly address: string
  readonly port: number
}

export interface ListenerOptions {
  readonly http: BindAddress
  readonly https: BindAddress
  /** `/ready` and, unless `metrics` says otherwise, `/stats` and `/stats/prometheus` of Envoy. */
  readonly stats: BindAddress
  /** Where `/stats` is, when not where `/ready` is. */
  readonly metrics: BindAddress | undefined
  /** Of `/stats`, which then has an address of its own; undefined: plain HTTP. */
  readonly metricsTls: MetricsTls | undefined
  /** A second `/ready`, which counts against Envoy's limit of connections. */
  readonly limitedHealth: BindAddress | undefined
  /** Read-only part of Envoy's administration, on the loopback; 0: none. */
  readonly adminPort: number
  /** Paths of the access logs; '' for none. */
  readonly httpAccessLog: string
  readonly httpsAccessLog: string
  /** Clients come through a proxy that speaks the PROXY protocol. */
  readonly useProxyProtocol: boolean
  /** How many proxies in front of Envoy are believed what they write into X-Forwarded-For. */
  readonly trustedHops: number
  readonly http1: { readonly allowChunkedLength: boolean }
  readonly timeouts: ListenerTimeouts
  readonly accessLog: AccessLog
  readonly tls: ListenerTls
  readonly mergeSlashes: boolean
  /** `shop.test.` counts, and reaches the backend, as `shop.test`. */
  readonly stripTrailingHostDot: boolean
  readonly compression: Compression
  readonly serverHeader: ServerHeader
  /** Offered in the TLS handshake. */
  readonly httpVersions: readonly HttpVersion[]
  readonly limits: ListenerLimits
  /** Connections are spread evenly over Envoy's threads, at the price of a lock. */
  readonly exactBalance: boolean
  readonly socket: SocketMarks
  /** Who limits requests globally; undefined: nobody. */
  readonly rateLimiting?: RateLimiting | undefined
  /** Who is told of requests; undefined: nobody. */
  readonly tracing?: Tracing | undefined
  /** Who is asked about requests over plain HTTP; undefined: nobody. */
  readonly authorization?: Authorization | undefined
}

/** Files in Envoy's own pod. */
export interface MetricsTls {
  readonly certificate: string
  readonly key: string
  /** Of those who may read; undefined: anybody. */
  readonly ca: string | undefined
}

export type Compression = 'gzip' | 'brotli' | 'zstd' | 'disabled'
export type ServerHeader = 'overwrite' | 'append_if_absent' | 'pass_through'
export type HttpVersion = 'HTTP/1.1' | 'HTTP/2'

/** Without a value: Envoy's default. */
export interface ListenerTimeouts {
  /** To receive a whole request; none by default. */
  readonly request: Limit
  /** Of connections without a request. */
  readonly connectionIdle: Limit
  readonly streamIdle: Limit
  readonly maxConnectionDuration: Limit
  readonly delayedClose: Limit
  /** Between the first and the last GOAWAY. */
  readonly drain: Limit
}

export interface AccessLog {
  readonly format: LogFormat
  /** Requests with a lower status are not logged; undefined: nothing is logged at all. */
  readonly leastStatus: number | undefined
}

export type LogFormat =
  /** Envoy's own line. */
  | { readonly kind: 'default' }
  /** A line in Envoy's command operators. */
  | { readonly kind: 'text'; readonly line: string }
  /** Names and command operators. */
  | { readonly kind: 'json'; readonly fields: Readonly<Record<string, string>> }

export interface ListenerTls {
  /** Of TLS 1.2. */
  readonly cipherSuites: readonly string[]
  /** Empty: Envoy's. */
  readonly curves: readonly string[]
  readonly fingerprints: { readonly ja3: boolean; readonly ja4: boolean }
}

/** undefined: Envoy's default. */
export interface ListenerLimits {
  readonly requestsPerConnection: number | undefined
  readonly bufferBytes: number | undefined
  readonly http2Streams: number | undefined
  readonly connectionsPerSocketEvent: number | undefined
}

/** Marks of the packets that Envoy sends; 0: none. */
export interface SocketMarks {
  readonly tos: number
  readonly trafficClass: number
}

export interface ClusterOptions {
  /** Name of the secret that Envoy shows to backends that speak TLS; undefined: nothing. */
  readonly clientCertificate: string | undefined
  readonly connectMs: number
  readonly requestsPerConnection: number | undefined
  readonly bufferBytes: number | undefined
  /** Where a Service's annotations say nothing. */
  readonly circuitBreakers: CircuitBreakers
  readonly tls: UpstreamTlsOptions
}

/** undefined and empty: Envoy's default. */
export interface UpstreamTlsOptions {
  readonly minimum: '1.2' | '1.3' | undefined
  /** Envoy's default is 1.2 here. */
  readonly maximum: '1.2' | '1.3'
  readonly cipherSuites: readonly string[]
  readonly curves: readonly string[]
}

export interface RuntimeOptions {
  readonly requestsPerIoCycle: number | undefined
  readonly connectionsPerListener: number | undefined
  /** Keys of Envoy's runtime, which go before ours. */
  readonly more: Readonly<Record<string, string>>
}

export const defaultCipherSuites: readonly string[] = [
  '[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]',
  '[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
]

export const defaultListenerOptions: ListenerOptions = {
  http: { address: '::', port: 8080 },
  https: { address: '::', port: 8443 },
  stats: { address: '::', port: 8002 },
  adminPort: 9001,
  httpAccessLog: '/dev/stdout',
  httpsAccessLog: '/dev/stdout',
  useProxyProtocol: false,
  trustedHops: 0,
  metrics: undefined,
  metricsTls: undefined,
  limitedHealth: undefined,
  http1: { allowChunkedLength: true },
  timeouts: {
    request: undefined,
    connectionIdle: 60_000,
    streamIdle: undefined,
    maxConnectionDuration: undefined,
    delayedClose: 1000,
    drain: 5000,
  },
  accessLog: { format: { kind: 'default' }, leastStatus: 0 },
  tls: { cipherSuites: defaultCipherSuites, curves: [], fingerprints: { ja3: false, ja4: false } },
  mergeSlashes: true,
  stripTrailingHostDot: false,
  compression: 'gzip',
  serverHeader: 'overwrite',
  httpVersions: ['HTTP/1.1', 'HTTP/2'],
  limits: {
    requestsPerConnection: undefined,
    bufferBytes: undefined,
    http2Streams: undefined,
    connectionsPerSocketEvent: undefined,
  },
  exactBalance: false,
  socket: { tos: 0, trafficClass: 0 },
}

export const defaultClusterOptions: ClusterOptions = {
  clientCertificate: undefined,
  connectMs: 2000,
  requestsPerConnection: undefined,
  bufferBytes: undefined,
  circuitBreakers: {},
  tls: { minimum: undefined, maximum: '1.3', cipherSuites: [], curves: [] },
}

export const defaultRuntimeOptions: RuntimeOptions = {
  requestsPerIoCycle: undefined,
  connectionsPerListener: undefined,
  more: {},
}
