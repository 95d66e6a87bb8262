/** What this package counts for the program that uses it. */
import type { Counter, Gauge, Metrics } from '@landfall/telemetry'

export function requestFailures(metrics: Metrics): Counter<'method' | 'status'> {
  return metrics.counter(
    'landfall_kubernetes_request_failures_total',
    'Requests to the API server without a good answer, by method and HTTP status (0: no answer).',
    ['method', 'status'],
  )
}

export function leadership(metrics: Metrics): Gauge<'name'> {
  return metrics.gauge(
    'leader_election_master_status',
    'Whether this process is the leader of the lease: 1 if so, else 0.',
    ['name'],
  )
}
