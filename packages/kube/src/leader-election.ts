/**
 * One leader among the replicas, by a Lease (coordination.k8s.io/v1): 15 s long, renewed within 10 s, tried every
 * 2 s. Another's lease is judged by the local clock since its last change was seen, never by the times written in it.
 * Who may not touch Leases (older manifests) runs as the only one, and says so once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, type Logger } from '@landfall/telemetry'
import { hasStatus } from './api-error.ts'
import type { Cluster } from './cluster.ts'
import type { KubeObject } from './model/index.ts'
import { projectMeta, type RawObject, type ResourceType } from './resource.ts'

export interface LeaderElectionOptions {
  readonly cluster: Cluster
  readonly namespace: string
  readonly name: string
  /** Unique to this process: the pod's name. */
  readonly identity: string
  readonly logger: Logger
  /** Becoming leader; not called again before `onStopped`. */
  readonly onStarted: () => void | Promise<void>
  readonly onStopped: () => void
  readonly leaseSeconds?: number
  readonly renewSeconds?: number
  readonly retrySeconds?: number
}

const leaseType: ResourceType = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  project: (raw): KubeObject => ({ meta: projectMeta(raw) }),
}

interface LeaseSpec {
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  readonly acquireTime?: string
  readonly renewTime?: string
  readonly leaseTransitions?: number
}

export class LeaderElection {
  readonly #options: LeaderElectionOptions
  readonly #stop = new AbortController()
  readonly #leaseMs: number
  readonly #renewMs: number
  readonly #retryMs: number
  #running: Promise<void> = Promise.resolve()
  #leading = false
  #alone = false
  /** When the last successful renewal was sent, by the monotonic clock. */
  #renewedAt = Number.NEGATIVE_INFINITY
  #observed = { version: '', at: Number.NEGATIVE_INFINITY }

  constructor(options: LeaderElectionOptions) {
    this.#options = options
    this.#leaseMs = (options.leaseSeconds ?? 15) * 1000
    this.#renewMs = (options.renewSeconds ?? 10) * 1000
    this.#retryMs = (options.retrySeconds ?? 2) * 1000
  }

  /** False as soon as the renew deadline has passed, whatever else is going on: ask before each write. */
  isLeader(): boolean {
    return this.#leading && (this.#alone || performance.now() - this.#renewedAt < this.#renewMs)
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Gives the lease up, so that the next leader need not wait. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
    const held = this.#leading && !this.#alone
    this.#lead(false)
    if (held) await this.#release().catch(() => {})
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted && !this.#alone) {
      const started = performance.now()
      const held = await this.#tryToHold().catch((error: unknown) => this.#afterFailure(error))
      if (held) this.#renewedAt = started
      this.#lead(
        this.#alone || held || (this.#leading && performance.now() - this.#renewedAt < this.#renewMs),
      )
      await sleep(this.#retryMs * (0.9 + Math.random() / 5), undefined, { signal: this.#stop.signal }).catch(
        () => {},
      )
    }
  }

  /** @returns whether the lease is ours now */
  async #tryToHold(): Promise<boolean> {
    const { cluster, namespace, name, identity } = this.#options
    const now = new Date().toISOString().replace('Z', '000Z')
    const lease = await cluster.get(leaseType, `${namespace}/${name}`).catch((error: unknown) => {
      if (hasStatus(error, 404)) return undefined
      throw error
    })
    const fresh = { holderIdentity: identity, leaseDurationSeconds: this.#leaseMs / 1000, renewTime: now }
    if (lease === undefined) {
      const metadata = { namespace, name }
      await cluster.create(
        leaseType,
        leaseObject(metadata, { ...fresh, acquireTime: now, leaseTransitions: 0 }),
      )
      return true
    }
    const spec = leaseSpec(lease)
    const ours = spec.holderIdentity === identity
    if (!ours && this.#heldByAnother(lease, spec)) return false
    const transitions = (spec.leaseTransitions ?? 0) + (ours ? 0 : 1)
    const acquireTime = ours ? (spec.acquireTime ?? now) : now
    const next = { ...spec, ...fresh, acquireTime, leaseTransitions: transitions }
    await cluster.update(leaseType, { ...lease, spec: next })
    return true
  }

  #heldByAnother(lease: RawObject, spec: LeaseSpec): boolean {
    if (!spec.holderIdentity) return false
    const version = lease.metadata.resourceVersion ?? ''
    if (version !== this.#observed.version) this.#observed = { version, at: performance.now() }
    const life = (spec.leaseDurationSeconds ?? this.#leaseMs / 1000) * 1000
    return performance.now() - this.#observed.at < life
  }

  #afterFailure(error: unknown): boolean {
    const { logger, name } = this.#options
    if (hasStatus(error, 409)) return false
    if (hasStatus(error, 403)) {
      this.#alone = true
      logger.warn(
        'noRightToLeases',
        { lease: name, error: describeError(error) },
        'running as the only replica',
      )
      return true
    }
    logger.warn('leaseFailed', { lease: name, error: describeError(error) })
    return false
  }

  #lead(leading: boolean): void {
    if (leading === this.#leading) return
    this.#leading = leading
    const { logger, name, identity, onStarted, onStopped } = this.#options
    logger.info(leading ? 'becameLeader' : 'lostLeadership', { lease: name, identity })
    if (!leading) return onStopped()
    void Promise.resolve(onStarted()).catch((error: unknown) => logger.error('leaderStartFailed', { error }))
  }

  async #release(): Promise<void> {
    const { cluster, namespace, name, identity } = this.#options
    const lease = await cluster.get(leaseType, `${namespace}/${name}`)
    const spec = leaseSpec(lease)
    if (spec.holderIdentity !== identity) return
    await cluster.update(leaseType, {
      ...lease,
      spec: { ...spec, holderIdentity: '', leaseDurationSeconds: 1 },
    })
  }
}

function leaseObject(metadata: RawObject['metadata'], spec: LeaseSpec): RawObject {
  return { apiVersion: leaseType.apiVersion, kind: leaseType.kind, metadata, spec }
}

function leaseSpec(lease: RawObject): LeaseSpec {
  const { spec } = lease
  return typeof spec === 'object' && spec !== null ? spec : {}
}
