/**
 * Listeners for operators, always there: health and statistics for probes and Prometheus, and the read-only part
 * of Envoy's administration on the loopback. Both lead to Envoy's own socket, through the bootstrap's cluster
 * `envoy-admin`, and count against no connection limit.
 */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { ListenerSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener'
import type {
  RouteMatchSchema,
  RouteSchema,
} from '@envoyproxy/envoy-types/envoy/config/route/v3/route_components'
import { makeResource, type Resource } from '../xds/resource.ts'
import { connectionManager, router } from './connection-manager.ts'
import type { BindAddress, ListenerOptions } from './options.ts'
import { keepalive, socketAddress } from './socket.ts'

type RouteInit = MessageInitShape<typeof RouteSchema>
type Path = NonNullable<MessageInitShape<typeof RouteMatchSchema>['pathSpecifier']>

const adminCluster = 'envoy-admin'

const readOnlyPaths = [
  '/certs',
  '/clusters',
  '/config_dump',
  '/listeners',
  '/memory',
  '/ready',
  '/runtime',
  '/server_info',
  '/stats',
  '/stats/prometheus',
  '/stats/recentlookups',
]

export function operationalListeners(options: ListenerOptions): readonly Resource[] {
  const ready: readonly Path[] = [{ case: 'path', value: '/ready' }]
  const stats: readonly Path[] = [{ case: 'pathSeparatedPrefix', value: '/stats' }]
  const admin = readOnlyPaths.map((value): Path => ({ case: 'path', value }))
  return [
    ...(options.metrics === undefined
      ? [listener('stats-health', 'stats', options.stats, [...ready, ...stats])]
      : [
          listener('stats', 'stats', options.metrics, stats),
          listener('health', 'health', options.stats, ready),
        ]),
    ...(options.limitedHealth === undefined
      ? []
      : [listener('health-om-enforced', 'health-om-enforced', options.limitedHealth, ready, false)]),
    ...(options.adminPort === 0
      ? []
      : [listener('envoy-admin', 'envoy-admin', { address: '127.0.0.1', port: options.adminPort }, admin)]),
  ]
}

function listener(
  name: string,
  statPrefix: string,
  bind: BindAddress,
  paths: readonly Path[],
  unlimited = true,
): Resource {
  const filters = [
    connectionManager({
      statPrefix,
      routeSpecifier: {
        case: 'routeConfig',
        value: {
          name,
          virtualHosts: [{ name: 'backend', domains: ['*'], routes: paths.map(toAdmin) }],
        },
      },
      httpFilters: [router()],
      normalizePath: true,
    }),
  ]
  const message = create(ListenerSchema, {
    name,
    address: socketAddress(bind),
    filterChains: [{ filters }],
    socketOptions: keepalive,
    ignoreGlobalConnLimit: unlimited,
  })
  return makeResource(name, toBinary(ListenerSchema, message))
}

/** Reading only: a POST would change Envoy. */
function toAdmin(pathSpecifier: Path): RouteInit {
  const get = { matchPattern: { case: 'exact' as const, value: 'GET' } }
  return {
    match: {
      pathSpecifier,
      headers: [{ name: ':method', headerMatchSpecifier: { case: 'stringMatch', value: get } }],
    },
    action: { case: 'route', value: { clusterSpecifier: { case: 'cluster', value: adminCluster } } },
  }
}
