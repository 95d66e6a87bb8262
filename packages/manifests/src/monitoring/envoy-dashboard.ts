/** What the Envoys carry, and whether they hear of changes. Requests are those of virtual hosts, not of the admin listeners. */
import { type Dashboard, type Panel, stat, timeseries } from './dashboard.ts'

const entry = '{envoy_http_conn_manager_prefix=~"ingress_.*"}'
const every = '[$__rate_interval]'

export const envoyDashboard: Dashboard = {
  uid: 'landfall-envoy',
  title: 'Landfall: Envoy',
  panels: [
    stat('Requests', 'reqps', [`sum(rate(envoy_http_downstream_rq_total${entry}${every})) or vector(0)`, '']),
    stat('Connected to the control plane', 'short', ['sum(envoy_control_plane_connected_state)', '']),
    stat('Days until the first certificate ends', 'd', [
      'min(envoy_server_days_until_first_cert_expiring < 36500)',
      '',
    ]),
    timeseries('Requests, by pod', 'reqps', [
      `sum by (pod) (rate(envoy_http_downstream_rq_total${entry}${every}))`,
      '{{pod}}',
    ]),
    timeseries('Answers, by class', 'reqps', [
      `sum by (envoy_response_code_class) (rate(envoy_http_downstream_rq_xx${entry}${every}))`,
      '{{envoy_response_code_class}}xx',
    ]),
    timeseries('Time of requests', 'ms', ...quantiles('envoy_http_downstream_rq_time_bucket', entry)),
    timeseries('Connections of clients', 'short', [
      `sum by (pod) (envoy_http_downstream_cx_active${entry})`,
      '{{pod}}',
    ]),
    timeseries('TLS handshakes of clients that failed', 'ops', [
      'sum by (pod) (rate(envoy_listener_ssl_connection_error[$__rate_interval]))',
      '{{pod}}',
    ]),
    timeseries('Requests without a host or route', 'reqps', [
      `sum by (pod) (rate(envoy_http_no_route${entry}${every}))`,
      '{{pod}}',
    ]),
    ...upstreamPanels(),
    ...ownPanels(),
  ],
}

function quantiles(buckets: string, labels: string): readonly (readonly [string, string])[] {
  return [0.5, 0.9, 0.99].map((quantile) => [
    `histogram_quantile(${quantile}, sum by (le) (rate(${buckets}${labels}${every})))`,
    `${quantile * 100}%`,
  ])
}

function upstreamPanels(): readonly Panel[] {
  return [
    timeseries('Requests to backends, by cluster', 'reqps', [
      `sum by (envoy_cluster_name) (rate(envoy_cluster_upstream_rq_total${every}))`,
      '{{envoy_cluster_name}}',
    ]),
    timeseries('5xx of backends, by cluster', 'reqps', [
      `sum by (envoy_cluster_name) (rate(envoy_cluster_upstream_rq_xx{envoy_response_code_class="5"}${every}))`,
      '{{envoy_cluster_name}}',
    ]),
    timeseries('Time of backends', 'ms', ...quantiles('envoy_cluster_upstream_rq_time_bucket', '')),
    timeseries('Backends, by cluster', 'short', [
      'max by (envoy_cluster_name) (envoy_cluster_membership_healthy)',
      '{{envoy_cluster_name}}',
    ]),
    timeseries('Backends that cannot be reached', 'ops', [
      `sum by (envoy_cluster_name) (rate(envoy_cluster_upstream_cx_connect_fail${every}))`,
      '{{envoy_cluster_name}}',
    ]),
    timeseries('Connections to backends', 'short', [
      'sum by (pod) (envoy_cluster_upstream_cx_active)',
      '{{pod}}',
    ]),
  ]
}

function ownPanels(): readonly Panel[] {
  const updates = (metric: string, legend: string) =>
    [`sum by (pod) (increase(${metric}${every}))`, `{{pod}} ${legend}`] as const
  return [
    timeseries(
      'Configuration taken',
      'short',
      updates('envoy_listener_manager_lds_update_success', 'listeners'),
      updates('envoy_cluster_manager_cds_update_success', 'clusters'),
    ),
    timeseries(
      'Configuration refused',
      'short',
      updates('envoy_listener_manager_lds_update_rejected', 'listeners'),
      updates('envoy_cluster_manager_cds_update_rejected', 'clusters'),
    ),
    timeseries(
      'Memory',
      'bytes',
      ['envoy_server_memory_allocated', '{{pod}} allocated'],
      ['envoy_server_memory_physical_size', '{{pod}} physical'],
    ),
    timeseries('Uptime', 's', ['envoy_server_uptime', '{{pod}}']),
    timeseries(
      'Listeners and clusters',
      'short',
      ['envoy_listener_manager_total_listeners_active', '{{pod}} listeners'],
      ['envoy_cluster_manager_active_clusters', '{{pod}} clusters'],
    ),
  ]
}
