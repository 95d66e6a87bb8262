/** The HTTP connection manager of the traffic listeners: one form for the plain side, one for all TLS chains. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { FilterSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener_components'
import { BrotliSchema } from '@envoyproxy/envoy-types/envoy/extensions/compression/brotli/compressor/v3/brotli'
import { GzipSchema } from '@envoyproxy/envoy-types/envoy/extensions/compression/gzip/compressor/v3/gzip'
import { ZstdSchema } from '@envoyproxy/envoy-types/envoy/extensions/compression/zstd/compressor/v3/zstd'
import { CompressorSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/compressor/v3/compressor'
import { FilterConfigSchema as GrpcStatsSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/grpc_stats/v3/config'
import { GrpcWebSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/grpc_web/v3/grpc_web'
import { RouterSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/router/v3/router'
import {
  HttpConnectionManager_CodecType,
  HttpConnectionManager_ForwardClientCertDetails,
  HttpConnectionManager_ServerHeaderTransformation,
  HttpConnectionManagerSchema,
  type HttpFilterSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager'
import { type Access, openAccess } from '../dag/access.ts'
import type { ForwardedCertificate } from '../dag/virtual-host.ts'
import { fileAccessLog } from './access-log.ts'
import { authorizationFilter } from './authorization.ts'
import { sharedFilters } from './filters.ts'
import { jwtFilter } from './jwt.ts'
import { configSource, limit, milliseconds, type Source, typed } from './message.ts'
import type { Side } from './names.ts'
import type { Compression, ListenerOptions } from './options.ts'
import { rateLimitFilter } from './rate-limits.ts'
import { handshakeHost, scopedRoutes, scopeKeyMutation, scopeLookup } from './scope-key.ts'
import { tracing as tracingConfig } from './tracing.ts'

type NetworkFilter = MessageInitShape<typeof FilterSchema>
type HttpFilter = MessageInitShape<typeof HttpFilterSchema>
type Manager = MessageInitShape<typeof HttpConnectionManagerSchema>

/** How a request finds its routes. */
export type Routing = Pick<Manager, 'routeSpecifier' | 'earlyHeaderMutationExtensions'> & {
  /** They run before all others. */
  readonly lookup: readonly HttpFilter[]
}

/** Of a chain. */
interface Taken {
  /** No request comes for a name but those that have scopes: nothing is to be looked up. */
  readonly exact?: boolean
  /** It checks clients. */
  readonly guarded?: boolean
}

export function scopedRouting(side: Side, { exact = false, guarded = false }: Taken = {}): Routing {
  return {
    routeSpecifier: scopedRoutes(),
    earlyHeaderMutationExtensions: [scopeKeyMutation(side)],
    lookup: exact ? [] : scopeLookup(side, guarded),
  }
}

/** `strict`: the host asked for must be the one of the handshake. */
export function tableRouting(routeConfigName: string, source: Source, strict: boolean): Routing {
  return {
    routeSpecifier: { case: 'rds', value: { routeConfigName, configSource: configSource(source) } },
    lookup: strict ? [handshakeHost()] : [],
  }
}

const serverHeaders = {
  overwrite: HttpConnectionManager_ServerHeaderTransformation.OVERWRITE,
  append_if_absent: HttpConnectionManager_ServerHeaderTransformation.APPEND_IF_ABSENT,
  pass_through: HttpConnectionManager_ServerHeaderTransformation.PASS_THROUGH,
} as const

/** With one version on offer nothing else is taken, over plain HTTP neither. */
function codec(versions: ListenerOptions['httpVersions']): HttpConnectionManager_CodecType {
  const { AUTO, HTTP1, HTTP2 } = HttpConnectionManager_CodecType
  if (versions.includes('HTTP/1.1') && versions.includes('HTTP/2')) return AUTO
  return versions.includes('HTTP/2') ? HTTP2 : HTTP1
}

/** What a chain checks of its clients. */
export interface ClientChecks {
  readonly forward?: ForwardedCertificate | undefined
  readonly access?: Access
}

export function trafficManager(
  { lookup, ...routing }: Routing,
  listener: string,
  accessLogPath: string,
  options: ListenerOptions,
  { forward, access = openAccess }: ClientChecks = {},
): NetworkFilter {
  const { limits, rateLimiting, tracing } = options
  return connectionManager({
    statPrefix: listener,
    codecType: codec(options.httpVersions),
    ...routing,
    httpFilters: [
      ...lookup,
      ...compressors(options.compression),
      grpcWeb(),
      grpcStats(),
      ...sharedFilters().map(httpFilter),
      ...(access.providers.length === 0 ? [] : [httpFilter(jwtFilter(access.providers))]),
      ...(access.authorization === undefined ? [] : [httpFilter(authorizationFilter(access.authorization))]),
      ...(rateLimiting === undefined ? [] : [httpFilter(rateLimitFilter(rateLimiting))]),
      router(),
    ],
    useRemoteAddress: true,
    xffNumTrustedHops: options.trustedHops,
    normalizePath: true,
    mergeSlashes: options.mergeSlashes,
    preserveExternalRequestId: true,
    serverHeaderTransformation: serverHeaders[options.serverHeader],
    httpProtocolOptions: { acceptHttp10: true, ...options.http1 },
    ...(limits.http2Streams === undefined
      ? {}
      : { http2ProtocolOptions: { maxConcurrentStreams: limits.http2Streams } }),
    ...(options.stripTrailingHostDot ? { stripTrailingHostDot: true } : {}),
    ...times(options),
    accessLog: fileAccessLog(accessLogPath, options.accessLog, 'http'),
    ...(tracing === undefined ? {} : { tracing: tracingConfig(tracing) }),
    ...(forward === undefined ? {} : forwarding(forward)),
  })
}

function times({
  timeouts,
  limits,
}: ListenerOptions): Pick<
  Manager,
  | 'commonHttpProtocolOptions'
  | 'delayedCloseTimeout'
  | 'drainTimeout'
  | 'requestTimeout'
  | 'streamIdleTimeout'
> {
  const { request, connectionIdle, streamIdle, maxConnectionDuration, delayedClose, drain } = timeouts
  const { requestsPerConnection } = limits
  return {
    ...(request === undefined ? {} : { requestTimeout: limit(request) }),
    ...(streamIdle === undefined ? {} : { streamIdleTimeout: limit(streamIdle) }),
    ...(delayedClose === undefined ? {} : { delayedCloseTimeout: limit(delayedClose) }),
    ...(drain === undefined ? {} : { drainTimeout: limit(drain) }),
    commonHttpProtocolOptions: {
      ...(connectionIdle === undefined ? {} : { idleTimeout: limit(connectionIdle) }),
      ...(typeof maxConnectionDuration === 'number'
        ? { maxConnectionDuration: milliseconds(maxConnectionDuration) }
        : {}),
      ...(requestsPerConnection === undefined ? {} : { maxRequestsPerConnection: requestsPerConnection }),
    },
  }
}

/** What a client writes of certificates itself goes in any case. */
function forwarding(
  details: ForwardedCertificate,
): Pick<Manager, 'forwardClientCertDetails' | 'setCurrentClientCertDetails'> {
  return {
    forwardClientCertDetails: HttpConnectionManager_ForwardClientCertDetails.SANITIZE_SET,
    setCurrentClientCertDetails: details,
  }
}

export function connectionManager(manager: Manager): NetworkFilter {
  const name = 'envoy.filters.network.http_connection_manager'
  const filter = typed(name, HttpConnectionManagerSchema, manager)
  return { name, configType: { case: 'typedConfig', value: filter.typedConfig } }
}

export function router(): HttpFilter {
  return httpFilter(typed('envoy.filters.http.router', RouterSchema, {}))
}

function grpcWeb(): HttpFilter {
  return httpFilter(typed('envoy.filters.http.grpc_web', GrpcWebSchema, {}))
}

function grpcStats(): HttpFilter {
  return httpFilter(
    typed('envoy.filters.http.grpc_stats', GrpcStatsSchema, {
      emitFilterState: true,
      enableUpstreamStats: true,
    }),
  )
}

const compressorLibraries = {
  gzip: () => typed('gzip', GzipSchema, {}),
  brotli: () => typed('brotli', BrotliSchema, {}),
  zstd: () => typed('zstd', ZstdSchema, {}),
} as const

function compressors(algorithm: Compression): readonly HttpFilter[] {
  if (algorithm === 'disabled') return []
  const compressorLibrary = compressorLibraries[algorithm]()
  return [httpFilter(typed('envoy.filters.http.compressor', CompressorSchema, { compressorLibrary }))]
}

function httpFilter({ name, typedConfig }: ReturnType<typeof typed>): HttpFilter {
  return { name, configType: { case: 'typedConfig', value: typedConfig } }
}
