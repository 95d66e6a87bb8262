/** For the tests of this package on a real API server. */
import type { Cluster } from '@landfall/kube'
import { Metrics, silentLogger } from '@landfall/telemetry'
import { ControllerMetrics } from './controller-metrics.ts'
import type { SessionOptions } from './options.ts'
import { Session } from './session.ts'

/** A term as leader in `metallb-system`. */
export function sessionFor(cluster: Cluster, more: Partial<SessionOptions> = {}): Session {
  return new Session({
    cluster,
    namespace: 'metallb-system',
    configMap: 'config',
    loadBalancerClass: '',
    poolRemovalGraceMs: 0,
    logger: silentLogger(),
    metrics: new ControllerMetrics(new Metrics('test')),
    mayWrite: () => true,
    ...more,
  })
}
