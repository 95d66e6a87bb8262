/** The settings that the encoding of listeners reads. */
export interface BindAddress {
  /** `::` takes IPv4 too. */
  readonly address: string
  readonly port: number
}

export interface ListenerOptions {
  readonly http: BindAddress
  readonly https: BindAddress
  /** `/ready`, `/stats` and `/stats/prometheus` of Envoy. */
  readonly stats: BindAddress
  /** Read-only part of Envoy's administration, on the loopback; 0: none. */
  readonly adminPort: number
  /** Paths of the access logs; '' for none. */
  readonly httpAccessLog: string
  readonly httpsAccessLog: string
  /** Clients come through a proxy that speaks the PROXY protocol. */
  readonly useProxyProtocol: boolean
  /** How many proxies in front of Envoy are believed what they write into X-Forwarded-For. */
  readonly trustedHops: number
}

export const defaultListenerOptions: ListenerOptions = {
  http: { address: '::', port: 8080 },
  https: { address: '::', port: 8443 },
  stats: { address: '::', port: 8002 },
  adminPort: 9001,
  httpAccessLog: '/dev/stdout',
  httpsAccessLog: '/dev/stdout',
  useProxyProtocol: false,
  trustedHops: 0,
}
