/**
 * The gRPC services of the control plane, with requests and responses as bytes: the aggregated stream and one for
 * each type, both in the delta and in the state-of-the-world variant.
 */
import type { handleBidiStreamingCall, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'
import type { CallCounts, CallMetrics } from './call-metrics.ts'
import type { ResourceType } from './resource.ts'
import type { Call, Way } from './stream.ts'

export type Handler = handleBidiStreamingCall<Buffer, Buffer>

export interface Service {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation
}

interface Served {
  readonly service: string
  /** What follows `Stream` and `Delta` in the names of its methods. */
  readonly subject: string
  readonly only: ResourceType | undefined
}

const services: readonly Served[] = [
  {
    service: 'envoy.service.discovery.v3.AggregatedDiscoveryService',
    subject: 'AggregatedResources',
    only: undefined,
  },
  {
    service: 'envoy.service.cluster.v3.ClusterDiscoveryService',
    subject: 'Clusters',
    only: 'clusters',
  },
  {
    service: 'envoy.service.endpoint.v3.EndpointDiscoveryService',
    subject: 'Endpoints',
    only: 'endpoints',
  },
  {
    service: 'envoy.service.listener.v3.ListenerDiscoveryService',
    subject: 'Listeners',
    only: 'listeners',
  },
  { service: 'envoy.service.route.v3.RouteDiscoveryService', subject: 'Routes', only: 'routes' },
  { service: 'envoy.service.runtime.v3.RuntimeDiscoveryService', subject: 'Runtime', only: 'runtime' },
  { service: 'envoy.service.secret.v3.SecretDiscoveryService', subject: 'Secrets', only: 'secrets' },
]

const bytes = (buffer: Buffer): Buffer => buffer

export function discoveryServices(
  metrics: CallMetrics,
  accept: (call: Call, way: Way, counts: CallCounts) => void,
): readonly Service[] {
  return services.map(({ service, subject, only }) => {
    const stream = (variant: Way['variant'], method: string): readonly [string, Handler] => {
      metrics.register([{ service, method }])
      return [method, (call) => accept(call, { variant, only }, metrics.started({ service, method }))]
    }
    const streams: Readonly<Record<string, Handler>> = Object.fromEntries([
      stream('full', `Stream${subject}`),
      stream('delta', `Delta${subject}`),
    ])
    return { definition: definitionOf(service, Object.keys(streams)), implementation: { ...streams } }
  })
}

function definitionOf(service: string, methods: readonly string[]): ServiceDefinition {
  const definition: { [method: string]: ServiceDefinition[string] } = {}
  for (const method of methods) {
    definition[method] = {
      path: `/${service}/${method}`,
      requestStream: true,
      responseStream: true,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    }
  }
  return definition
}
