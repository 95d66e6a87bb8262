/** LoadBalancer Services on a site: many at once, and when each was seen with an address. */
import {
  type Cluster,
  projectMeta,
  type RawObject,
  Reflector,
  type ResourceType,
  serviceType,
} from '@landfall/kube'
import type { KubeObject } from '@landfall/kube/model'
import { silentLogger } from '@landfall/telemetry'

export const namespace = 'default'
const parallel = 16

interface Seen extends KubeObject {
  readonly isBalancer: boolean
  readonly ips: readonly string[]
  readonly reason: string
}

interface ServiceFields {
  readonly spec?: { readonly type?: string }
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] }
    readonly conditions?: readonly { readonly type: string; readonly reason: string }[]
  }
}

const seenType: ResourceType<Seen> = {
  ...serviceType,
  project: (raw: RawObject & ServiceFields) => ({
    meta: projectMeta(raw),
    isBalancer: raw.spec?.type === 'LoadBalancer',
    ips: (raw.status?.loadBalancer?.ingress ?? []).map(({ ip = '' }) => ip),
    reason: raw.status?.conditions?.find(({ type }) => type === 'metallb.io/AddressAllocated')?.reason ?? '',
  }),
}

/** A watch on all Services. */
export class ServiceWatch {
  readonly #reflector: Reflector<Seen>
  readonly #waiting = new Map<string, (at: number) => void>()
  readonly #holders = new Map<string, Set<string>>()
  readonly #shared = new Set<string>()
  #changed = 0

  constructor(cluster: Cluster) {
    this.#reflector = new Reflector({
      cluster,
      type: seenType,
      logger: silentLogger(),
      onChange: (changes) => {
        this.#changed = performance.now()
        for (const { before, after } of changes) {
          this.#note(before, after)
          if (after === undefined || after.ips.length === 0) continue
          this.#waiting.get(after.meta.name)?.(this.#changed)
          this.#waiting.delete(after.meta.name)
        }
      },
    })
  }

  async start(): Promise<void> {
    this.#reflector.start()
    await this.#reflector.synced
  }

  stop(): void {
    this.#reflector.stop()
  }

  balancers(): readonly Seen[] {
    return [...this.#reflector.items.values()].filter(({ isBalancer }) => isBalancer)
  }

  find(name: string): Seen | undefined {
    return this.#reflector.get(`${namespace}/${name}`)
  }

  withAddress(): readonly Seen[] {
    return this.balancers().filter(({ ips }) => ips.length > 0)
  }

  /** Services that had an address which another had too, be it for a moment. */
  shared(): readonly string[] {
    return [...this.#shared]
  }

  #note(before: Seen | undefined, after: Seen | undefined): void {
    for (const ip of before?.ips ?? []) this.#holders.get(ip)?.delete(before?.meta.name ?? '')
    for (const ip of after?.ips ?? []) {
      const names = (this.#holders.get(ip) ?? new Set()).add(after?.meta.name ?? '')
      this.#holders.set(ip, names)
      if (names.size > 1) this.#shared.add(`${[...names].join(' and ')} ${ip}`)
    }
  }

  /** When the Service is seen with an address, by performance.now(). */
  addressed(name: string, timeoutMs = 60_000): Promise<number> {
    const seen = this.find(name)
    if (seen !== undefined && seen.ips.length > 0) return Promise.resolve(performance.now())
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`${name} has no address after ${timeoutMs / 1000} s`))
      const timer = setTimeout(late, timeoutMs)
      this.#waiting.set(name, (at) => {
        clearTimeout(timer)
        resolve(at)
      })
    })
  }

  /** Resolves when as many Services as that have an address. */
  async count(wanted: number, timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs
    while (this.withAddress().length !== wanted) {
      if (performance.now() > end)
        throw new Error(`${this.withAddress().length} of ${wanted} Services have an address`)
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}

/** Without node ports, of which a cluster has no more than some thousands. */
export function balancer(name: string, more: object = {}): RawObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name, labels: { app: name } },
    spec: {
      type: 'LoadBalancer',
      allocateLoadBalancerNodePorts: false,
      selector: { app: name },
      ports: [{ port: 80, targetPort: 8080 }],
      ...more,
    },
  }
}

/** Some at a time, in order. */
export async function each<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values()
  const one = async () => {
    for (const item of left) await work(item)
  }
  await Promise.all(Array.from({ length: parallel }, one))
}

export async function createServices(cluster: Cluster, names: readonly string[]): Promise<void> {
  await each(names, (name) => cluster.create(serviceType, balancer(name)))
}

export async function deleteServices(cluster: Cluster, names: readonly string[]): Promise<void> {
  await each(names, (name) => cluster.delete(serviceType, `${namespace}/${name}`))
}

export function names(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(5, '0')}`)
}
