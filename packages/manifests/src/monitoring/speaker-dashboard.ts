/** What the speakers do: who announces, how sessions and heartbeats are. */
import { type Dashboard, type Panel, processPanels, stat, timeseries } from './dashboard.ts'

export const speakerDashboard: Dashboard = {
  uid: 'landfall-speaker',
  title: 'Landfall: announcements',
  panels: [
    stat('Announced addresses', 'short', [
      'count(count by (ip) (metallb_speaker_announced == 1)) or vector(0)',
      '',
    ]),
    stat('BGP sessions that are up', 'short', ['sum(metallb_bgp_session_up) or vector(0)', '']),
    stat('BGP sessions that are down', 'short', ['count(metallb_bgp_session_up == 0) or vector(0)', '']),
    timeseries('Announced, by node and protocol', 'short', [
      'sum by (node, protocol) (metallb_speaker_announced)',
      '{{node}} {{protocol}}',
    ]),
    timeseries('Configuration refused in part', 'short', [
      'metallb_k8s_client_config_stale_bool{container="speaker"}',
      '{{node}}',
    ]),
    timeseries('Failed writes', 'short', [
      'increase(metallb_k8s_client_update_errors_total{container="speaker"}[$__rate_interval])',
      '{{node}}',
    ]),
    ...bgpPanels(),
    ...layer2Panels(),
    ...processPanels('metallb-system', 'speaker'),
  ],
}

function bgpPanels(): readonly Panel[] {
  return [
    timeseries('BGP sessions', 'short', ['metallb_bgp_session_up', '{{node}} {{peer}} {{vrf}}']),
    timeseries(
      'Prefixes of BGP sessions',
      'short',
      ['metallb_bgp_announced_prefixes_total', '{{node}} {{peer}} announced'],
      ['metallb_bgp_pending_prefixes_total', '{{node}} {{peer}} pending'],
      ['landfall_bgp_unsent_prefixes', '{{node}} {{peer}} cannot be sent'],
    ),
    timeseries(
      'BGP messages',
      'ops',
      [
        'sum by (node, peer) (rate(metallb_bgp_updates_total[$__rate_interval]))',
        '{{node}} {{peer}} UPDATE sent',
      ],
      [
        'sum by (node, peer) (rate(metallb_bgp_notifications_sent[$__rate_interval]))',
        '{{node}} {{peer}} NOTIFICATION sent',
      ],
      [
        'sum by (node, peer) (rate(metallb_bgp_notifications_received[$__rate_interval]))',
        '{{node}} {{peer}} NOTIFICATION received',
      ],
    ),
    timeseries('BFD sessions', 'short', ['metallb_bfd_session_up', '{{node}} {{peer}}']),
    timeseries('BFD sessions that went down', 'short', [
      'increase(metallb_bfd_session_down_events[$__rate_interval])',
      '{{node}} {{peer}}',
    ]),
    timeseries('BFD packets not believed', 'ops', [
      'sum by (node, reason) (rate(landfall_bfd_packets_refused_total[$__rate_interval]))',
      '{{node}} {{reason}}',
    ]),
  ]
}

function layer2Panels(): readonly Panel[] {
  return [
    timeseries(
      'Layer 2 packets',
      'pps',
      ['sum by (node) (rate(metallb_layer2_requests_received[$__rate_interval]))', '{{node}} requests'],
      ['sum by (node) (rate(metallb_layer2_responses_sent[$__rate_interval]))', '{{node}} responses'],
      ['sum by (node) (rate(metallb_layer2_gratuitous_sent[$__rate_interval]))', '{{node}} unasked'],
    ),
    timeseries('Addresses that changed their owner', 'short', [
      'sum by (reason) (increase(landfall_layer2_owner_changes_total[$__rate_interval]))',
      '{{reason}}',
    ]),
    timeseries('Nobody answered for, 99 of 100 takeovers', 's', [
      'histogram_quantile(0.99, sum by (le) (increase(landfall_layer2_takeover_seconds_bucket[1h])))',
      'at most',
    ]),
    timeseries('Speakers that are not serving, as others see them', 'short', [
      'max by (state) (landfall_layer2_members{state!~"serving|unwatched"})',
      '{{state}}',
    ]),
    timeseries('Longest time since a speaker was heard', 's', [
      'max by (node) (landfall_layer2_heartbeat_age_seconds)',
      '{{node}}',
    ]),
    timeseries(
      'Heartbeats',
      'short',
      [
        'sum by (reason) (increase(landfall_layer2_heartbeats_refused_total[$__rate_interval]))',
        'refused: {{reason}}',
      ],
      ['sum(landfall_layer2_heartbeats_authenticated_bool == 0) or vector(0)', 'speakers without the key'],
    ),
  ]
}
