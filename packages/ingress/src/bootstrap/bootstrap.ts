/**
 * Envoy's bootstrap as a message: who it is, where its control plane is, and everything else by delta ADS.
 * Pure. In: the options. Out: envoy.config.bootstrap.v3.Bootstrap.
 */
import { isIP } from 'node:net'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { anyPack, durationFromMs } from '@bufbuild/protobuf/wkt'
import { type Bootstrap, BootstrapSchema } from '@envoyproxy/envoy-types/envoy/config/bootstrap/v3/bootstrap'
import {
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  type ClusterSchema,
} from '@envoyproxy/envoy-types/envoy/config/cluster/v3/cluster'
import type { AddressSchema } from '@envoyproxy/envoy-types/envoy/config/core/v3/address'
import { RoutingPriority } from '@envoyproxy/envoy-types/envoy/config/core/v3/base'
import {
  ApiConfigSource_ApiType,
  ApiVersion,
  type ConfigSourceSchema,
} from '@envoyproxy/envoy-types/envoy/config/core/v3/config_source'
import { HttpProtocolOptionsSchema } from '@envoyproxy/envoy-types/envoy/extensions/upstreams/http/v3/http_protocol_options'
import type { BootstrapOptions } from './options.ts'
import { overload } from './overload.ts'
import { upstreamTls } from './tls.ts'

const controlPlane = 'contour'
const admin = 'envoy-admin'

const families = {
  auto: Cluster_DnsLookupFamily.AUTO,
  v4: Cluster_DnsLookupFamily.V4_ONLY,
  v6: Cluster_DnsLookupFamily.V6_ONLY,
  all: Cluster_DnsLookupFamily.ALL,
}

/** Waits for the control plane as long as it takes: an Envoy without configuration is not ready. */
const overAds: MessageInitShape<typeof ConfigSourceSchema> = {
  configSourceSpecifier: { case: 'ads', value: {} },
  resourceApiVersion: ApiVersion.V3,
  initialFetchTimeout: durationFromMs(0),
}

/** Random below an interval that doubles. Envoy's own is 0.5 to 30 s, in which changes would wait for nothing. */
const reconnect = { baseInterval: durationFromMs(100), maxInterval: durationFromMs(1000) }

export function makeBootstrap(options: BootstrapOptions): Bootstrap {
  const overloadManager = overload(options)
  return create(BootstrapSchema, {
    node: { id: options.nodeId, cluster: options.nodeCluster },
    dynamicResources: {
      adsConfig: {
        apiType: ApiConfigSource_ApiType.DELTA_GRPC,
        transportApiVersion: ApiVersion.V3,
        setNodeOnFirstMessageOnly: true,
        grpcServices: [
          {
            targetSpecifier: {
              case: 'envoyGrpc',
              value: { clusterName: controlPlane, retryPolicy: { retryBackOff: reconnect } },
            },
          },
        ],
      },
      cdsConfig: overAds,
      ldsConfig: overAds,
    },
    staticResources: { clusters: [controlPlaneCluster(options), adminCluster(options.adminAddress)] },
    // Of a cluster that nobody asks there is nothing to count: a third less memory for each.
    deferredStatOptions: { enableDeferredCreationStats: true },
    // On a timer, every five seconds, changes would wait until all statistics of all clusters are summed up for nobody.
    statsFlush: { case: 'statsFlushOnAdmin', value: true },
    admin: {
      address: { address: { case: 'pipe', value: { path: options.adminAddress, mode: 0o644 } } },
    },
    layeredRuntime: {
      layers: [
        {
          name: 'dynamic',
          layerSpecifier: { case: 'rtdsLayer', value: { name: 'dynamic', rtdsConfig: overAds } },
        },
        { name: 'admin', layerSpecifier: { case: 'adminLayer', value: {} } },
      ],
    },
    ...(overloadManager === undefined ? {} : { overloadManager }),
  })
}

function controlPlaneCluster(options: BootstrapOptions): MessageInitShape<typeof ClusterSchema> {
  const { xdsAddress, xdsPort, tls } = options
  const threshold = {
    maxConnections: 100_000,
    maxPendingRequests: 100_000,
    maxRequests: 60_000_000,
    maxRetries: 50,
  }
  return {
    name: controlPlane,
    altStatName: [options.nodeCluster, controlPlane, xdsPort].join('_'),
    clusterDiscoveryType: {
      case: 'type',
      value: isIP(xdsAddress) === 0 ? Cluster_DiscoveryType.STRICT_DNS : Cluster_DiscoveryType.STATIC,
    },
    dnsLookupFamily: families[options.dnsLookupFamily],
    connectTimeout: durationFromMs(5000),
    loadAssignment: endpoint(controlPlane, {
      case: 'socketAddress',
      value: { address: xdsAddress, portSpecifier: { case: 'portValue', value: xdsPort } },
    }),
    circuitBreakers: {
      thresholds: [
        { priority: RoutingPriority.HIGH, ...threshold },
        { priority: RoutingPriority.DEFAULT, ...threshold },
      ],
    },
    // A control plane that vanished without a word is noticed within 35 s.
    upstreamConnectionOptions: {
      tcpKeepalive: { keepaliveProbes: 3, keepaliveTime: 30, keepaliveInterval: 5 },
    },
    typedExtensionProtocolOptions: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': anyPack(
        HttpProtocolOptionsSchema,
        create(HttpProtocolOptionsSchema, {
          upstreamProtocolOptions: {
            case: 'explicitHttpConfig',
            value: {
              protocolConfig: {
                case: 'http2ProtocolOptions',
                value: {
                  connectionKeepalive: { interval: durationFromMs(20_000), timeout: durationFromMs(10_000) },
                },
              },
            },
          },
        }),
      ),
    },
    ...(tls === undefined ? {} : { transportSocket: upstreamTls(tls, options.resourcesDirectory) }),
  }
}

function adminCluster(path: string): MessageInitShape<typeof ClusterSchema> {
  return {
    name: admin,
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.STATIC },
    connectTimeout: durationFromMs(250),
    loadAssignment: endpoint(admin, { case: 'pipe', value: { path } }),
  }
}

type Address = NonNullable<MessageInitShape<typeof AddressSchema>['address']>

function endpoint(clusterName: string, address: Address) {
  return {
    clusterName,
    endpoints: [
      { lbEndpoints: [{ hostIdentifier: { case: 'endpoint' as const, value: { address: { address } } } }] },
    ],
  }
}
