// The process kubelet of one node: watches the pods bound to it and keeps a worker for each. In: the
// options. Out: pods that run, their status, the node's heartbeat, cluster DNS and logs, until `stop`.
//
// Not there, and no result may lean on it: images, memory limits (those of processor time by `cpuLimits`), pid namespaces,
// seccomp, AppArmor, users by name, ephemeral containers, activeDeadlineSeconds, volumes of drivers,
// `kubectl exec`, `attach` and `port-forward`. The read-only root, uids, groups, the exact capability
// set and no_new_privs are real.
import type { Server } from 'node:http'
import { imageMap } from '../images/image-map.ts'
import { ApiClient } from './api/api-client.ts'
import { EventRecorder } from './api/event-recorder.ts'
import { ObjectCache } from './api/object-cache.ts'
import type { Pod } from './api/pod.ts'
import { ResourceWatch } from './api/resource-watch.ts'
import { LogFiles } from './logs/log-files.ts'
import { startLogsServer } from './logs/logs-server.ts'
import { HostPorts } from './network/host-ports.ts'
import { PodNetwork } from './network/pod-network.ts'
import { ClusterDns } from './node/cluster-dns.ts'
import type { KubeletOptions, NodeContext } from './node/context.ts'
import { LOGS_PORT, NodeRegistration, nodeCapacity } from './node/registration.ts'
import { PodWorker } from './pod/pod-worker.ts'

const HEARTBEAT_SECONDS = 4
const END_GRACE_MS = 1000

export class Kubelet {
  readonly #options: KubeletOptions
  readonly #context: NodeContext
  readonly #workers = new Map<string, PodWorker>()
  readonly #log: (message: string) => void
  #registration: NodeRegistration | undefined
  #watch: ResourceWatch<Pod> | undefined
  #dns: ClusterDns | undefined
  #server: Server | undefined
  #stopping = false

  constructor(options: KubeletOptions, log: (message: string) => void) {
    const client = new ApiClient(options.kubeconfig)
    this.#options = options
    this.#log = log
    this.#context = {
      options,
      client,
      cache: new ObjectCache(client, this.#problem),
      events: new EventRecorder(client, options.nodeName),
      network: new PodNetwork({ ...options, namePrefix: podNamespacePrefix(options) }),
      hostPorts: new HostPorts(),
      images: imageMap(options, options.images),
      logs: new LogFiles(),
      capacity: nodeCapacity(),
    }
  }

  async start(): Promise<void> {
    const { client, cache, network, logs } = this.#context
    const { nodeName, nodeIPs, podCIDRs, stateDir, heartbeatSeconds } = this.#options
    await network.prepareNode()
    this.#dns = new ClusterDns(client, this.#options.clusterDNS, this.#problem)
    await this.#dns.listening()
    this.#server = await startLogsServer({
      directory: stateDir,
      port: LOGS_PORT,
      logs,
      logKey: (namespace, pod, container) => this.#logKey(namespace, pod, container),
      pods: () => ({
        kind: 'PodList',
        apiVersion: 'v1',
        items: [...this.#workers.values()].map((w) => w.pod),
      }),
    })
    this.#registration = new NodeRegistration({
      client,
      nodeName,
      nodeIPs,
      podCIDRs,
      heartbeatMs: (heartbeatSeconds ?? HEARTBEAT_SECONDS) * 1000,
      onRecovered: () => {
        this.#watch?.refresh()
        cache.refresh()
        this.#dns?.refresh()
      },
      onProblem: this.#problem,
    })
    this.#registration.start()
    this.#watch = new ResourceWatch<Pod>({
      client,
      path: '/api/v1/pods',
      fieldSelector: `spec.nodeName=${nodeName}`,
      onChange: (uid, pod) => this.#changed(uid, pod),
      onProblem: this.#problem,
    })
  }

  /** Ends every pod; resolves when none is left. The API server is not told. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#watch?.stop()
    this.#registration?.stop()
    const ended = [...this.#workers.values()].map((worker) => {
      worker.end(END_GRACE_MS)
      return worker.done
    })
    await Promise.allSettled(ended)
    this.#context.cache.stop()
    await this.#dns?.stop()
    this.#server?.close()
    this.#server?.closeAllConnections()
    await this.#context.client.close()
  }

  readonly #problem = (problem: unknown): void => {
    if (!this.#stopping) this.#log(problem instanceof Error ? problem.message : String(problem))
  }

  #changed(uid: string, pod: Pod | undefined): void {
    const worker = this.#workers.get(uid)
    if (pod === undefined) {
      worker?.end(END_GRACE_MS)
    } else if (worker !== undefined) {
      worker.update(pod)
    } else if (!this.#stopping && !isOver(pod)) {
      this.#add(uid, pod)
    }
  }

  #add(uid: string, pod: Pod): void {
    const { namespace, name } = pod.metadata
    const worker = new PodWorker(this.#context, pod)
    this.#workers.set(uid, worker)
    worker.done
      .catch((problem: unknown) => this.#log(`pod ${namespace}/${name}: ${String(problem)}`))
      .finally(() => this.#workers.delete(uid))
  }

  #logKey(namespace: string, pod: string, container: string): string | undefined {
    for (const [uid, worker] of this.#workers) {
      const { metadata } = worker.pod
      if (metadata.namespace === namespace && metadata.name === pod) return `${uid}/${container}`
    }
    return undefined
  }
}

/** A pod that ended before this kubelet began is not run again. */
function isOver(pod: Pod): boolean {
  const over = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
  return over && pod.metadata.deletionTimestamp === undefined
}

export function podNamespacePrefix(options: Pick<KubeletOptions, 'prefix' | 'nodeName'>): string {
  return `${options.prefix}${options.nodeName}-`
}
