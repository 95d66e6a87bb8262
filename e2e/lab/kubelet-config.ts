// What the lab tells a node's process kubelet, and where the two meet on disk.
// The lab starts `kubelet/main.ts` inside the node's network namespace with the path of this
// configuration (JSON) as its only argument and sends it SIGTERM to end it. Network namespaces of
// its pods are named `<prefix><nodeName>-…`, so that the lab can freeze and remove them.
import { join } from 'node:path'
import type { ImageParts } from './images/image-map.ts'

export interface KubeletConfig {
  readonly labId: string
  /** Begins the name of every namespace of this lab, e.g. `lf-lab-`. */
  readonly prefix: string
  /** The kubelet's own directory, already made; everything it writes lies below. */
  readonly stateDir: string
  readonly nodeName: string
  /** The node's LAN addresses: IPv4, IPv6. */
  readonly nodeIPs: readonly [string, string]
  /** Path of a kubeconfig with a node identity that may do anything. */
  readonly kubeconfig: string
  /** This node's own part of the pod network: IPv4 (/24), IPv6 (/64). */
  readonly podCIDRs: readonly [string, string]
  readonly serviceCIDRs: readonly [string, string]
  /** Addresses for the pods' resolv.conf; the kubelet puts them on the node's `lo` and answers DNS there. */
  readonly clusterDNS: readonly string[]
  readonly repoRoot: string
  readonly parts: ImageParts
  /** Directory with controller.mjs, speaker.mjs and contour.mjs. */
  readonly bundles: string
  readonly maxLifeSeconds: number
  /** Containers are held to their limits of processor time. */
  readonly cpuLimits: boolean
}

/** What the kubelet writes (write and rename) for each running container at `containerStatePath`. */
export interface ContainerState {
  readonly pid: number
  /** Field 22 of /proc/<pid>/stat, in clock ticks since boot: tells the process from a later one. */
  readonly startTime: string
}

export function containerStatePath(
  stateDir: string,
  namespace: string,
  pod: string,
  container: string,
): string {
  return join(stateDir, 'pods', namespace, pod, `${container}.json`)
}

/** The container's stdout and stderr, plain lines as written. */
export function containerLogPath(
  stateDir: string,
  namespace: string,
  pod: string,
  container: string,
): string {
  return join(stateDir, 'pods', namespace, pod, `${container}.log`)
}
