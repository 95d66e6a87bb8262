/** Options of `landfall controller`. */
import type { Cluster } from '@landfall/kube'
import type { Logger, MetricsListener, TlsSettings } from '@landfall/telemetry'
import type { ControllerMetrics } from './controller-metrics.ts'

export interface ControllerOptions {
  readonly logger: Logger
  readonly version: string
  /** Aborted: the program stops cleanly, giving the lease up. */
  readonly signal: AbortSignal
  /** Else KUBECONFIG, else the pod's own credentials. */
  readonly kubeconfig?: string
  /** Where the metallb.io objects and the lease are; '' means the namespace of the credentials. */
  readonly namespace: string
  /** The ConfigMap that rules where there is no IPAddressPool. Default `config`. */
  readonly configMap: string
  /** Only Services of this loadBalancerClass; '' means only those without one. Default ''. */
  readonly loadBalancerClass: string
  /**
   * How long Services keep addresses whose pool was removed or shrunk, in milliseconds; 0: not at all. Default 30 s.
   */
  readonly poolRemovalGraceMs: number
  /** The Secret that authenticates the speakers' heartbeats, made when it is missing; '' for none. */
  readonly memberlistSecret: string
  /** The own Deployment, with which that Secret is deleted; '': it stays. */
  readonly deployment: string
  /** Unique to this process: the pod's name. */
  readonly identity: string
  /** Default: `::` port 9120, HTTPS. */
  readonly metrics: MetricsListener
  /** `/healthz` and `/readyz`; `::` port 17472. */
  readonly health: ListenAddress
  /** undefined: no webhook is answered, even if an older manifest has one registered. */
  readonly webhooks: WebhookOptions | undefined
  /** False: webhooks alone, no address is assigned. */
  readonly allocates: boolean
}

export interface WebhookOptions extends ListenAddress {
  /** The Service by which the API server calls them. Default `metallb-webhook-service`. */
  readonly serviceName: string
  /** Where the leader keeps their certificate. Default `metallb-webhook-cert`. */
  readonly secretName: string
  /** A folder with `tls.crt` and `tls.key` that somebody else keeps, in place of the Secret. */
  readonly certificateFolder: string | undefined
  readonly tls: TlsSettings
}

export interface ListenAddress {
  /** '' and '::' listen on IPv6 and IPv4. */
  readonly address: string
  readonly port: number
}

export const defaultHealthPort = 17472
export const defaultPoolRemovalGraceMs = 30_000

/** Of one term as leader. */
export interface SessionOptions {
  readonly cluster: Cluster
  readonly namespace: string
  readonly loadBalancerClass: string
  readonly poolRemovalGraceMs: number
  readonly configMap: string
  readonly logger: Logger
  readonly metrics: ControllerMetrics
  readonly mayWrite: () => boolean
  /** Asked before each Event: those of a term that ended well are written after it, too. Always unless given. */
  readonly leads?: () => boolean
}
