/** The annotations that are read or written, and what each means; a test compares their names with the sources. */
export interface Annotation {
  readonly on: 'Service' | 'Ingress' | 'Ingress, HTTPProxy' | 'BGPPeer' | 'BGPAdvertisement'
  readonly name: string
  readonly meaning: string
}

const service = (name: string, meaning: string): Annotation => ({ on: 'Service', name, meaning })
const ingress = (name: string, meaning: string): Annotation => ({ on: 'Ingress', name, meaning })
const classed = (name: string, meaning: string): Annotation => ({ on: 'Ingress, HTTPProxy', name, meaning })

const limits = 'of Envoy to the Service: as of Contour; 0 and what is no number say nothing'

export const annotations: readonly Annotation[] = [
  service('metallb.io/address-pool', 'the pool that the address comes from'),
  service(
    'metallb.io/loadBalancerIPs',
    'the addresses asked for, at most one of each family, between commas',
  ),
  service('metallb.io/allow-shared-ip', 'Services with the same text may share an address'),
  service('metallb.io/ip-allocated-from-pool', 'written: the pool that the address came from'),
  service('metallb.io/bgp-communities', 'communities of its routes beside those of the advertisements'),
  service('metallb.io/bgp-med', 'MULTI_EXIT_DISC of its routes'),
  service('metallb.io/bgp-as-path-prepend', 'how often more our AS number stands in its paths, 1 to 16'),
  {
    on: 'BGPAdvertisement',
    name: 'metallb.io/weight-by-endpoints',
    meaning: 'routes carry the link bandwidth',
  },
  { on: 'BGPPeer', name: 'metallb.io/ttl-security', meaning: 'hops to the peer (RFC 5082)' },
  { on: 'BGPPeer', name: 'metallb.io/passive', meaning: 'the peer dials' },
  service('projectcontour.io/upstream-protocol.tls', 'ports, by number or name, that speak TLS'),
  service('projectcontour.io/upstream-protocol.h2', 'ports that speak HTTP/2 over TLS'),
  service('projectcontour.io/upstream-protocol.h2c', 'ports that speak HTTP/2 without TLS'),
  ...[
    'max-connections',
    'max-pending-requests',
    'max-requests',
    'max-retries',
    'per-host-max-connections',
  ].map((name) => service(`projectcontour.io/${name}`, limits)),
  classed('kubernetes.io/ingress.class', 'the class; goes before `spec.ingressClassName`'),
  classed('projectcontour.io/ingress.class', 'the same, and goes before it'),
  ingress('ingress.kubernetes.io/force-ssl-redirect', '`true`: plain HTTP is redirected'),
  ingress('kubernetes.io/ingress.allow-http', '`false`: nothing over plain HTTP'),
  ingress('projectcontour.io/websocket-routes', 'paths that speak WebSocket, between commas'),
  ingress('projectcontour.io/tls-cert-namespace', 'namespace of the Secret, which must be delegated'),
  ingress('projectcontour.io/tls-minimum-protocol-version', '`1.2` or `1.3`'),
  ingress('projectcontour.io/tls-maximum-protocol-version', '`1.2` or `1.3`'),
  ingress('projectcontour.io/response-timeout', 'for the whole answer; `infinity` for none'),
  ingress('projectcontour.io/request-timeout', 'the same, by its older name'),
  ingress('projectcontour.io/per-try-timeout', 'for one try'),
  ingress('projectcontour.io/retry-on', 'when to try again, in the words of Envoy'),
  ingress('projectcontour.io/num-retries', 'how often'),
]
