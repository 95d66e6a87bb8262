/** Envoy's overload manager: shrinks its heap and sheds requests near a limit, bounds client connections. */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { type Any, anyPack, durationFromMs } from '@bufbuild/protobuf/wkt'
import type { OverloadManagerSchema } from '@envoyproxy/envoy-types/envoy/config/overload/v3/overload'
import { DownstreamConnectionsConfigSchema } from '@envoyproxy/envoy-types/envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections'
import { FixedHeapConfigSchema } from '@envoyproxy/envoy-types/envoy/extensions/resource_monitors/fixed_heap/v3/fixed_heap'
import type { BootstrapOptions } from './options.ts'

const heap = 'envoy.resource_monitors.fixed_heap'
const connections = 'envoy.resource_monitors.global_downstream_max_connections'

/** Undefined when no limit is set. */
export function overload(
  options: Pick<BootstrapOptions, 'maximumHeapBytes' | 'maximumDownstreamConnections'>,
): MessageInitShape<typeof OverloadManagerSchema> | undefined {
  const { maximumHeapBytes, maximumDownstreamConnections } = options
  if (maximumHeapBytes === undefined && maximumDownstreamConnections === undefined) return undefined
  const resourceMonitors: ReturnType<typeof monitor>[] = []
  const actions: ReturnType<typeof action>[] = []
  if (maximumHeapBytes !== undefined) {
    const config = create(FixedHeapConfigSchema, { maxHeapSizeBytes: BigInt(maximumHeapBytes) })
    resourceMonitors.push(monitor(heap, anyPack(FixedHeapConfigSchema, config)))
    actions.push(action('envoy.overload_actions.shrink_heap', 0.95))
    actions.push(action('envoy.overload_actions.stop_accepting_requests', 0.98))
  }
  if (maximumDownstreamConnections !== undefined) {
    const config = create(DownstreamConnectionsConfigSchema, {
      maxActiveDownstreamConnections: BigInt(maximumDownstreamConnections),
    })
    resourceMonitors.push(monitor(connections, anyPack(DownstreamConnectionsConfigSchema, config)))
  }
  return { refreshInterval: durationFromMs(250), resourceMonitors, actions }
}

function monitor(name: string, value: Any) {
  return { name, configType: { case: 'typedConfig' as const, value } }
}

function action(name: string, value: number) {
  return {
    name,
    triggers: [{ name: heap, triggerOneof: { case: 'threshold' as const, value: { value } } }],
  }
}
