// The configuration of a router's FRR. Pure. It takes BGP sessions from anybody on the LAN, over
// either family and for both, and spreads traffic over up to 16 equal next hops.
import { type Host, lan } from '../topology/topology.ts'

export const routerAsn = 64512

export function bgpConfig(router: Host): string {
  return `frr defaults datacenter
hostname ${router.name}
log stdout informational
!
router bgp ${routerAsn}
 bgp router-id ${router.ipv4}
 bgp log-neighbor-changes
 no bgp default ipv4-unicast
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp bestpath as-path multipath-relax
 bgp listen limit 200
 neighbor nodes peer-group
 neighbor nodes remote-as external
 bgp listen range ${lan.ipv4} peer-group nodes
 bgp listen range ${lan.ipv6} peer-group nodes
 address-family ipv4 unicast
  neighbor nodes activate
  maximum-paths 16
  maximum-paths ibgp 16
 exit-address-family
 address-family ipv6 unicast
  neighbor nodes activate
  maximum-paths 16
  maximum-paths ibgp 16
 exit-address-family
!
`
}

export function plainConfig(router: Host): string {
  return `hostname ${router.name}\nlog stdout informational\n`
}
