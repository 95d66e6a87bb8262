/**
 * Cluster → the resource that Envoy subscribes to. Its endpoints come by EDS, under the Service's port or the
 * ExtensionService, or from the DNS.
 */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  Cluster_LbPolicy,
  ClusterSchema,
} from '@envoyproxy/envoy-types/envoy/config/cluster/v3/cluster'
import type { HealthCheckSchema } from '@envoyproxy/envoy-types/envoy/config/core/v3/health_check'
import {
  SubjectAltNameMatcher_SanType,
  type SubjectAltNameMatcherSchema,
  TlsParameters_TlsProtocol,
} from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/common'
import {
  type CommonTlsContextSchema,
  UpstreamTlsContextSchema,
} from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/tls'
import { HttpProtocolOptionsSchema } from '@envoyproxy/envoy-types/envoy/extensions/upstreams/http/v3/http_protocol_options'
import { CodecClientType } from '@envoyproxy/envoy-types/envoy/type/v3/http'
import { parseIP } from '@landfall/netip'
import type {
  CircuitBreakers,
  Cluster,
  ClusterSettings,
  DnsCluster,
  DnsFamily,
  ExtensionCluster,
  HealthCheck,
  ServiceCluster,
  Strategy,
  UpstreamValidation,
} from '../dag/cluster.ts'
import type { Layout } from '../xds/layout.ts'
import { makeResource, type Resource } from '../xds/resource.ts'
import { insideRedirectFilters } from './inside-redirect.ts'
import { sourceOf } from './layout.ts'
import { configSource, limit, milliseconds, pack, type Source, typed } from './message.ts'
import { altStatName, clusterName, endpointsName } from './names.ts'
import type { ClusterOptions, UpstreamTlsOptions } from './options.ts'

type ClusterInit = MessageInitShape<typeof ClusterSchema>
type ClusterPart = Exclude<ClusterInit, { readonly $typeName: string }>

const policies: Readonly<Record<Strategy, Cluster_LbPolicy>> = {
  RoundRobin: Cluster_LbPolicy.ROUND_ROBIN,
  WeightedLeastRequest: Cluster_LbPolicy.LEAST_REQUEST,
  Random: Cluster_LbPolicy.RANDOM,
  RingHash: Cluster_LbPolicy.RING_HASH,
}

/** @param name its own, or another that it is to be found under, too */
export function clusterResource(
  cluster: Cluster,
  layout: Layout,
  options: ClusterOptions,
  name = clusterName(cluster),
): Resource {
  const endpoints = endpointsOf(cluster)
  const { authority } = cluster
  const named = create(ClusterSchema, {
    name,
    altStatName: altStatName(cluster),
    ...(endpoints === undefined ? {} : { edsClusterConfig: { serviceName: endpoints } }),
  })
  // What is written behind a message is merged into it.
  const bytes = Buffer.concat([toBinary(ClusterSchema, named), nameless(cluster, layout, options)])
  const references = {
    ...(endpoints === undefined ? {} : { endpoints: [endpoints] }),
    secrets: [...(authority === undefined ? [] : [authority.name]), ...shownBy(cluster, options)],
  }
  return makeResource(name, bytes, references)
}

const encoded = new Map<string, Uint8Array>()
const mostEncoded = 100

/** All but the names, which is the same for most clusters. */
function nameless(cluster: Cluster, layout: Layout, options: ClusterOptions): Uint8Array {
  if (cluster.kind === 'dns') return encode(outside(cluster, sourceOf(layout), options), options)
  const { kind, settings } = cluster
  const own = kind === 'extension' ? cluster.targets.length > 1 : settings.external && cluster.port
  const key = JSON.stringify([kind, own, settings, layout, options])
  const known = encoded.get(key)
  if (known !== undefined) return known
  if (encoded.size === mostEncoded) encoded.clear()
  const bytes = encode(inside(cluster, layout, options), options)
  encoded.set(key, bytes)
  return bytes
}

function encode(part: ClusterPart, { connectMs, bufferBytes }: ClusterOptions): Uint8Array {
  const buffer = bufferBytes === undefined ? {} : { perConnectionBufferLimitBytes: bufferBytes }
  const message = create(ClusterSchema, { connectTimeout: milliseconds(connectMs), ...buffer, ...part })
  return toBinary(ClusterSchema, message)
}

function inside(
  cluster: ServiceCluster | ExtensionCluster,
  layout: Layout,
  options: ClusterOptions,
): ClusterPart {
  const { settings } = cluster
  const source = sourceOf(layout)
  return {
    ...discovery(cluster, source),
    lbPolicy: policies[settings.strategy],
    ...slowStart(settings),
    commonLbConfig: {
      // A few unhealthy endpoints must never bring the unready ones back.
      healthyPanicThreshold: { value: 0 },
      ...(cluster.kind === 'extension' && cluster.targets.length > 1 ? byLocality : {}),
    },
    ...healthCheck(settings),
    ...circuitBreakers({ ...options.circuitBreakers, ...settings.circuitBreakers }),
    ...protocolOptions(settings, layout, options.requestsPerConnection),
    ...transport(settings, source, options.tls, options.clientCertificate),
  }
}

/** Each Service of an ExtensionService is a locality with its weight. */
const byLocality = {
  localityConfigSpecifier: { case: 'localityWeightedLbConfig' as const, value: {} },
}

function outside(
  { host, port, secure, family, validation }: DnsCluster,
  source: Source,
  { tls }: ClusterOptions,
): ClusterPart {
  return {
    ...resolved(host, port, family, Cluster_DiscoveryType.STRICT_DNS),
    ...(secure ? transport({ protocol: 'tls', sni: host, validation }, source, tls) : {}),
  }
}

function discovery(cluster: ServiceCluster | ExtensionCluster, source: Source): ClusterPart {
  const { external } = cluster.settings
  if (cluster.kind === 'service' && external !== undefined) {
    const { LOGICAL_DNS, STRICT_DNS } = Cluster_DiscoveryType
    const { host, family, healthPort } = external
    return resolved(host, cluster.port, family, family === 'all' ? LOGICAL_DNS : STRICT_DNS, healthPort)
  }
  return {
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: configSource(source) },
  }
}

const families: Readonly<Record<DnsFamily, Cluster_DnsLookupFamily>> = {
  auto: Cluster_DnsLookupFamily.AUTO,
  v4: Cluster_DnsLookupFamily.V4_ONLY,
  v6: Cluster_DnsLookupFamily.V6_ONLY,
  all: Cluster_DnsLookupFamily.ALL,
}

/** One endpoint with the name, which Envoy looks up itself. An address is no name. */
function resolved(
  host: string,
  port: number,
  family: DnsFamily,
  type: Cluster_DiscoveryType,
  healthPort?: number,
): ClusterPart {
  const address = { case: 'socketAddress' as const, value: socketValue(host, port) }
  const healthCheckConfig = healthPort === undefined ? {} : { healthCheckConfig: { portValue: healthPort } }
  const value = { address: { address }, ...healthCheckConfig }
  const endpoint = { hostIdentifier: { case: 'endpoint' as const, value } }
  return {
    clusterDiscoveryType: {
      case: 'type',
      value: parseIP(host) === undefined ? type : Cluster_DiscoveryType.STATIC,
    },
    dnsLookupFamily: families[family],
    loadAssignment: { clusterName: host, endpoints: [{ lbEndpoints: [endpoint] }] },
  }
}

function socketValue(address: string, port: number) {
  return { address, portSpecifier: { case: 'portValue' as const, value: port } }
}

/** undefined: the cluster has its endpoints in itself. */
export function endpointsOf(cluster: Cluster): string | undefined {
  if (cluster.kind === 'extension') return clusterName(cluster)
  if (cluster.kind === 'dns' || cluster.settings.external !== undefined) return undefined
  const { namespace, service, portName, settings } = cluster
  return endpointsName(namespace, service, portName, settings.healthPortName)
}

function slowStart({ slowStart: policy, strategy }: ClusterSettings): Pick<ClusterInit, 'lbConfig'> {
  if (policy === undefined) return {}
  const slowStartConfig = {
    slowStartWindow: milliseconds(policy.windowMs),
    aggression: { defaultValue: policy.aggression, runtimeKey: 'contour.slowstart.aggression' },
    minWeightPercent: { value: policy.minWeightPercent },
  }
  return strategy === 'WeightedLeastRequest'
    ? { lbConfig: { case: 'leastRequestLbConfig', value: { slowStartConfig } } }
    : { lbConfig: { case: 'roundRobinLbConfig', value: { slowStartConfig } } }
}

function healthCheck(
  settings: ClusterSettings,
): Pick<ClusterInit, 'healthChecks' | 'ignoreHealthOnHostRemoval'> {
  const { healthCheck: check } = settings
  if (check === undefined) return {}
  // The connection offers h2 alone otherwise, which a server of HTTP/1.1 ends in the handshake.
  const alpn = settings.protocol === 'h2' && isApart(settings) ? ['http/1.1'] : []
  return {
    ignoreHealthOnHostRemoval: true,
    healthChecks: [
      {
        timeout: milliseconds(check.timeoutSeconds * 1000),
        interval: milliseconds(check.intervalSeconds * 1000),
        unhealthyThreshold: check.unhealthyThreshold,
        healthyThreshold: check.healthyThreshold,
        healthChecker: healthChecker(check, settings),
        ...(alpn.length === 0 ? {} : { tlsOptions: { alpnProtocols: alpn } }),
      },
    ],
  }
}

/** In the protocol that the backend speaks; a port that is for checks alone is taken to speak HTTP/1.1. */
function healthChecker(
  check: HealthCheck,
  settings: ClusterSettings,
): NonNullable<MessageInitShape<typeof HealthCheckSchema>['healthChecker']> {
  if (check.kind === 'tcp') return { case: 'tcpHealthCheck', value: {} }
  const { path, host, expected } = check
  const expectedStatuses = expected.map(({ start, end }) => ({ start: BigInt(start), end: BigInt(end) }))
  const http2 = !isApart(settings) && (settings.protocol === 'h2' || settings.protocol === 'h2c')
  const codec = http2 ? { codecClientType: CodecClientType.HTTP2 } : {}
  return { case: 'httpHealthCheck', value: { path, host, expectedStatuses, ...codec } }
}

/** Health checks have a port of their own. */
function isApart({ healthPortName, external }: ClusterSettings): boolean {
  return healthPortName !== undefined || external?.healthPort !== undefined
}

function circuitBreakers(limits: CircuitBreakers): Pick<ClusterInit, 'circuitBreakers'> {
  if (Object.keys(limits).length === 0) return {}
  const { perHostMaxConnections, ...overall } = limits
  const perHostThresholds =
    perHostMaxConnections === undefined ? [] : [{ maxConnections: perHostMaxConnections }]
  return { circuitBreakers: { thresholds: [overall], perHostThresholds } }
}

const http = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'

function protocolOptions(
  { protocol, idleConnection, redirectsInside }: ClusterSettings,
  layout: Layout,
  most: number | undefined,
): Pick<ClusterInit, 'typedExtensionProtocolOptions'> {
  const isHttp2 = protocol === 'h2' || protocol === 'h2c'
  const isCommon = idleConnection !== undefined || most !== undefined
  const followsScopes = layout === 'scoped' && redirectsInside === true
  if (!isHttp2 && !isCommon && !followsScopes) return {}
  const commonHttpProtocolOptions = {
    ...(idleConnection === undefined ? {} : { idleTimeout: limit(idleConnection) }),
    ...(most === undefined ? {} : { maxRequestsPerConnection: most }),
  }
  const options = pack(HttpProtocolOptionsSchema, {
    ...(isCommon ? { commonHttpProtocolOptions } : {}),
    ...(followsScopes ? { httpFilters: [...insideRedirectFilters()] } : {}),
    upstreamProtocolOptions: {
      case: 'explicitHttpConfig',
      value: {
        protocolConfig: isHttp2
          ? { case: 'http2ProtocolOptions', value: {} }
          : { case: 'httpProtocolOptions', value: {} },
      },
    },
  })
  return { typedExtensionProtocolOptions: { [http]: options } }
}

/** Keys of what Envoy itself asks for come from outside, where nobody knows it. */
function shownBy(cluster: Cluster, { clientCertificate }: ClusterOptions): readonly string[] {
  if (clientCertificate === undefined || cluster.kind === 'dns') return []
  const { protocol } = cluster.settings
  return protocol === 'h2' || protocol === 'tls' ? [clientCertificate] : []
}

function transport(
  { protocol, sni, validation }: Pick<ClusterSettings, 'protocol' | 'sni' | 'validation'>,
  source: Source,
  options: UpstreamTlsOptions,
  certificate?: string,
): Pick<ClusterInit, 'transportSocket'> {
  if (protocol !== 'h2' && protocol !== 'tls') return {}
  const socket = typed('envoy.transport_sockets.tls', UpstreamTlsContextSchema, {
    sni,
    commonTlsContext: {
      ...parameters(options),
      alpnProtocols: protocol === 'h2' ? ['h2'] : [],
      ...(certificate === undefined
        ? {}
        : {
            tlsCertificateSdsSecretConfigs: [{ name: certificate, sdsConfig: configSource(source) }],
          }),
      ...(validation === undefined ? {} : { validationContextType: checks(validation, source) }),
    },
  })
  return {
    transportSocket: { name: socket.name, configType: { case: 'typedConfig', value: socket.typedConfig } },
  }
}

const versions = {
  '1.2': TlsParameters_TlsProtocol.TLSv1_2,
  '1.3': TlsParameters_TlsProtocol.TLSv1_3,
} as const

function parameters(
  options: UpstreamTlsOptions,
): Pick<MessageInitShape<typeof CommonTlsContextSchema>, 'tlsParams'> {
  const { minimum, maximum, cipherSuites, curves } = options
  return {
    tlsParams: {
      ...(minimum === undefined ? {} : { tlsMinimumProtocolVersion: versions[minimum] }),
      tlsMaximumProtocolVersion: versions[maximum],
      cipherSuites: [...cipherSuites],
      ecdhCurves: [...curves],
    },
  }
}

type ContextType = NonNullable<MessageInitShape<typeof CommonTlsContextSchema>['validationContextType']>

function checks({ authority, names }: UpstreamValidation, source: Source): ContextType {
  return {
    case: 'combinedValidationContext',
    value: {
      defaultValidationContext: { matchTypedSubjectAltNames: names.map(subjectName) },
      validationContextSdsSecretConfig: { name: authority, sdsConfig: configSource(source) },
    },
  }
}

function subjectName(name: string): MessageInitShape<typeof SubjectAltNameMatcherSchema> {
  const sanType = name.includes('://')
    ? SubjectAltNameMatcher_SanType.URI
    : parseIP(name) !== undefined
      ? SubjectAltNameMatcher_SanType.IP_ADDRESS
      : SubjectAltNameMatcher_SanType.DNS
  return { sanType, matcher: { matchPattern: { case: 'exact', value: name } } }
}
