/** Options of `landfall speaker`. */
import { defaultTls, type Logger, type MetricsListener } from '@landfall/telemetry'
import type { Timing } from './layer2/codec/message.ts'
import type { PartitionPolicy } from './layer2/core/fence.ts'

export type { Timing } from './layer2/codec/message.ts'

export interface SpeakerOptions {
  readonly logger: Logger
  readonly version: string
  /** Aborted: addresses are given up, sessions closed, and the program stops. */
  readonly signal: AbortSignal
  /** Else KUBECONFIG, else the pod's own credentials. */
  readonly kubeconfig?: string
  /** Name of the Node object that this speaker speaks for. Required. */
  readonly node: string
  /** The own pod, whose DaemonSet owns what the speaker writes; '': the objects have no owner. Default ''. */
  readonly podName: string
  /** Where the metallb.io objects are; '' means the namespace of the credentials. Default ''. */
  readonly namespace: string
  /** The ConfigMap that rules where there is no IPAddressPool. Default `config`. */
  readonly configMap: string
  /** Only Services of this loadBalancerClass; '' means only those without one. Default ''. */
  readonly loadBalancerClass: string
  /** The label `node.kubernetes.io/exclude-from-external-load-balancers` counts for nothing. Default false. */
  readonly ignoreExcludeLabel: boolean
  /** A cordoned node announces only what no other node can. Default false. */
  readonly drainOnCordon: boolean
  readonly heartbeat: HeartbeatOptions
  readonly layer2: Layer2Options
  readonly bgp: BgpOptions
  /** File with `announcedInterfacesToExclude`; the usual ones when it is missing. Default `/etc/metallb/excludel2.yaml`. */
  readonly excludeFile: string
  /** Seconds between unasked announcements of an owned address, 0 for none. Default 60. */
  readonly refreshSeconds: number
  /** Default: `::` port 9120, HTTPS. */
  readonly metrics: MetricsListener
  /** `/healthz` and `/readyz`; `127.0.0.1` port 17472. */
  readonly health: ListenAddress
}

export interface HeartbeatOptions {
  /** The node address to hear the other speakers on; '' means all. Default ''. */
  readonly bindAddress: string
  /** UDP. Default 7946. */
  readonly port: number
  /** Label selector of the speaker pods. Default `app=metallb,component=speaker`. */
  readonly labels: string
  /** Folder with the file `secretkey`; '' or no such file: heartbeats are not authenticated. Default ''. */
  readonly secretPath: string
  /** The key itself, where there is no such file: then it is that of the start for good. Default ''. */
  readonly secretKey: string
  /** undefined: 100 ms × 6; with a CPU quota below one core 200 ms × 5. */
  readonly timing: Timing | undefined
}

export interface BgpOptions {
  /** How long peers are told that routes are about to go before a stop withdraws them; 0: not at all. Default 1000. */
  readonly drainMs: number
  /** The port to take the connections of peers on; undefined: peers do not dial. */
  readonly listenPort: number | undefined
}

export interface Layer2Options {
  /** What the smaller side of a partition does: serve on, or fall silent. Default serve. */
  readonly partition: PartitionPolicy
  /** Milliseconds until a node that an L2Advertisement prefers, and that joins, takes over; undefined: it does not. */
  readonly preferAfterMs: number | undefined
  /** Milliseconds between looks whether addresses are spread evenly; 0: never. */
  readonly rebalanceMs: number
}

export interface ListenAddress {
  /** '' and '::' listen on IPv6 and IPv4. */
  readonly address: string
  readonly port: number
}

/** The options that have a default. */
export const defaultSpeakerOptions: Omit<
  SpeakerOptions,
  'logger' | 'version' | 'signal' | 'kubeconfig' | 'node'
> = {
  podName: '',
  namespace: '',
  configMap: 'config',
  loadBalancerClass: '',
  ignoreExcludeLabel: false,
  drainOnCordon: false,
  heartbeat: {
    bindAddress: '',
    port: 7946,
    labels: 'app=metallb,component=speaker',
    secretPath: '',
    secretKey: '',
    timing: undefined,
  },
  layer2: { partition: 'serve', preferAfterMs: undefined, rebalanceMs: 0 },
  bgp: { drainMs: 1000, listenPort: undefined },
  excludeFile: '/etc/metallb/excludel2.yaml',
  refreshSeconds: 60,
  metrics: { address: '::', port: 9120, secure: { tls: defaultTls, certificateFolder: undefined } },
  health: { address: '127.0.0.1', port: 17472 },
}
