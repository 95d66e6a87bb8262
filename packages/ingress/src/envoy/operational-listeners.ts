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
import type { Source } from './message.ts'
import { metricsSecrets, metricsSocket } from './metrics-tls.ts'
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

export function operationalListeners(options: ListenerOptions, source: Source): readonly Resource[] {
  const ready: readonly Path[] = [{ case: 'path', value: '/ready' }]
  const stats: readonly Path[] = [{ case: 'pathSeparatedPrefix', value: '/stats' }]
  const admin = readOnlyPaths.map((value): Path => ({ case: 'path', value }))
  return [
    ...(options.metrics === undefined
      ? [listener('stats-health', 'stats', options.stats, [...ready, ...stats])]
      : [
          listener('stats', 'stats', options.metrics, stats, {
            ...(options.metricsTls === undefined ? {} : { tls: metricsSocket(options.metricsTls, source) }),
            secrets: metricsSecrets(options.metricsTls).map(({ name }) => name),
          }),
          listener('health', 'health', options.stats, ready),
        ]),
    ...(options.limitedHealth === undefined
      ? []
      : [
          // Drains wait for the clients of every prefix that is not one of these.
          listener('health-om-enforced', 'health', options.limitedHealth, ready, {
            limited: true,
          }),
        ]),
    ...(options.adminPort === 0
      ? []
      : [listener('envoy-admin', 'envoy-admin', { address: '127.0.0.1', port: options.adminPort }, admin)]),
  ]
}

interface Extras {
  /** Counts against Envoy's limit of connections. */
  readonly limited?: boolean
  readonly tls?: ReturnType<typeof metricsSocket>
  readonly secrets?: readonly string[]
}

function listener(
  name: string,
  statPrefix: string,
  bind: BindAddress,
  paths: readonly Path[],
  { limited = false, tls, secrets = [] }: Extras = {},
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
    filterChains: [{ filters, ...(tls === undefined ? {} : { transportSocket: tls }) }],
    socketOptions: keepalive,
    ignoreGlobalConnLimit: !limited,
  })
  const bytes = toBinary(ListenerSchema, message)
  return secrets.length === 0 ? makeResource(name, bytes) : makeResource(name, bytes, { secrets })
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
