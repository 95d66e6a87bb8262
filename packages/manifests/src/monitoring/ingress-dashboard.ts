/** What `serve` does: HTTPProxies, translation, what Envoys answer, statuses. */
import { type Dashboard, type Panel, processPanels, stat, timeseries } from './dashboard.ts'

/** All replicas see the same objects: one of them speaks for all. */
const ofOne = (metric: string, ...by: readonly string[]) =>
  `max by (${by.join(', ')}) (sum by (${['pod', ...by].join(', ')}) (${metric}))`
const total = (metric: string) => `max(sum by (pod) (${metric})) or vector(0)`

export const ingressDashboard: Dashboard = {
  uid: 'landfall-ingress',
  title: 'Landfall: ingress',
  panels: [
    stat(
      'HTTPProxies',
      'short',
      [total('contour_httpproxy'), 'all'],
      [total('contour_httpproxy_valid'), 'valid'],
      [total('contour_httpproxy_invalid'), 'invalid'],
      [total('contour_httpproxy_orphaned'), 'orphaned'],
    ),
    stat('Envoy streams', 'short', ['sum(landfall_xds_streams)', '']),
    stat('Days until the certificate of xDS ends', 'd', [
      'min((landfall_xds_certificate_not_after_seconds - time()) / 86400)',
      '',
    ]),
    timeseries('HTTPProxies, by namespace', 'short', [
      ofOne('contour_httpproxy', 'namespace'),
      '{{namespace}}',
    ]),
    timeseries('Root HTTPProxies, by namespace', 'short', [
      ofOne('contour_httpproxy_root', 'namespace'),
      '{{namespace}}',
    ]),
    timeseries('Invalid HTTPProxies', 'short', [
      ofOne('contour_httpproxy_invalid', 'namespace', 'vhost'),
      '{{namespace}} {{vhost}}',
    ]),
    timeseries('Objects', 'short', [ofOne('contour_dag_cache_object', 'kind'), '{{kind}}']),
    timeseries('Changes of objects', 'ops', [
      'sum by (kind, op) (rate(contour_eventhandler_operation_total[$__rate_interval]))',
      '{{kind}} {{op}}',
    ]),
    timeseries('Batches translated', 'ops', ['rate(contour_dagrebuild_total[$__rate_interval])', '{{pod}}']),
    timeseries(
      'Time of a batch',
      's',
      ['contour_dagrebuild_seconds{quantile="0.99"}', '{{pod}} translated'],
      ['contour_cachehandler_onupdate_duration_seconds{quantile="0.99"}', '{{pod}} handed on'],
    ),
    ...xdsPanels(),
    ...statusPanels(),
    ...processPanels('projectcontour', 'contour'),
  ],
}

function xdsPanels(): readonly Panel[] {
  return [
    timeseries('Responses to Envoys', 'ops', [
      'sum by (type) (rate(landfall_xds_responses_total[$__rate_interval]))',
      '{{type}}',
    ]),
    timeseries('Sent to Envoys', 'Bps', [
      'sum by (type) (rate(landfall_xds_sent_bytes_total[$__rate_interval]))',
      '{{type}}',
    ]),
    timeseries('Answers of Envoys', 'ops', [
      'sum by (type, outcome) (rate(landfall_xds_acknowledgements_total[$__rate_interval]))',
      '{{type}} {{outcome}}',
    ]),
    timeseries('Refused by an Envoy', 'short', [
      'sum by (type) (increase(landfall_xds_refused_resources_total[$__rate_interval]))',
      '{{type}}',
    ]),
    timeseries('Sent without waiting for what is referred to', 'short', [
      'increase(landfall_xds_order_timeouts_total[$__rate_interval])',
      '{{pod}}',
    ]),
  ]
}

function statusPanels(): readonly Panel[] {
  return [
    timeseries(
      'Statuses',
      'ops',
      ['sum by (kind) (rate(contour_status_update_success_total[$__rate_interval]))', '{{kind}} written'],
      ['sum by (kind) (rate(contour_status_update_failed_total[$__rate_interval]))', '{{kind}} failed'],
      ['sum by (kind) (rate(contour_status_update_conflict_total[$__rate_interval]))', '{{kind}} conflict'],
    ),
    timeseries('Time of a status', 's', [
      'max by (kind) (contour_status_update_duration_seconds{quantile="0.99"})',
      '{{kind}}',
    ]),
    timeseries(
      'Configuration',
      'short',
      ['landfall_configuration_valid == 0', '{{pod}} refused'],
      ['landfall_configuration_restart_needed', '{{pod}} settings that wait for a restart'],
    ),
  ]
}
