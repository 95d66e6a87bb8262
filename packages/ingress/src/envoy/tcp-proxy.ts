/** A stream that goes to clusters as it is: the network filter of a chain of its own. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { FilterSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener_components'
import { TcpProxySchema } from '@envoyproxy/envoy-types/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy'
import type { TcpTarget } from '../dag/virtual-host.ts'
import { fileAccessLog } from './access-log.ts'
import { milliseconds, typed } from './message.ts'
import { clusterName } from './names.ts'
import type { ListenerOptions } from './options.ts'

const idleMs = 9_001_000

/** @param targets not empty */
export function tcpProxy(
  targets: readonly TcpTarget[],
  listener: string,
  { httpsAccessLog, accessLog }: ListenerOptions,
): MessageInitShape<typeof FilterSchema> {
  const weighted = targets
    .map(({ cluster, weight }) => ({ name: clusterName(cluster), weight }))
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const [only] = weighted
  const filter = typed('envoy.filters.network.tcp_proxy', TcpProxySchema, {
    statPrefix: listener,
    clusterSpecifier:
      only !== undefined && weighted.length === 1
        ? { case: 'cluster', value: only.name }
        : { case: 'weightedClusters', value: { clusters: weighted } },
    idleTimeout: milliseconds(idleMs),
    accessLog: fileAccessLog(httpsAccessLog, accessLog, 'tcp'),
  })
  return { name: filter.name, configType: { case: 'typedConfig', value: filter.typedConfig } }
}
