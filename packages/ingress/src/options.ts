/** Options of `landfall serve`. */
import type { Logger } from '@landfall/telemetry'
import type { BindAddress } from './envoy/options.ts'
import type { TlsFiles } from './xds/certificates.ts'
import { defaultClientNames } from './xds/client-names.ts'

export interface LeaderElectionSettings {
  /** Name of the Lease; `leader-elect`. */
  readonly name: string
  /** Its namespace; the program's own. */
  readonly namespace: string
  /** Unique to this process; the pod's name. */
  readonly identity: string
}

export interface ServeOptions {
  readonly logger: Logger
  readonly version: string
  /** Aborted: the program stops cleanly. */
  readonly signal: AbortSignal
  /** Else KUBECONFIG, else the pod's own credentials. */
  readonly kubeconfig?: string
  /** `/metrics`; `::` port 8000. */
  readonly http: BindAddress
  /** `/healthz`, `/readyz` and `/health`; the same as `http`. */
  readonly health: BindAddress
  /** Where Envoys connect; 127.0.0.1 port 8001. */
  readonly xds: BindAddress
  /** Certificate, key and CA of the xDS server; undefined serves without TLS, which has to be asked for by name. */
  readonly xdsTls: TlsFiles | undefined
  /** DNS names of which a client's certificate must show one; none: any that the CA signed; `envoy`, `contour`. */
  readonly xdsClientNames: readonly string[]
  /** What Envoy listens on for plain HTTP; `::` port 8080. */
  readonly envoyHttp: BindAddress
  /** What Envoy listens on for HTTPS; `::` port 8443. */
  readonly envoyHttps: BindAddress
  /** What Envoy listens on for health and statistics; `::` port 8002. */
  readonly envoyStats: BindAddress
  /** Loopback port of the read-only part of Envoy's administration, 0 for none; 9001. */
  readonly envoyAdminPort: number
  /** False where the kernel has no IPv6: Envoy then listens on `0.0.0.0` wherever `::` is said; true. */
  readonly ipv6: boolean
  /** File of the access log, '' for none; `/dev/stdout`. */
  readonly httpAccessLog: string
  /** File of the access log, '' for none; `/dev/stdout`. */
  readonly httpsAccessLog: string
  /** Clients come through a proxy that speaks the PROXY protocol; false. */
  readonly useProxyProtocol: boolean
  /** Classes that are ours; none: objects without a class and those of class `contour`. */
  readonly ingressClasses: readonly string[]
  /** Namespaces that may hold root HTTPProxies; none: all. */
  readonly rootNamespaces: readonly string[]
  /** Namespaces that are looked at; none: all. The namespace of the Service in front of Envoy is always seen. */
  readonly watchNamespaces: readonly string[]
  /** `permitInsecure` of HTTPProxies counts for nothing; false. */
  readonly disablePermitInsecure: boolean
  /** Addresses written to status, comma-separated; '' takes those of the Service in front of Envoy; ''. */
  readonly ingressStatusAddress: string
  /** The Service in front of Envoy; `envoy`. */
  readonly envoyServiceName: string
  /** Its namespace; the program's own. */
  readonly envoyServiceNamespace: string
  /** undefined: this is the only replica, and it writes status. */
  readonly leaderElection: LeaderElectionSettings | undefined
}

/** The options that have a default, with `namespace` for the program's own. */
export function defaultServeOptions(
  namespace: string,
  identity: string,
): Omit<ServeOptions, 'logger' | 'version' | 'signal' | 'kubeconfig' | 'xdsTls'> {
  return {
    http: { address: '::', port: 8000 },
    health: { address: '::', port: 8000 },
    xds: { address: '127.0.0.1', port: 8001 },
    xdsClientNames: defaultClientNames,
    envoyHttp: { address: '::', port: 8080 },
    envoyHttps: { address: '::', port: 8443 },
    envoyStats: { address: '::', port: 8002 },
    envoyAdminPort: 9001,
    ipv6: true,
    httpAccessLog: '/dev/stdout',
    httpsAccessLog: '/dev/stdout',
    useProxyProtocol: false,
    ingressClasses: [],
    rootNamespaces: [],
    watchNamespaces: [],
    disablePermitInsecure: false,
    ingressStatusAddress: '',
    envoyServiceName: 'envoy',
    envoyServiceNamespace: namespace,
    leaderElection: { name: 'leader-elect', namespace, identity },
  }
}
