/** Alerts of controller and speaker: those of MetalLB's chart under their names, and those for what MetalLB has not. */
import type { Alert } from './rule.ts'

const use = '100 * metallb_allocator_addresses_in_use_total / (metallb_allocator_addresses_total > 0)'

export const metallbAlerts: readonly Alert[] = [
  {
    name: 'MetalLBStaleConfig',
    expr: 'metallb_k8s_client_config_stale_bool == 1',
    for: '1m',
    severity: 'warning',
    summary: '{{ $labels.pod }} refuses a part of the configuration',
    description:
      'kubectl get configurationstates -n metallb-system -o yaml names each refused object and the reason. The rest is in use.',
  },
  {
    name: 'MetalLBConfigNotLoaded',
    expr: 'metallb_k8s_client_config_loaded_bool == 0',
    for: '1m',
    severity: 'warning',
    summary: '{{ $labels.pod }} has no configuration',
    description:
      'There is no IPAddressPool and no ConfigMap in metallb-system, or the API server does not let it be read: see the log.',
  },
  {
    name: 'MetalLBAddressPoolExhausted',
    expr: 'metallb_allocator_addresses_in_use_total >= (metallb_allocator_addresses_total > 0)',
    for: '1m',
    severity: 'critical',
    summary: 'Pool {{ $labels.pool }} has no free address',
    description: 'New Services stay pending. Add addresses to the pool, or another pool.',
  },
  poolUse(75, 'warning'),
  poolUse(85, 'warning'),
  poolUse(95, 'critical'),
  {
    name: 'MetalLBBGPSessionDown',
    expr: 'metallb_bgp_session_up == 0',
    for: '1m',
    severity: 'critical',
    summary: 'BGP session of {{ $labels.node }} with {{ $labels.peer }} is down',
    description: 'kubectl get bgppeers -n metallb-system -o wide says why.',
  },
  {
    name: 'LandfallBFDSessionDown',
    expr: 'metallb_bfd_session_up == 0',
    for: '1m',
    severity: 'warning',
    summary: 'BFD session of {{ $labels.node }} with {{ $labels.peer }} is down',
    description:
      'BGP with this peer is held down with it. The log of the speaker says bfdDown or bfdUnavailable.',
  },
  {
    name: 'LandfallBGPPrefixesNotSent',
    expr: 'landfall_bgp_unsent_prefixes > 0',
    for: '1m',
    severity: 'warning',
    summary: '{{ $value }} prefixes cannot go to {{ $labels.peer }} from {{ $labels.node }}',
    description:
      'kubectl get bgppeers -n metallb-system -o wide has the reason, as a family that the peer did not agree to.',
  },
  {
    name: 'LandfallServicesWithoutAddress',
    expr: 'landfall_lb_services_without_address > 0',
    for: '10m',
    severity: 'warning',
    summary: '{{ $value }} LoadBalancer Services have no address: {{ $labels.reason }}',
    description:
      'kubectl describe svc NAME has the Event AllocationFailed and the condition metallb.io/AddressAllocated.',
  },
  {
    name: 'LandfallLayer2Conflict',
    expr: 'increase(landfall_layer2_owner_changes_total{reason="conflict"}[10m]) > 0',
    for: '0m',
    severity: 'warning',
    summary: 'Two nodes held the same address by layer 2; {{ $labels.node }} has it now',
    description: 'The speakers could not hear each other for a while (UDP 7946), and could again.',
  },
  {
    name: 'LandfallLayer2HeartbeatsUnauthenticated',
    expr: 'landfall_layer2_heartbeats_authenticated_bool == 0',
    for: '5m',
    severity: 'warning',
    summary: 'The speaker of {{ $labels.node }} takes heartbeats of anybody',
    description: 'The Secret memberlist is missing, or is not mounted: METALLB_ML_SECRET_KEY_PATH.',
  },
  {
    name: 'LandfallLayer2HeartbeatsRefused',
    expr: 'rate(landfall_layer2_heartbeats_refused_total[5m]) > 0.1',
    for: '5m',
    severity: 'warning',
    summary: '{{ $labels.node }} refuses heartbeats: {{ $labels.reason }}',
    description: 'Speakers with another key, another version, or somebody else who sends to UDP 7946.',
  },
  {
    name: 'LandfallControllerWithoutLeader',
    expr: 'max by (name) (leader_election_master_status{name=~"landfall-controller.*"}) == 0',
    for: '2m',
    severity: 'critical',
    summary: 'No controller leads: Services get no addresses',
    description:
      'The Lease {{ $labels.name }} in metallb-system cannot be renewed, or is held by somebody who is gone.',
  },
  {
    name: 'LandfallWritesFail',
    expr: 'rate(metallb_k8s_client_update_errors_total[5m]) > 0',
    for: '10m',
    severity: 'warning',
    summary: '{{ $labels.pod }} cannot write to the API server',
    description: 'The log has the object and the answer of the API server.',
  },
]

function poolUse(percent: number, severity: Alert['severity']): Alert {
  return {
    name: `MetalLBAddressPoolUsage${percent}Percent`,
    expr: `${use} > ${percent}`,
    for: '1m',
    severity,
    summary: `More than ${percent}% of pool {{ $labels.pool }} is in use`,
    description: 'Add addresses to the pool, or another pool, before Services stay pending.',
  }
}
