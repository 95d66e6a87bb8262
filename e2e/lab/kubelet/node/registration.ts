// The node's own object: created or corrected once, then a heartbeat: the lease at each beat, the
// status with it now and then. Merge patches throughout: a strategic merge on `addresses` is refused
// the second time.
import { availableParallelism, totalmem } from 'node:os'
import { type ApiClient, ApiFailure } from '../api/api-client.ts'

export interface RegistrationOptions {
  readonly client: ApiClient
  readonly nodeName: string
  readonly nodeIPs: readonly string[]
  readonly podCIDRs: readonly string[]
  readonly heartbeatMs: number
  /** The API server answers again after at least one heartbeat that failed. */
  readonly onRecovered: () => void
  readonly onProblem: (problem: unknown) => void
}

export const LOGS_PORT = 10250
const MAX_PODS = 250
const VERSION = 'v1.36.3'
const STATUS_EVERY_MS = 60_000

export function nodeCapacity(): { readonly cpu: number; readonly memory: number } {
  return { cpu: availableParallelism(), memory: totalmem() }
}

export class NodeRegistration {
  readonly #options: RegistrationOptions
  readonly #startedAt = new Date().toISOString()
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #registered = false
  #failing = false
  #statusAt = 0

  constructor(options: RegistrationOptions) {
    this.#options = options
  }

  start(): void {
    void this.#beat()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  async #beat(): Promise<void> {
    try {
      if (!this.#registered) await this.#register()
      this.#registered = true
      if (Date.now() - this.#statusAt >= STATUS_EVERY_MS) await this.#writeStatus()
      await this.#renewLease()
      if (this.#failing) this.#options.onRecovered()
      this.#failing = false
    } catch (problem) {
      if (!this.#failing) this.#options.onProblem(problem)
      this.#failing = true
      // A node that someone deleted comes back, as with the kubelet's restart.
      if (problem instanceof ApiFailure && problem.status === 404) this.#registered = false
    }
    const pause = this.#failing ? Math.min(1000, this.#options.heartbeatMs) : this.#options.heartbeatMs
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#beat(), pause)
  }

  async #register(): Promise<void> {
    const { client, nodeName, podCIDRs } = this.#options
    const labels = {
      'kubernetes.io/hostname': nodeName,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': architecture(),
      'beta.kubernetes.io/os': 'linux',
      'beta.kubernetes.io/arch': architecture(),
    }
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: nodeName, labels },
      spec: { podCIDR: podCIDRs[0], podCIDRs },
    }
    await ignoringConflict(client.request({ method: 'POST', path: '/api/v1/nodes', body: node }))
    await client.request({
      method: 'PATCH',
      path: `/api/v1/nodes/${nodeName}`,
      body: { metadata: { labels } },
    })
    await this.#writeStatus()
  }

  async #writeStatus(): Promise<void> {
    const { client, nodeName } = this.#options
    await client.request({
      method: 'PATCH',
      path: `/api/v1/nodes/${nodeName}/status`,
      body: { status: this.#status() },
    })
    this.#statusAt = Date.now()
  }

  #status(): Record<string, unknown> {
    const now = new Date().toISOString()
    const { nodeName, nodeIPs } = this.#options
    const { cpu, memory } = nodeCapacity()
    // Requests are not accounted against the machine: a lab node has room for whatever a manifest asks.
    const room = {
      cpu: String(Math.max(cpu, 16)),
      memory: `${Math.max(Math.floor(memory / 1024), 64 * 2 ** 20)}Ki`,
      pods: String(MAX_PODS),
      'ephemeral-storage': '100Gi',
    }
    const condition = (type: string, status: string, reason: string, message: string) => ({
      type,
      status,
      reason,
      message,
      lastHeartbeatTime: now,
      lastTransitionTime: this.#startedAt,
    })
    return {
      capacity: room,
      allocatable: room,
      addresses: [
        ...nodeIPs.map((address) => ({ type: 'InternalIP', address })),
        { type: 'Hostname', address: nodeName },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: LOGS_PORT } },
      conditions: [
        condition(
          'MemoryPressure',
          'False',
          'KubeletHasSufficientMemory',
          'kubelet has sufficient memory available',
        ),
        condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
        condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
        condition('Ready', 'True', 'KubeletReady', 'the process kubelet is posting ready status'),
      ],
      nodeInfo: {
        architecture: architecture(),
        bootID: '',
        containerRuntimeVersion: 'lab://1',
        kernelVersion: '',
        kubeProxyVersion: VERSION,
        kubeletVersion: VERSION,
        machineID: nodeName,
        operatingSystem: 'linux',
        osImage: 'Landfall lab',
        systemUUID: nodeName,
      },
    }
  }

  async #renewLease(): Promise<void> {
    const { client, nodeName } = this.#options
    const base = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'
    const spec = {
      holderIdentity: nodeName,
      leaseDurationSeconds: 40,
      renewTime: new Date().toISOString().replace('Z', '000Z'),
    }
    try {
      await client.request({ method: 'PATCH', path: `${base}/${nodeName}`, body: { spec } })
    } catch (problem) {
      if (!(problem instanceof ApiFailure && problem.status === 404)) throw problem
      await client.request({ method: 'POST', path: base, body: { metadata: { name: nodeName }, spec } })
    }
  }
}

async function ignoringConflict(request: Promise<unknown>): Promise<void> {
  try {
    await request
  } catch (problem) {
    if (!(problem instanceof ApiFailure && problem.status === 409)) throw problem
  }
}

function architecture(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch
}
