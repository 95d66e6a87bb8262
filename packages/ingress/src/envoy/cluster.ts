/** Cluster → the resource that Envoy subscribes to; its endpoints come by EDS, under the Service's port. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from '@envoyproxy/envoy-types/envoy/config/cluster/v3/cluster'
import { UpstreamTlsContextSchema } from '@envoyproxy/envoy-types/envoy/extensions/transport_sockets/tls/v3/tls'
import { HttpProtocolOptionsSchema } from '@envoyproxy/envoy-types/envoy/extensions/upstreams/http/v3/http_protocol_options'
import type { Cluster, Strategy, UpstreamProtocol } from '../dag/virtual-host.ts'
import { makeResource, type Resource } from '../xds/resource.ts'
import { configSource, milliseconds, pack, type Source, typed } from './message.ts'
import { altStatName, clusterName, endpointsName } from './names.ts'

type ClusterInit = MessageInitShape<typeof ClusterSchema>

const policies: Readonly<Record<Strategy, Cluster_LbPolicy>> = {
  RoundRobin: Cluster_LbPolicy.ROUND_ROBIN,
  WeightedLeastRequest: Cluster_LbPolicy.LEAST_REQUEST,
  Random: Cluster_LbPolicy.RANDOM,
}

export function clusterResource(cluster: Cluster, source: Source): Resource {
  const name = clusterName(cluster)
  const endpoints = endpointsOf(cluster)
  const message = create(ClusterSchema, {
    name,
    altStatName: altStatName(cluster),
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: configSource(source), serviceName: endpoints },
    connectTimeout: milliseconds(2000),
    lbPolicy: policies[cluster.strategy],
    // A few unhealthy endpoints must never bring the unready ones back.
    commonLbConfig: { healthyPanicThreshold: { value: 0 } },
    ...protocolOptions(cluster.protocol),
    ...transport(cluster.protocol),
  })
  return makeResource(name, toBinary(ClusterSchema, message), { endpoints: [endpoints] })
}

export function endpointsOf(cluster: Cluster): string {
  return endpointsName(cluster.namespace, cluster.service, cluster.portName)
}

const http = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'

function protocolOptions(protocol: UpstreamProtocol): Pick<ClusterInit, 'typedExtensionProtocolOptions'> {
  if (protocol !== 'h2' && protocol !== 'h2c') return {}
  const options = pack(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: {
      case: 'explicitHttpConfig',
      value: { protocolConfig: { case: 'http2ProtocolOptions', value: {} } },
    },
  })
  return { typedExtensionProtocolOptions: { [http]: options } }
}

/** The server's certificate is not verified: that needs `validation`, which names a CA. */
function transport(protocol: UpstreamProtocol): Pick<ClusterInit, 'transportSocket'> {
  if (protocol !== 'h2' && protocol !== 'tls') return {}
  const socket = typed('envoy.transport_sockets.tls', UpstreamTlsContextSchema, {
    commonTlsContext: { alpnProtocols: protocol === 'h2' ? ['h2'] : [] },
  })
  return {
    transportSocket: { name: socket.name, configType: { case: 'typedConfig', value: socket.typedConfig } },
  }
}
