/**
 * One speaker at work: each change of the world becomes a plan, which the BGP sessions and the layer 2 worker are
 * brought to; what the worker observes becomes log lines, Events, metrics and statuses.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type Cluster, EventRecorder } from '@landfall/kube'
import type { Key } from '@landfall/kube/model'
import { type InterfaceWatch, watchInterfaces } from '@landfall/net'
import type { Health, HttpAnswer, Logger, Metrics } from '@landfall/telemetry'
import { announcementsOf } from './announcements.ts'
import { watchApi } from './api-watch.ts'
import type { ToBfd } from './bfd/index.ts'
import { BgpSpeaker } from './bgp/index.ts'
import { daemonSetStands, drainOf, endingOf, lingerOf } from './ending.ts'
import { Lapse } from './layer2/lapse.ts'
import { sameStanding } from './layer2/layer2-view.ts'
import {
  type Desired,
  type Layer2State,
  noLayer2,
  type Observation,
  type OwnerChange,
  type WorkerOptions,
} from './layer2/messages.ts'
import { Layer2Worker } from './layer2/worker-handle.ts'
import { readCpuQuota, watchMemberSecret } from './layer2-settings.ts'
import type { SpeakerOptions } from './options.ts'
import { type Plan, Planner } from './plan/planner.ts'
import { answerRebalance } from './rebalance-request.ts'
import { Reporter } from './reporter.ts'
import type { SpeakerMetrics } from './speaker-metrics.ts'
import { nodeReference, type OwnerReference } from './status/owner-reference.ts'
import { Statuses } from './status/statuses.ts'
import type { Configured } from './world/configuration.ts'
import { Observer } from './world/observer.ts'

const tellMs = 5000
/** Sessions change at every message; what is told of them does not. */
const sessionsMs = 300

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
  readonly #endApiWatch: () => void
  readonly #events: EventRecorder
  readonly #statuses: Statuses
  readonly #reporter: Reporter
  readonly #lapse: Lapse
  #plan: Plan | undefined
  /** Of this node. */
  #labels: Readonly<Record<string, string>> | undefined
  #layer2: Layer2State = noLayer2
  #told = new Set<string>()
  /** Nodes of speakers that cannot be believed, as they were logged. */
  #strangers: readonly string[] = []
  #sessionsTimer: NodeJS.Timeout | undefined

  constructor(parts: SpeakerParts) {
    const { options, cluster, namespace, metrics, speakerMetrics } = parts
    const { logger, node } = options
    this.#parts = parts
    this.#lapse = new Lapse({ node, policy: parts.worker.partition })
    this.#logger = logger
    this.#interfaces = watchInterfaces(() => this.#bgp.interfacesChanged())
    this.#worker = new Layer2Worker(parts.worker, {
      onMessage: (message) => this.#observed(message),
      onFailure: parts.onFailure,
    })
    const interfaces = () => this.#interfaces.current
    const bfd = (message: ToBfd): void => this.#worker.sendBfd(message)
    this.#bgp = new BgpSpeaker({
      logger,
      metrics,
      nodeName: node,
      interfaces,
      bfd,
      onStatus: () => this.#sessionsChanged(),
      retireMs: options.bgp.drainMs,
      cpuQuota: readCpuQuota(),
      ...(options.bgp.listenPort === undefined ? {} : { listenPort: options.bgp.listenPort }),
    })
    this.#endSecretWatch = this.#watchSecret()
    this.#endApiWatch = watchApi({
      isOutage: () => cluster.gate.isOutage(),
      onChange: (away) => this.#worker.setBlind(away),
    })
    this.#events = new EventRecorder({ cluster, component: 'metallb-speaker', host: node, logger })
    const onError = () => speakerMetrics.failedWrite()
    const nodeOwner = () => {
      const own = this.#observer.node()
      return own && nodeReference(own)
    }
    const { owner } = parts
    this.#statuses = new Statuses({ cluster, logger, namespace, node, owner, nodeOwner, onError })
    this.#reporter = new Reporter({
      node,
      logger,
      events: this.#events,
      announced: speakerMetrics.announced,
      wasReported: (announcement) => this.#statuses.isReported(announcement),
    })
    this.#observer = new Observer({
      cluster,
      logger,
      node,
      podName: options.podName,
      namespace,
      configMap: options.configMap,
      loadBalancerClass: options.loadBalancerClass,
      nodeRules: options,
      speakerLabels: options.heartbeat.labels,
      memberPort: options.heartbeat.port,
      onChange: () => this.#replan(),
      onUpdates: (count) => speakerMetrics.sawUpdates(count),
      onConfig: (configured) => this.#configured(configured),
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
    this.#endApiWatch()
    // First: what is given up now stays reported until the next owner reports itself.
    clearTimeout(this.#sessionsTimer)
    const statuses = this.#statuses.stop()
    // BFD, in the worker, ends after BGP, whose sessions it would take along.
    const [{ lingered }] = await Promise.all([this.#handOver(), this.#stopBgp()])
    await this.#worker.stop()
    this.#interfaces.close()
    const told = Promise.all([statuses, this.#events.flush()])
    await Promise.all([Promise.race([told, sleep(tellMs, undefined, { ref: false })]), lingered])
  }

  /** At once, as the kill may come soon. @returns what to wait for before the process may end */
  async #handOver(): Promise<{ readonly lingered: Promise<void> }> {
    const handedOver = await this.#worker.leave()
    const lingerMs = lingerOf(handedOver, this.#observer.graceSeconds())
    if (handedOver > 0)
      this.#logger.info('layer2HandedOver', { addresses: handedOver, lingerMs }, 'addresses were handed over')
    return { lingered: sleep(lingerMs) }
  }

  /** Somebody asked for it. */
  rebalance(): HttpAnswer {
    const answer = answerRebalance(this.#layer2, this.#parts.options.node)
    this.#logger.info('rebalanceAsked', { done: answer.status === 200 }, answer.body.split('\n')[0])
    if (answer.status === 200) this.#worker.rebalance()
    return answer
  }

  async #stopBgp(): Promise<void> {
    const { cluster, namespace, options, owner } = this.#parts
    const node = this.#observer.node()
    const daemonSet = this.#bgp.mayRestart && (await daemonSetStands(cluster, namespace, owner))
    const excluded = this.#observer.world().nodes.get(options.node)?.excluded ?? false
    const ending = endingOf({ node, excluded, daemonSet })
    this.#logger.info('bgpEnding', { ...ending }, 'BGP sessions end')
    const drainMs = drainOf(options.bgp.drainMs, this.#observer.graceSeconds())
    await this.#bgp.stop({ restart: ending.kind === 'restart', drainMs })
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
    this.#compareLabels()
    const plan = this.#planner.plan(this.#observer.world(), this.#observer.takeChanged())
    const isFirst = this.#plan === undefined
    this.#plan = plan
    this.#bgp.apply(plan.bgp)
    this.#sessionsChanged()
    this.#worker.setDesired({ addresses: wantedAddresses(plan), peers: this.#observer.speakers() })
    for (const ip of plan.changedAddresses) if (!plan.layer2.has(ip)) this.#parts.speakerMetrics.forget(ip)
    this.#report(isFirst ? undefined : plan.changed)
  }

  /** Peers and advertisements choose nodes by them. */
  #compareLabels(): void {
    const labels = this.#observer.node()?.meta.labels
    const before = this.#labels
    this.#labels = labels
    if (before !== undefined && labels !== undefined && !isDeepStrictEqual(before, labels))
      this.#logger.info('nodeLabelsChanged', {}, 'Node labels changed, resyncing BGP peers')
  }

  #observed(message: Observation): void {
    const { speakerMetrics } = this.#parts
    switch (message.kind) {
      case 'state':
        return this.#stands(message.state, message.changed)
      case 'counts':
        return speakerMetrics.count(message.counts, (ip) => this.#plan?.layer2.has(ip) === true)
      case 'changes':
        return this.#changedOwner(message.changes)
      case 'refusedHeartbeats':
        return speakerMetrics.refused(message.reason, message.count)
      case 'bfd':
        return this.#bgp.observedBfd(message.message)
      case 'log':
        return this.#logger[message.level](message.event, message.fields)
      default:
    }
  }

  /** The worker says each second how the members fare; most of the time nothing else is new. */
  #stands(state: Layer2State, changed: ReadonlySet<string>): void {
    const { speakerMetrics, health } = this.#parts
    const before = this.#layer2
    this.#layer2 = state
    speakerMetrics.setMembers(state.members)
    health.setReady('layer2', state.serving, 'the other speakers are being heard')
    // One that has yet to read what there is to announce starts.
    const lapsed = this.#lapse.look(state.suspended && this.#plan !== undefined, performance.now())
    if (lapsed !== undefined) this.#statuses.lapse(lapsed)
    if (!sameStanding(before, state)) {
      this.#observer.heard(state.members)
      this.#sayStrangers(state.members)
      this.#report()
    } else if (changed.size > 0) this.#report(this.#servicesOf(changed))
  }

  /** They hold addresses, and cannot be agreed with. */
  #sayStrangers(members: Layer2State['members']): void {
    const nodes = members.filter(({ state }) => state === 'stranger').map(({ node }) => node)
    if (isDeepStrictEqual(nodes, this.#strangers)) return
    this.#strangers = nodes
    const message =
      nodes.length === 0
        ? 'all speakers that are heard are believed'
        : 'speakers with another memberlist secret, or of another version, announce addresses'
    this.#logger[nodes.length === 0 ? 'info' : 'warn']('strangersHeard', { nodes }, message)
  }

  #servicesOf(addresses: ReadonlySet<string>): ReadonlySet<Key> {
    return new Set([...addresses].flatMap((ip) => this.#plan?.layer2.get(ip)?.services ?? []))
  }

  #changedOwner(changes: readonly OwnerChange[]): void {
    this.#parts.speakerMetrics.changedOwner(changes)
    for (const [reason, of] of Map.groupBy(changes, (change) => change.reason)) {
      const silentMs = Math.round(Math.max(...of.map((change) => change.silentMs)))
      const message = reason === 'conflict' ? 'this node keeps what others had too' : 'this node took over'
      this.#logger.info('ownerChanged', { reason, addresses: of.length, silentMs }, message)
    }
  }

  /** @param only the Services that changed, while nothing else did; undefined: all */
  #report(only?: ReadonlySet<Key>): void {
    if (this.#plan === undefined) return
    const plan = this.#plan
    const announcements = announcementsOf(plan, this.#layer2, this.#parts.options.node, only)
    this.#reporter.report(announcements, only)
    const speakers = new Set(this.#observer.speakers().map(({ node }) => node))
    const known = {
      knowsService: (service: Key) => plan.services.has(service),
      knowsNode: (node: string) => speakers.has(node),
    }
    this.#statuses.report(announcements, this.#layer2, known, only)
  }

  #sessionsChanged(): void {
    this.#sessionsTimer ??= setTimeout(() => {
      this.#sessionsTimer = undefined
      this.#statuses.sessions(this.#bgp.status())
    }, sessionsMs).unref()
  }

  /** Each refusal and note is told once, for as long as it stands. */
  #configured(configured: Configured): void {
    const { config, refusals, warnings, source, notes } = configured
    const { namespace, options, speakerMetrics } = this.#parts
    speakerMetrics.setConfig(source !== 'none', refusals.length > 0)
    this.#statuses.judge({ ...configured, configMap: `ConfigMap ${namespace}/${options.configMap}` })
    if (source === 'none') this.#logger.warn('noConfig', {}, 'configuration is missing')
    for (const note of notes) if (!this.#told.has(note)) this.#logger.warn('configDeprecated', {}, note)
    for (const { message, reason, kind, namespace, name, field } of refusals) {
      if (this.#told.has(message)) continue
      const event = kind === 'ConfigMap' ? 'configStale' : 'configRefused'
      this.#logger.warn(event, { kind, object: `${namespace}/${name}`, field, reason }, message)
    }
    for (const { message, reason, kind, namespace, name, field } of warnings)
      if (!this.#told.has(message))
        this.#logger.warn('configWarning', { kind, object: `${namespace}/${name}`, field, reason }, message)
    this.#told = new Set([...notes, ...[...refusals, ...warnings].map(({ message }) => message)])
    this.#logger.info('configLoaded', { source, pools: config.pools.length, refusals: refusals.length })
  }
}

/** What may be different from the plan before. */
function wantedAddresses({ layer2, changedAddresses }: Plan): Desired['addresses'] {
  return new Map(
    [...changedAddresses].map((ip) => {
      const address = layer2.get(ip)
      if (address === undefined) return [ip, undefined]
      const { unit, candidates, interfaces } = address
      return [ip, { ip, unit, candidates, interfaces }]
    }),
  )
}
