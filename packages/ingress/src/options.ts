/** What `landfall serve` is started with, and the options that follow from its settings. */
import type { Logger } from '@landfall/telemetry'
import type { SettingName, Settings } from './configuration/settings.ts'
import type { EngineOptions } from './engine/engine-options.ts'
import type { BindAddress } from './envoy/options.ts'
import type { TlsFiles } from './xds/certificates.ts'

/** Where settings come from, besides flags. */
export type ConfigurationSource =
  | { readonly kind: 'flags' }
  /** `contour.yaml`; a flag that was given goes before. */
  | { readonly kind: 'file'; readonly path: string }
  /** A ContourConfiguration, which goes before the flags. */
  | { readonly kind: 'object'; readonly namespace: string; readonly name: string }

export interface ServeStart {
  readonly logger: (debug: boolean) => Logger
  readonly version: string
  /** Aborted: the program stops cleanly. */
  readonly signal: AbortSignal
  readonly configuration: ConfigurationSource
  /** Flags that were given. */
  readonly flags: Settings
  /** The program's own. */
  readonly namespace: string
  /** undefined: this is the only replica, and it writes status. */
  readonly leaderElection: LeaderElectionSettings | undefined
  /** Kinds that are not looked at. */
  readonly disabledFeatures: readonly string[]
}

export interface LeaderElectionSettings {
  /** Name of the Lease; `leader-elect`. */
  readonly name: string
  /** Its namespace; the program's own. */
  readonly namespace: string
  /** Unique to this process; the pod's name. */
  readonly identity: string
  /** Seconds; 15, 10 and 2 unless given. */
  readonly leaseSeconds?: number
  readonly renewSeconds?: number
  readonly retrySeconds?: number
}

/** Files of a server's certificate and, where clients need one, of their authority. */
export interface HttpTls {
  readonly certificate: string
  readonly key: string
  readonly ca: string | undefined
}

export interface ServeOptions {
  readonly logger: Logger
  readonly version: string
  /** The program's own. */
  readonly namespace: string
  readonly signal: AbortSignal
  /** `/metrics`; `::` port 8000. */
  readonly http: BindAddress
  /** Of `/metrics`; undefined: plain HTTP. */
  readonly httpTls: HttpTls | undefined
  /** `/healthz`, `/readyz` and `/health`; the same as `http`. */
  readonly health: BindAddress
  /** `/debug/dag`; 127.0.0.1 port 6060. */
  readonly debug: BindAddress
  /** Where Envoys connect; 127.0.0.1 port 8001. */
  readonly xds: BindAddress
  /** Certificate, key and CA of the xDS server; undefined serves without TLS, which has to be asked for by name. */
  readonly xdsTls: TlsFiles | undefined
  /** DNS names of which a client's certificate must show one; none: any that the CA signed; `envoy`, `contour`. */
  readonly xdsClientNames: readonly string[]
  /** Classes that are ours; none: objects without a class and those of class `contour`. */
  readonly ingressClasses: readonly string[]
  /** Namespaces that are looked at; none: all. The namespace of the Service in front of Envoy is always seen. */
  readonly watchNamespaces: readonly string[]
  /** The Service in front of Envoy; `envoy`. */
  readonly envoyServiceName: string
  /** Its namespace; the program's own. */
  readonly envoyServiceNamespace: string
  /** undefined: this is the only replica, and it writes status. */
  readonly leaderElection: LeaderElectionSettings | undefined
  readonly disabledFeatures: readonly string[]
  readonly live: LiveOptions
}

/** What may change while the program runs. */
export interface LiveOptions {
  readonly engine: EngineOptions
  /** Addresses written to status, comma-separated; '' takes those of the Service in front of Envoy; ''. */
  readonly ingressStatusAddress: string
}

/** What became of a configuration that was read anew. */
export interface Taken {
  /** Settings that differ from those that the program runs with, until it is started again. */
  readonly needRestart: readonly SettingName[]
}
