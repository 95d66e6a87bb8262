/** Alerts of `serve` and of the Envoys that it programs. */
import type { Alert } from './rule.ts'

const expiring = '(landfall_xds_certificate_not_after_seconds - time()) / 86400'

export const contourAlerts: readonly Alert[] = [
  {
    name: 'LandfallEnvoyRefused',
    expr: 'increase(landfall_xds_refused_resources_total[10m]) > 0',
    for: '0m',
    severity: 'warning',
    summary: 'An Envoy refused {{ $labels.type }}',
    description:
      'It keeps what it had. The HTTPProxy has the condition Programmed=False with the message of Envoy; else see the log.',
  },
  {
    name: 'LandfallEnvoyDisconnected',
    expr: 'envoy_control_plane_connected_state == 0',
    for: '5m',
    severity: 'critical',
    summary: 'Envoy {{ $labels.pod }} is not connected to its control plane',
    description: 'It serves what it has, and hears of no change. See the logs of Envoy and of contour.',
  },
  {
    name: 'LandfallXdsWithoutEnvoys',
    expr: 'sum(landfall_xds_streams) == 0',
    for: '5m',
    severity: 'critical',
    summary: 'No Envoy is connected',
    description: 'Service contour, port 8001: certificates of both sides, network policies.',
  },
  {
    name: 'LandfallXdsOrderTimeouts',
    expr: 'increase(landfall_xds_order_timeouts_total[10m]) > 3',
    for: '0m',
    severity: 'warning',
    summary: 'Envoys are slow to take what {{ $labels.pod }} sends',
    description:
      'Updates were sent although what they refer to was not acknowledged: requests may meet a 503.',
  },
  ...certificateAlerts(),
  {
    name: 'LandfallConfigurationRefused',
    expr: 'landfall_configuration_valid == 0',
    for: '1m',
    severity: 'warning',
    summary: '{{ $labels.pod }} does not use its configuration as it stands',
    description: 'The log says configurationRefused with each problem; the settings before stay in use.',
  },
  {
    name: 'LandfallRestartNeeded',
    expr: 'landfall_configuration_restart_needed > 0',
    for: '10m',
    severity: 'info',
    summary: '{{ $value }} settings of {{ $labels.pod }} wait for a restart',
    description: 'kubectl -n projectcontour rollout restart deployment/contour',
  },
  {
    name: 'LandfallHTTPProxyInvalid',
    expr: 'sum by (namespace, vhost) (contour_httpproxy_invalid) > 0',
    for: '10m',
    severity: 'warning',
    summary: 'An HTTPProxy of {{ $labels.vhost }} in {{ $labels.namespace }} is invalid',
    description: 'kubectl describe httpproxy -n {{ $labels.namespace }} shows every problem.',
  },
  {
    name: 'LandfallContourWithoutLeader',
    expr: 'max by (name) (leader_election_master_status{name!~"landfall-controller.*"}) == 0',
    for: '2m',
    severity: 'warning',
    summary: 'No replica of contour writes statuses',
    description: 'Envoys are programmed all the same. The Lease {{ $labels.name }} cannot be renewed.',
  },
  {
    name: 'LandfallStatusWritesFail',
    expr: 'rate(contour_status_update_failed_total[5m]) > 0',
    for: '10m',
    severity: 'warning',
    summary: '{{ $labels.pod }} cannot write the status of {{ $labels.kind }}',
    description: 'The log has the object and the answer of the API server.',
  },
  {
    name: 'LandfallEnvoyDraining',
    expr: 'envoy_server_live == 0',
    for: '10m',
    severity: 'warning',
    summary: 'Envoy {{ $labels.pod }} drains, and does not end',
    description: 'A pod that ends drains for at most its grace period, 300 s in our manifest.',
  },
]

function certificateAlerts(): readonly Alert[] {
  return [
    {
      name: 'LandfallXdsCertificateRenewalBlocked',
      expr: 'landfall_xds_certificate_renewal_blocked == 1',
      for: '1h',
      severity: 'warning',
      summary: 'The certificates between Envoy and its control plane will end, and nobody renews them',
      description: 'Secrets contourcert and envoycert are managed by somebody else, or may not be written.',
    },
    {
      name: 'LandfallXdsCertificateExpiring',
      expr: `${expiring} < 21`,
      for: '1h',
      severity: 'warning',
      summary: 'The certificate that {{ $labels.pod }} shows to Envoys ends in {{ $value | humanize }} days',
      description:
        'It should have been renewed at two thirds of its life: see the Events of the Secret contourcert.',
    },
    {
      name: 'LandfallXdsCertificateExpired',
      expr: `${expiring} < 2`,
      for: '5m',
      severity: 'critical',
      summary: 'The certificate that {{ $labels.pod }} shows to Envoys ends within two days, or has ended',
      description: 'Envoys that connect anew get no configuration. Replace the Secrets by running certgen.',
    },
    {
      name: 'LandfallCertificateExpiring',
      expr: 'min by (pod) (envoy_server_days_until_first_cert_expiring) < 14',
      for: '1h',
      severity: 'warning',
      summary: 'A certificate that {{ $labels.pod }} has ends in {{ $value }} days',
      description:
        'Of a virtual host, or its own: /certs on the admin listener of Envoy, port 9001, lists them.',
    },
  ]
}
