/**
 * One speaker at work: each change of the world becomes a plan, which the BGP sessions and the layer 2 worker are
 * brought to; what the worker observes becomes log lines, Events, metrics and statuses.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, EventRecorder } from '@landfall/kube'
import type { Key } from '@landfall/kube/model'
import type { Refusal } from '@landfall/metallb'
import { type InterfaceWatch, watchInterfaces } from '@landfall/net'
import { formatIP } from '@landfall/netip'
import type { Health, Logger, Metrics } from '@landfall/telemetry'
import { announcementsOf } from './announcements.ts'
import type { ToBfd } from './bfd/index.ts'
import { BgpSpeaker } from './bgp/index.ts'
import { L2Statuses, type OwnerReference } from './l2-status.ts'
import { type Layer2State, noLayer2, type Observation, type WorkerOptions } from './layer2/messages.ts'
import { Layer2Worker } from './layer2/worker-handle.ts'
import { watchMemberSecret } from './layer2-settings.ts'
import type { SpeakerOptions } from './options.ts'
import { type Plan, Planner } from './plan/planner.ts'
import { Reporter } from './reporter.ts'
import type { SpeakerMetrics } from './speaker-metrics.ts'
import { Observer } from './world/observer.ts'

const tellMs = 5000

export interface SpeakerParts {
  readonly options: SpeakerOptions
  readonly namespace: string
  readonly cluster: Cluster
  readonly metrics: Metrics
  readonly speakerMetrics: SpeakerMetrics
  readonly health: Health
  readonly worker: WorkerOptions
  /** The DaemonSet. */
  readonly owner: () => Promise<OwnerReference | undefined>
  /** The process has to end. `hung`: the worker cannot be ended in the usual way. */
  readonly onFailure: (error: Error, hung: boolean) => void
}

export class Speaker {
  readonly #parts: SpeakerParts
  readonly #logger: Logger
  readonly #planner = new Planner()
  readonly #observer: Observer
  readonly #worker: Layer2Worker
  readonly #bgp: BgpSpeaker
  readonly #interfaces: InterfaceWatch
  readonly #endSecretWatch: () => void
  readonly #events: EventRecorder
  readonly #statuses: L2Statuses
  readonly #reporter: Reporter
  #plan: Plan | undefined
  #layer2: Layer2State = noLayer2
  #refusals = new Set<string>()

  constructor(parts: SpeakerParts) {
    const { options, cluster, namespace, metrics, speakerMetrics } = parts
    const { logger, node } = options
    this.#parts = parts
    this.#logger = logger
    this.#interfaces = watchInterfaces(() => this.#bgp.interfacesChanged())
    this.#worker = new Layer2Worker(parts.worker, {
      onMessage: (message) => this.#observed(message),
      onFailure: parts.onFailure,
    })
    const interfaces = () => this.#interfaces.current
    const bfd = (message: ToBfd): void => this.#worker.sendBfd(message)
    this.#bgp = new BgpSpeaker({ logger, metrics, nodeName: node, interfaces, bfd })
    this.#endSecretWatch = this.#watchSecret()
    this.#events = new EventRecorder({ cluster, component: 'metallb-speaker', host: node, logger })
    const onError = () => speakerMetrics.failedWrite()
    this.#statuses = new L2Statuses({ cluster, logger, namespace, node, owner: parts.owner, onError })
    this.#reporter = new Reporter({
      node,
      logger,
      events: this.#events,
      announced: speakerMetrics.announced,
      wasReported: ({ protocol, key }) => protocol === 'layer2' && this.#statuses.isReported(key),
    })
    this.#observer = new Observer({
      cluster,
      logger,
      node,
      namespace,
      loadBalancerClass: options.loadBalancerClass,
      ignoreExcludeLabel: options.ignoreExcludeLabel,
      speakerLabels: options.heartbeat.labels,
      onChange: () => this.#replan(),
      onUpdates: (count) => speakerMetrics.sawUpdates(count),
      onRefusals: (refusals) => this.#refused(refusals),
    })
  }

  /** Resolves after the first plan was made possible: everything is synced. */
  async start(): Promise<void> {
    await Promise.all([this.#statuses.start(), this.#observer.start()])
    this.#parts.health.setReady('sync', true)
  }

  /**
   * Gives up the addresses, tells the other speakers and the BGP peers, and closes everything. What the API server
   * has not been told within the limit is left untold.
   */
  async stop(): Promise<void> {
    this.#observer.stop()
    this.#endSecretWatch()
    // First: what is given up now stays reported until the next owner reports itself.
    const statuses = this.#statuses.stop()
    await Promise.all([this.#worker.stop(), this.#bgp.stop()])
    this.#interfaces.close()
    const told = Promise.all([statuses, this.#events.flush()])
    await Promise.race([told, sleep(tellMs, undefined, { ref: false })])
  }

  #watchSecret(): () => void {
    const { options, worker } = this.#parts
    if (worker.secret === undefined) return () => {}
    return watchMemberSecret(options.heartbeat.secretPath, worker.secret, (secret) => {
      this.#logger.info('heartbeatSecretChanged', {}, 'the memberlist secret was replaced')
      this.#worker.setSecret(secret)
    })
  }

  #replan(): void {
    const plan = this.#planner.plan(this.#observer.world())
    this.#plan = plan
    this.#bgp.apply(plan.bgp)
    this.#worker.setDesired({
      addresses: plan.layer2.map((address) => ({ ...address, ip: formatIP(address.ip) })),
      peers: this.#observer.speakers(),
    })
    this.#report()
  }

  #observed(message: Observation): void {
    const { speakerMetrics, health } = this.#parts
    switch (message.kind) {
      case 'state':
        this.#layer2 = message.state
        speakerMetrics.setMembers(message.state.members)
        health.setReady('layer2', message.state.serving, 'the other speakers are being heard')
        return this.#report()
      case 'counts':
        return speakerMetrics.count(message.counts)
      case 'refusedHeartbeats':
        return speakerMetrics.refused(message.reason, message.count)
      case 'bfd':
        return this.#bgp.observedBfd(message.message)
      case 'log':
        return this.#logger[message.level](message.event, message.fields)
      default:
    }
  }

  #report(): void {
    if (this.#plan === undefined) return
    const announcements = announcementsOf(this.#plan, this.#layer2)
    this.#reporter.report(announcements)
    if (!this.#layer2.serving) return
    const owned = new Map<Key, readonly string[]>()
    for (const { key, protocol, outcome } of announcements)
      if (protocol === 'layer2' && outcome.kind === 'announced') owned.set(key, outcome.interfaces)
    this.#statuses.setOwned(owned)
  }

  /** Each refusal is told once, for as long as it stands. */
  #refused(refusals: readonly Refusal[]): void {
    this.#parts.speakerMetrics.setConfig(refusals.length > 0)
    for (const { message, reason, kind, namespace, name, field } of refusals)
      if (!this.#refusals.has(message))
        this.#logger.warn('configRefused', { kind, object: `${namespace}/${name}`, field, reason }, message)
    this.#refusals = new Set(refusals.map(({ message }) => message))
  }
}
