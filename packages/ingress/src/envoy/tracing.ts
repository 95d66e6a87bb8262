/**
 * What connection managers tell of requests (HttpConnectionManager.Tracing): spans by OpenTelemetry, over gRPC to the
 * cluster of an ExtensionService.
 */
import type { MessageInitShape } from '@bufbuild/protobuf'
import { OpenTelemetryConfigSchema } from '@envoyproxy/envoy-types/envoy/config/trace/v3/opentelemetry'
import type { HttpConnectionManager_TracingSchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager'
import type { CustomTagSchema } from '@envoyproxy/envoy-types/envoy/type/tracing/v3/custom_tag'
import type { Cluster, Limit } from '../dag/cluster.ts'
import type { TracingService, TracingTag } from '../dag/options.ts'
import { grpcService, typed } from './message.ts'
import { clusterName } from './names.ts'

/** How the listeners tell the service. */
export interface Tracing extends TracingService {
  readonly cluster: string
  readonly sni: string
  readonly timeout: Limit
}

type Tag = MessageInitShape<typeof CustomTagSchema>

/** Without a cluster nobody could be told. */
export function tracingBy(
  service: TracingService,
  cluster: Cluster | undefined,
  timeout: Limit,
): Tracing | undefined {
  if (cluster?.kind !== 'extension') return undefined
  return { ...service, cluster: clusterName(cluster), sni: cluster.settings.sni, timeout }
}

export function tracing(
  wanted: Tracing,
): NonNullable<MessageInitShape<typeof HttpConnectionManager_TracingSchema>> {
  const { cluster, sni, timeout, serviceName, customTags, includePodDetail } = wanted
  const provider = typed('envoy.tracers.opentelemetry', OpenTelemetryConfigSchema, {
    grpcService: grpcService(cluster, sni, timeout),
    serviceName,
  })
  return {
    overallSampling: { value: wanted.overallSampling },
    clientSampling: { value: wanted.clientSampling },
    randomSampling: { value: wanted.randomSampling },
    maxPathTagLength: wanted.maxPathTagLength,
    customTags: [...customTags.map(tag), ...(includePodDetail ? podTags : [])],
    provider: { name: provider.name, configType: { case: 'typedConfig', value: provider.typedConfig } },
  }
}

/** Variables of Envoy's own container. */
const podTags: readonly Tag[] = [
  { tag: 'podName', type: { case: 'environment', value: { name: 'HOSTNAME' } } },
  { tag: 'podNamespace', type: { case: 'environment', value: { name: 'CONTOUR_NAMESPACE' } } },
]

function tag(custom: TracingTag): Tag {
  return 'literal' in custom
    ? { tag: custom.tagName, type: { case: 'literal', value: { value: custom.literal } } }
    : { tag: custom.tagName, type: { case: 'requestHeader', value: { name: custom.requestHeaderName } } }
}
