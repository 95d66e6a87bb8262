// What all pods of one node share.
import type { ImageMap, ImageProgram } from '../../images/image-map.ts'
import type { KubeletConfig } from '../../kubelet-config.ts'
import type { ApiClient } from '../api/api-client.ts'
import type { EventRecorder } from '../api/event-recorder.ts'
import type { ObjectCache } from '../api/object-cache.ts'
import type { LogFiles } from '../logs/log-files.ts'
import type { HostPorts } from '../network/host-ports.ts'
import type { PodNetwork } from '../network/pod-network.ts'

/** The configuration, with what a test may add to it. */
export interface KubeletOptions extends KubeletConfig {
  /** Further images, or others for names that the lab knows. */
  readonly images?: Readonly<Record<string, ImageProgram>>
  /** Seconds between heartbeats of the node; 4 by default. */
  readonly heartbeatSeconds?: number
  /** Waits between restarts of a container, in milliseconds; the kubelet's 10 s to 300 s by default. */
  readonly backoff?: { readonly initialMs: number; readonly maxMs: number }
}

export interface NodeContext {
  readonly options: KubeletOptions
  readonly client: ApiClient
  readonly cache: ObjectCache
  readonly events: EventRecorder
  readonly network: PodNetwork
  readonly hostPorts: HostPorts
  readonly images: ImageMap
  readonly logs: LogFiles
  readonly capacity: { readonly cpu: number; readonly memory: number }
}
