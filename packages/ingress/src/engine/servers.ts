/** How every listener asks the rate limit service and tells the one of traces, which may not be there. */
import type { Cluster } from '../dag/cluster.ts'
import type { DagOptions } from '../dag/options.ts'
import { type RateLimiting, rateLimitingBy } from '../envoy/rate-limits.ts'
import { type Tracing, tracingBy } from '../envoy/tracing.ts'
import type { ExtensionUnit, ExtensionUnits } from './extension-units.ts'

export interface Servers {
  readonly rateLimiting: RateLimiting | undefined
  readonly tracing: Tracing | undefined
}

export function serversOf(extensions: ExtensionUnits, options: DagOptions): Servers {
  const { rateLimitService: limits, tracing: traces } = options
  const limiting = extensions.of(limits?.extensionService ?? '')
  const traced = extensions.of(traces?.extensionService ?? '')
  return {
    rateLimiting: limits && rateLimitingBy(limits, onlyCluster(limiting), limiting?.timeout),
    tracing: traces && tracingBy(traces, onlyCluster(traced), traced?.timeout),
  }
}

function onlyCluster(unit: ExtensionUnit | undefined): Cluster | undefined {
  const [cluster] = unit?.clusters.values() ?? []
  return cluster
}
