/**
 * The gRPC services of the control plane, with requests and responses as bytes. Delta ADS is served; the other
 * ways in answer at once that they are not, instead of leaving an Envoy without a word.
 */
import type { handleBidiStreamingCall, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'
import { status } from '@grpc/grpc-js'

export type Handler = handleBidiStreamingCall<Buffer, Buffer>

export interface Service {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation
}

const aggregated = 'envoy.service.discovery.v3.AggregatedDiscoveryService'

const separate: Readonly<Record<string, readonly string[]>> = {
  'envoy.service.cluster.v3.ClusterDiscoveryService': ['StreamClusters', 'DeltaClusters'],
  'envoy.service.endpoint.v3.EndpointDiscoveryService': ['StreamEndpoints', 'DeltaEndpoints'],
  'envoy.service.listener.v3.ListenerDiscoveryService': ['StreamListeners', 'DeltaListeners'],
  'envoy.service.route.v3.RouteDiscoveryService': ['StreamRoutes', 'DeltaRoutes'],
  'envoy.service.runtime.v3.RuntimeDiscoveryService': ['StreamRuntime', 'DeltaRuntime'],
  'envoy.service.secret.v3.SecretDiscoveryService': ['StreamSecrets', 'DeltaSecrets'],
}

const bytes = (buffer: Buffer): Buffer => buffer

function service(name: string, methods: Readonly<Record<string, Handler>>): Service {
  const definition: { [method: string]: ServiceDefinition[string] } = {}
  for (const method of Object.keys(methods)) {
    definition[method] = {
      path: `/${name}/${method}`,
      requestStream: true,
      responseStream: true,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    }
  }
  return { definition, implementation: { ...methods } }
}

function notServed(path: string, report: (path: string, peer: string) => void): Handler {
  return (call) => {
    report(path, call.getPeer())
    const details =
      `${path} is not served: this control plane speaks delta xDS on one aggregated stream. ` +
      'Write the Envoy bootstrap with `landfall bootstrap` of the same version.'
    call.emit('error', { code: status.UNIMPLEMENTED, details })
  }
}

/** `report` hears of clients that came by a way that is not served. */
export function discoveryServices(
  deltaAggregated: Handler,
  report: (path: string, peer: string) => void,
): readonly Service[] {
  const refused = Object.entries(separate).map(([name, methods]) =>
    service(
      name,
      Object.fromEntries(methods.map((method) => [method, notServed(`${name}/${method}`, report)])),
    ),
  )
  const aggregate = service(aggregated, {
    StreamAggregatedResources: notServed(`${aggregated}/StreamAggregatedResources`, report),
    DeltaAggregatedResources: deltaAggregated,
  })
  return [aggregate, ...refused]
}
