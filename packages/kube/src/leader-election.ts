/**
 * One leader among the replicas, by a Lease: 15 s long, renewed within 10 s, tried every 2 s, released on a clean
 * stop. Who may not touch Leases (older manifests), or whose API server has none (Kubernetes before 1.14), runs as the
 * only one, and says so once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, type Gauge, type Logger, type Metrics } from '@landfall/telemetry'
import { ApiError, hasStatus } from './api-error.ts'
import { delayMs } from './backoff.ts'
import type { Cluster } from './cluster.ts'
import { claim, firstClaim, type LeaseSpec, leaseSpec, released, type Sighting, sight } from './lease.ts'
import { leadership } from './metrics.ts'
import type { Key, KubeObject } from './model/index.ts'
import { projectMeta, type RawObject, type ResourceType } from './resource.ts'

export interface LeaderElectionOptions {
  readonly cluster: Cluster
  readonly namespace: string
  readonly name: string
  /** Unique to this process: the pod's name. */
  readonly identity: string
  readonly logger: Logger
  /** Shows `leader_election_master_status`, when given. */
  readonly metrics?: Metrics
  /** Becoming leader; not called again before `onStopped`. */
  readonly onStarted: () => void | Promise<void>
  /** No leader any more; at the latest when the renew deadline passes. */
  readonly onStopped: () => void
  /** Default 15. */
  readonly leaseSeconds?: number
  /** Default 10. */
  readonly renewSeconds?: number
  /** Default 2. */
  readonly retrySeconds?: number
  /** For one answer of the API server; default 4. */
  readonly answerSeconds?: number
}

const leaseType: ResourceType = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  project: (raw): KubeObject => ({ meta: projectMeta(raw) }),
}

/** An API server that has just started may take a request and never answer it. */
const outageAnswerMs = 1_000
/** An API server that has just started may refuse everybody for a moment: so many refusals in a row are meant. */
const meantRefusals = 3
const aloneRetryMs = 30_000

export class LeaderElection {
  readonly #options: LeaderElectionOptions
  readonly #key: Key
  readonly #stop = new AbortController()
  readonly #leaseSeconds: number
  readonly #renewMs: number
  readonly #retryMs: number
  readonly #answerMs: number
  readonly #gauge: Gauge | undefined
  #running: Promise<void> = Promise.resolve()
  #leading = false
  #alone = false
  #refusals = 0
  #failures = 0
  #saidFailing = false
  /** When the last successful renewal was sent, by the monotonic clock. */
  #renewedAt = Number.NEGATIVE_INFINITY
  #deadline: NodeJS.Timeout | undefined
  #sighting: Sighting | undefined

  constructor(options: LeaderElectionOptions) {
    this.#options = options
    this.#key = `${options.namespace}/${options.name}`
    this.#leaseSeconds = options.leaseSeconds ?? 15
    this.#renewMs = (options.renewSeconds ?? 10) * 1000
    this.#retryMs = (options.retrySeconds ?? 2) * 1000
    this.#answerMs = (options.answerSeconds ?? 4) * 1000
    this.#gauge = options.metrics && leadership(options.metrics)
    this.#gauge?.set({ name: options.name }, 0)
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
    if (held) await this.#release().catch((error: unknown) => this.#say('leaseNotReleased', error))
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const asked = performance.now()
      const held = await this.#tryToHold().then(
        (ours) => this.#afterAnswer(ours, asked),
        (error: unknown) => this.#afterFailure(error),
      )
      if (signal.aborted) return
      this.#lead(held)
      await this.#pause()
    }
  }

  /** While the API server is away the gate decides, so that an outage costs the leader no more than it must. */
  async #pause(): Promise<void> {
    const { signal } = this.#stop
    const { gate } = this.#options.cluster
    if (gate.isOutage()) return gate.pass(signal)
    const usual = this.#alone ? aloneRetryMs : this.#retryMs * (0.9 + Math.random() / 5)
    // An API server that has just started refuses for a moment; who has seen no lease yet must be sure of that.
    const soon = this.#failures > 0 && !this.#mayBeAlone()
    const wait = soon ? delayMs({ firstMs: 250, ceilingMs: this.#retryMs }, this.#failures - 1) : usual
    await sleep(wait, undefined, { signal }).catch(() => {})
  }

  /** What is refused at first may just not be granted yet; for good it is said in other words. */
  #mayBeRefused(error: unknown): boolean {
    return isRefusal(error) && this.#mayBeAlone()
  }

  /** Nothing was ever read or written of the lease. */
  #mayBeAlone(): boolean {
    return this.#sighting === undefined && this.#renewedAt === Number.NEGATIVE_INFINITY
  }

  /** @returns whether the lease is ours now */
  async #tryToHold(): Promise<boolean> {
    const { cluster, identity } = this.#options
    const candidate = { identity, leaseSeconds: this.#leaseSeconds }
    const lease = await this.#read()
    if (lease === undefined) {
      const { namespace, name } = this.#options
      await cluster.create(leaseType, leaseObject({ namespace, name }, firstClaim(candidate, new Date())))
      return true
    }
    const now = performance.now()
    this.#sighting = sight(lease, this.#sighting, now)
    const spec = claim(leaseSpec(lease), candidate, this.#sighting, now, new Date())
    if (spec === undefined) return false
    await cluster.update(leaseType, { ...lease, spec })
    return true
  }

  async #read(signal: AbortSignal | undefined = this.#stop.signal): Promise<RawObject | undefined> {
    const { cluster } = this.#options
    try {
      return await cluster.get(leaseType, this.#key, {
        timeoutMs: cluster.gate.isOutage() ? outageAnswerMs : this.#answerMs,
        ...(signal && { signal }),
      })
    } catch (error) {
      if (hasStatus(error, 404)) return undefined
      throw error
    }
  }

  #afterAnswer(ours: boolean, asked: number): boolean {
    this.#alone = false
    this.#refusals = 0
    this.#failures = 0
    this.#saidFailing = false
    if (!ours) return false
    this.#renewedAt = asked
    clearTimeout(this.#deadline)
    const left = asked + this.#renewMs - performance.now()
    if (left > 0) this.#deadline = setTimeout(() => this.#lead(false), left)
    return left > 0
  }

  /** @returns whether this process leads all the same */
  #afterFailure(error: unknown): boolean {
    if (this.#stop.signal.aborted) return this.#leading
    this.#failures = this.#options.cluster.gate.isOutage() ? 0 : this.#failures + 1
    if (hasStatus(error, 409)) return this.isLeader()
    if (isRefusal(error)) this.#refusals++
    else this.#refusals = 0
    if (this.#refusals >= meantRefusals && this.#mayBeAlone()) {
      if (!this.#alone)
        this.#say('noRightToLeases', error, 'may not touch the lease: runs as the only replica')
      this.#alone = true
    } else if (!this.#saidFailing && !this.#alone && !this.#mayBeRefused(error)) {
      this.#say('leaseFailed', error, 'the lease cannot be read or written')
      this.#saidFailing = true
    }
    return this.#alone || this.isLeader()
  }

  #lead(leading: boolean): void {
    if (!leading) clearTimeout(this.#deadline)
    if (leading === this.#leading) return
    this.#leading = leading
    const { logger, name, identity, onStarted, onStopped } = this.#options
    this.#gauge?.set({ name }, leading ? 1 : 0)
    const fields = { lease: name, identity }
    if (leading) logger.info('becameLeader', fields, 'this replica leads now')
    else logger.info('lostLeadership', fields, 'this replica does not lead any more')
    void this.#call(leading ? onStarted : onStopped)
  }

  async #call(handler: () => void | Promise<void>): Promise<void> {
    try {
      await handler()
    } catch (error) {
      this.#options.logger.error('leaderHandlerFailed', {
        lease: this.#options.name,
        error: describeError(error),
      })
    }
  }

  async #release(): Promise<void> {
    const lease = await this.#read(AbortSignal.timeout(this.#answerMs))
    if (lease === undefined) return
    const spec = leaseSpec(lease)
    if (spec.holderIdentity !== this.#options.identity) return
    await this.#options.cluster.update(leaseType, { ...lease, spec: released(spec) })
  }

  #say(event: string, error: unknown, msg?: string): void {
    this.#options.logger.warn(event, { lease: this.#key, error: describeError(error) }, msg)
  }
}

/** What is not found by a path that nobody serves comes without a Status. */
function isRefusal(error: unknown): boolean {
  return hasStatus(error, 403) || (error instanceof ApiError && error.status === 404 && error.reason === '')
}

function leaseObject(metadata: RawObject['metadata'], spec: LeaseSpec): RawObject {
  return { apiVersion: leaseType.apiVersion, kind: leaseType.kind, metadata, spec }
}
