/** Cluster → the resource that Envoy subscribes to; its endpoints come by EDS, under the Service's port. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  Cluster_DiscoveryType,
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
import { parseIP } from '@landfall/netip'
import type {
  CircuitBreakers,
  Cluster,
  ClusterSettings,
  HealthCheck,
  Strategy,
  UpstreamValidation,
} from '../dag/virtual-host.ts'
import { makeResource, type Resource } from '../xds/resource.ts'
import { configSource, limit, milliseconds, pack, type Source, typed } from './message.ts'
import { altStatName, clusterName, endpointsName } from './names.ts'
import type { ClusterOptions, UpstreamTlsOptions } from './options.ts'

type ClusterInit = MessageInitShape<typeof ClusterSchema>

const policies: Readonly<Record<Strategy, Cluster_LbPolicy>> = {
  RoundRobin: Cluster_LbPolicy.ROUND_ROBIN,
  WeightedLeastRequest: Cluster_LbPolicy.LEAST_REQUEST,
  Random: Cluster_LbPolicy.RANDOM,
  RingHash: Cluster_LbPolicy.RING_HASH,
}

export function clusterResource(cluster: Cluster, source: Source, options: ClusterOptions): Resource {
  const { settings } = cluster
  const name = clusterName(cluster)
  const endpoints = endpointsOf(cluster)
  const message = create(ClusterSchema, {
    name,
    altStatName: altStatName(cluster),
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: configSource(source), serviceName: endpoints },
    connectTimeout: milliseconds(options.connectMs),
    ...(options.bufferBytes === undefined ? {} : { perConnectionBufferLimitBytes: options.bufferBytes }),
    lbPolicy: policies[settings.strategy],
    ...slowStart(settings),
    // A few unhealthy endpoints must never bring the unready ones back.
    commonLbConfig: { healthyPanicThreshold: { value: 0 } },
    ...healthCheck(settings.healthCheck),
    ...circuitBreakers({ ...options.circuitBreakers, ...settings.circuitBreakers }),
    ...protocolOptions(settings, options.requestsPerConnection),
    ...transport(settings, source, options.tls),
  })
  const secrets = settings.validation === undefined ? [] : [settings.validation.authority]
  return makeResource(name, toBinary(ClusterSchema, message), { endpoints: [endpoints], secrets })
}

export function endpointsOf({ namespace, service, portName, settings }: Cluster): string {
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
  check: HealthCheck | undefined,
): Pick<ClusterInit, 'healthChecks' | 'ignoreHealthOnHostRemoval'> {
  if (check === undefined) return {}
  return {
    ignoreHealthOnHostRemoval: true,
    healthChecks: [
      {
        timeout: milliseconds(check.timeoutSeconds * 1000),
        interval: milliseconds(check.intervalSeconds * 1000),
        unhealthyThreshold: check.unhealthyThreshold,
        healthyThreshold: check.healthyThreshold,
        healthChecker: healthChecker(check),
      },
    ],
  }
}

function healthChecker(
  check: HealthCheck,
): NonNullable<MessageInitShape<typeof HealthCheckSchema>['healthChecker']> {
  if (check.kind === 'tcp') return { case: 'tcpHealthCheck', value: {} }
  const { path, host, expected } = check
  const expectedStatuses = expected.map(({ start, end }) => ({ start: BigInt(start), end: BigInt(end) }))
  return { case: 'httpHealthCheck', value: { path, host, expectedStatuses } }
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
  { protocol, idleConnection }: ClusterSettings,
  most: number | undefined,
): Pick<ClusterInit, 'typedExtensionProtocolOptions'> {
  const isHttp2 = protocol === 'h2' || protocol === 'h2c'
  const isCommon = idleConnection !== undefined || most !== undefined
  if (!isHttp2 && !isCommon) return {}
  const commonHttpProtocolOptions = {
    ...(idleConnection === undefined ? {} : { idleTimeout: limit(idleConnection) }),
    ...(most === undefined ? {} : { maxRequestsPerConnection: most }),
  }
  const options = pack(HttpProtocolOptionsSchema, {
    ...(isCommon ? { commonHttpProtocolOptions } : {}),
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

function transport(
  { protocol, sni, validation }: ClusterSettings,
  source: Source,
  options: UpstreamTlsOptions,
): Pick<ClusterInit, 'transportSocket'> {
  if (protocol !== 'h2' && protocol !== 'tls') return {}
  const socket = typed('envoy.transport_sockets.tls', UpstreamTlsContextSchema, {
    sni,
    commonTlsContext: {
      ...parameters(options),
      alpnProtocols: protocol === 'h2' ? ['h2'] : [],
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
  if (minimum === undefined && maximum === undefined && cipherSuites.length + curves.length === 0) return {}
  return {
    tlsParams: {
      ...(minimum === undefined ? {} : { tlsMinimumProtocolVersion: versions[minimum] }),
      ...(maximum === undefined ? {} : { tlsMaximumProtocolVersion: versions[maximum] }),
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
