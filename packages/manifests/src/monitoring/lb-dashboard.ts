/** What the controller does: pools, addresses, Services without one. */
import { type Dashboard, processPanels, stat, timeseries } from './dashboard.ts'

const inUse = 'metallb_allocator_addresses_in_use_total'
const total = 'metallb_allocator_addresses_total'

export const lbDashboard: Dashboard = {
  uid: 'landfall-lb',
  title: 'Landfall: addresses',
  panels: [
    stat('Services with an address', 'short', ['sum(metallb_allocator_services_allocated_total)', '']),
    stat('Services without an address', 'short', [
      'sum(landfall_lb_services_without_address) or vector(0)',
      '',
    ]),
    stat('Configuration refused in part', 'short', [
      'sum(metallb_k8s_client_config_stale_bool{container="controller"})',
      '',
    ]),
    timeseries('Use of pools', 'percent', [`100 * ${inUse} / (${total} > 0)`, '{{pool}}']),
    timeseries('IPv4 addresses in use', 'short', [
      'metallb_allocator_ipv4_addresses_in_use_total',
      '{{pool}}',
    ]),
    timeseries('IPv6 addresses in use', 'short', [
      'metallb_allocator_ipv6_addresses_in_use_total',
      '{{pool}}',
    ]),
    timeseries('Free IPv4 addresses', 'short', [
      'metallb_allocator_ipv4_addresses_total - metallb_allocator_ipv4_addresses_in_use_total',
      '{{pool}}',
    ]),
    timeseries('Services without an address, by reason', 'short', [
      'sum by (reason) (landfall_lb_services_without_address)',
      '{{reason}}',
    ]),
    timeseries('Who leads', 'short', [
      'leader_election_master_status{name=~"landfall-controller.*"}',
      '{{pod}} {{name}}',
    ]),
    timeseries('Changes of objects seen', 'ops', [
      'rate(metallb_k8s_client_updates_total{container="controller"}[$__rate_interval])',
      '{{pod}}',
    ]),
    timeseries('Failed writes', 'short', [
      'increase(metallb_k8s_client_update_errors_total{container="controller"}[$__rate_interval])',
      '{{pod}}',
    ]),
    timeseries('Running version', 'short', [
      'count by (version) (landfall_build_info{namespace="metallb-system"})',
      '{{version}}',
    ]),
    ...processPanels('metallb-system', 'controller'),
  ],
}
