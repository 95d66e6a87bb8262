/** Parts of Contour's configuration that cannot be honoured yet: they are refused, each with the reason. */
export interface Refused {
  readonly file?: string
  readonly object?: string
  readonly why: string
}

const noService = 'services for all hosts are not configured yet; use those of each HTTPProxy'

export const refused: readonly Refused[] = [
  {
    file: 'enableExternalNameService',
    object: 'enableExternalNameService',
    why: 'Services of type ExternalName are not served yet',
  },
  {
    file: 'cluster.dns-lookup-family',
    object: 'envoy.cluster.dnsLookupFamily',
    why: 'no names outside of the cluster are looked up yet',
  },
  { file: 'gateway', object: 'gateway', why: 'Gateway API is not served yet' },
  {
    file: 'tls.fallback-certificate',
    object: 'httpproxy.fallbackCertificate',
    why: 'a certificate for clients without SNI is not served yet',
  },
  {
    file: 'tls.envoy-client-certificate',
    object: 'envoy.clientCertificate',
    why: 'Envoy does not show a certificate to backends yet',
  },
  { file: 'rateLimitService', object: 'rateLimitService', why: noService },
  { file: 'globalExtAuth', object: 'globalExtAuth', why: noService },
  { file: 'tracing', object: 'tracing', why: 'tracing is not served yet' },
  {
    file: 'metrics.envoy.server-certificate-path',
    object: 'envoy.metrics.tls',
    why: "Envoy's statistics are served without TLS only",
  },
  { file: 'metrics.envoy.server-key-path', why: "Envoy's statistics are served without TLS only" },
  { file: 'metrics.envoy.ca-certificate-path', why: "Envoy's statistics are served without TLS only" },
]
