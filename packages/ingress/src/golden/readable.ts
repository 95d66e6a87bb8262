/**
 * Resources as people read them: Envoy's own JSON form, with every extension spelled out. For golden files and
 * for looking at what a real Envoy is given.
 */
import { createRegistry, type DescMessage, fromBinary, fromJson, toBinary, toJson } from '@bufbuild/protobuf'
import { StringValueSchema } from '@bufbuild/protobuf/wkt'
import { ClusterSchema } from '@envoyproxy/envoy-types/envoy/config/cluster/v3/cluster'
import { ClusterLoadAssignmentSchema } from '@envoyproxy/envoy-types/envoy/config/endpoint/v3/endpoint'
import { ListenerSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener'
import { RouteConfigurationSchema } from '@envoyproxy/envoy-types/envoy/config/route/v3/route'
import { ScopedRouteConfigurationSchema } from '@envoyproxy/envoy-types/envoy/config/route/v3/scoped_route'
import { OpenTelemetryConfigSchema } from '@envoyproxy/envoy-types/envoy/config/trace/v3/opentelemetry'
import { FileAccessLogSchema } from '@envoyproxy/envoy-types/envoy/extensions/access_loggers/file/v3/file'
import { BrotliSchema } from '@envoyproxy/envoy-types/envoy/extensions/compression/brotli/compressor/v3/brotli'
import { GzipSchema } from '@envoyproxy/envoy-types/envoy/extensions/compression/gzip/compressor/v3/gzip'
import { ZstdSchema } from '@envoyproxy/envoy-types/envoy/extensions/compression/zstd/compressor/v3/zstd'
import { CompressorSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/compressor/v3/compressor'
import {
  CorsPolicySchema,
  CorsSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/http/cors/v3/cors'
import {
  ExtAuthzPerRouteSchema,
  ExtAuthzSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/http/ext_authz/v3/ext_authz'
import { FilterConfigSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/grpc_stats/v3/config'
import { GrpcWebSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/grpc_web/v3/grpc_web'
import { HeaderMutationSchema as HeaderMutationFilterSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/header_mutation/v3/header_mutation'
import {
  JwtAuthenticationSchema,
  PerRouteConfigSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/http/jwt_authn/v3/config'
import { LocalRateLimitSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit'
import {
  LuaPerRouteSchema,
  LuaSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/http/lua/v3/lua'
import {
  RateLimitPerRouteSchema,
  RateLimitSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/http/ratelimit/v3/rate_limit'
import {
  RBACPerRouteSchema,
  RBACSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/filters/http/rbac/v3/rbac'
import { RouterSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/router/v3/router'
import { UpstreamCodecSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/http/upstream_codec/v3/upstream_codec'
import { ProxyProtocolSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol'
import { TlsInspectorSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector'
import { HttpConnectionManagerSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager'
import { TcpProxySchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy'
import { MetadataSchema } from '@envoyproxy/envoy-types/envoy/extensions/formatter/metadata/v3/metadata'
import { ReqWithoutQuerySchema } from '@envoyproxy/envoy-types/envoy/extensions/formatter/req_without_query/v3/req_without_query'
import { HeaderMutationSchema } from '@envoyproxy/envoy-types/envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation'
import { PreviousRoutesConfigSchema } from '@envoyproxy/envoy-types/envoy/extensions/internal_redirect/previous_routes/v3/previous_routes_config'
import { SafeCrossSchemeConfigSchema } from '@envoyproxy/envoy-types/envoy/extensions/internal_redirect/safe_cross_scheme/v3/safe_cross_scheme_config'
import {
  ServerNameInputSchema,
  TransportProtocolInputSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/matching/common_inputs/network/v3/network_inputs'
import { SNISchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/cert_mappers/sni/v3/config'
import { ConfigSchema as OnDemandSecretSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/cert_selectors/on_demand_secret/v3/config'
import { SecretSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/secret'
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/tls'
import { HttpProtocolOptionsSchema } from '@envoyproxy/envoy-types/envoy/extensions/upstreams/http/v3/http_protocol_options'
import { RuntimeSchema } from '@envoyproxy/envoy-types/envoy/service/runtime/v3/rtds'
import { checkRules } from '@envoyproxy/envoy-types/rules'
import { makeResource, type Resource, type ResourceType } from '../xds/resource.ts'

export const schemas: Readonly<Record<ResourceType, DescMessage>> = {
  clusters: ClusterSchema,
  endpoints: ClusterLoadAssignmentSchema,
  secrets: SecretSchema,
  listeners: ListenerSchema,
  routes: RouteConfigurationSchema,
  scopes: ScopedRouteConfigurationSchema,
  runtime: RuntimeSchema,
}

const registry = createRegistry(
  FileAccessLogSchema,
  MetadataSchema,
  ReqWithoutQuerySchema,
  BrotliSchema,
  GzipSchema,
  ZstdSchema,
  OpenTelemetryConfigSchema,
  ServerNameInputSchema,
  TransportProtocolInputSchema,
  StringValueSchema,
  OnDemandSecretSchema,
  SNISchema,
  CompressorSchema,
  FilterConfigSchema,
  GrpcWebSchema,
  LuaSchema,
  LuaPerRouteSchema,
  TcpProxySchema,
  CorsSchema,
  CorsPolicySchema,
  LocalRateLimitSchema,
  ExtAuthzSchema,
  ExtAuthzPerRouteSchema,
  JwtAuthenticationSchema,
  PerRouteConfigSchema,
  RateLimitSchema,
  RateLimitPerRouteSchema,
  RBACSchema,
  RBACPerRouteSchema,
  RouterSchema,
  ProxyProtocolSchema,
  TlsInspectorSchema,
  HttpConnectionManagerSchema,
  HeaderMutationSchema,
  HeaderMutationFilterSchema,
  UpstreamCodecSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
  HttpProtocolOptionsSchema,
  PreviousRoutesConfigSchema,
  SafeCrossSchemeConfigSchema,
)

/** What Envoy would refuse by the rules in its protos, each with its path. */
export function brokenRules(type: ResourceType, resource: Resource): readonly string[] {
  const schema = schemas[type]
  return checkRules(schema, fromBinary(schema, resource.bytes), registry).map(
    ({ path, message }) => `${type} ${resource.name}: ${path}: ${message}`,
  )
}

export function readable(type: ResourceType, resource: Resource): unknown {
  const schema = schemas[type]
  return toJson(schema, fromBinary(schema, resource.bytes), { registry, useProtoFieldName: true })
}

/** The resource with its JSON text changed; unchanged, it is the same one. */
export function rewritten(
  type: ResourceType,
  resource: Resource,
  change: (json: string) => string,
): Resource {
  const schema = schemas[type]
  const before = JSON.stringify(readable(type, resource))
  const after = change(before)
  if (after === before) return resource
  const bytes = toBinary(schema, fromJson(schema, JSON.parse(after), { registry }))
  return makeResource(resource.name, bytes, resource.references)
}
