/** The HTTP connection manager of the traffic listeners: one form for the plain side, one for all TLS chains. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { FilterSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener_components'
import { GzipSchema } from '@envoyproxy/envoy-types/envoy/extensions/compression/gzip/compressor/v3/gzip'
import { CompressorSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/compressor/v3/compressor'
import { FilterConfigSchema as GrpcStatsSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/grpc_stats/v3/config'
import { GrpcWebSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/grpc_web/v3/grpc_web'
import { RouterSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/router/v3/router'
import {
  HttpConnectionManager_ForwardClientCertDetails,
  HttpConnectionManagerSchema,
  type HttpFilterSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager'
import type { ForwardedCertificate } from '../dag/virtual-host.ts'
import { fileAccessLog } from './access-log.ts'
import { sharedFilters } from './filters.ts'
import { configSource, milliseconds, type Source, typed } from './message.ts'
import type { Side } from './names.ts'
import { handshakeHost, scopedRoutes, scopeKeyMutation, scopeLookup } from './scope-key.ts'

type NetworkFilter = MessageInitShape<typeof FilterSchema>
type HttpFilter = MessageInitShape<typeof HttpFilterSchema>
type Manager = MessageInitShape<typeof HttpConnectionManagerSchema>

/** How a request finds its routes. */
export type Routing = Pick<Manager, 'routeSpecifier' | 'earlyHeaderMutationExtensions'> & {
  /** They run before all others. */
  readonly lookup: readonly HttpFilter[]
}

export function scopedRouting(side: Side): Routing {
  return {
    routeSpecifier: scopedRoutes(),
    earlyHeaderMutationExtensions: [scopeKeyMutation(side)],
    lookup: scopeLookup(side),
  }
}

/** `strict`: the host asked for must be the one of the handshake. */
export function tableRouting(routeConfigName: string, source: Source, strict: boolean): Routing {
  return {
    routeSpecifier: { case: 'rds', value: { routeConfigName, configSource: configSource(source) } },
    lookup: strict ? [handshakeHost()] : [],
  }
}

export function trafficManager(
  { lookup, ...routing }: Routing,
  listener: string,
  accessLogPath: string,
  trustedHops: number,
  forward?: ForwardedCertificate,
): NetworkFilter {
  return connectionManager({
    statPrefix: listener,
    ...routing,
    httpFilters: [
      ...lookup,
      compressor(),
      grpcWeb(),
      grpcStats(),
      ...sharedFilters().map(httpFilter),
      router(),
    ],
    useRemoteAddress: true,
    xffNumTrustedHops: trustedHops,
    normalizePath: true,
    mergeSlashes: true,
    preserveExternalRequestId: true,
    httpProtocolOptions: { acceptHttp10: true, allowChunkedLength: true },
    commonHttpProtocolOptions: { idleTimeout: milliseconds(60_000) },
    delayedCloseTimeout: milliseconds(1000),
    drainTimeout: milliseconds(5000),
    accessLog: fileAccessLog(accessLogPath),
    ...(forward === undefined ? {} : forwarding(forward)),
  })
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

function compressor(): HttpFilter {
  return httpFilter(
    typed('envoy.filters.http.compressor', CompressorSchema, {
      compressorLibrary: typed('gzip', GzipSchema, {}),
    }),
  )
}

function httpFilter({ name, typedConfig }: ReturnType<typeof typed>): HttpFilter {
  return { name, configType: { case: 'typedConfig', value: typedConfig } }
}
