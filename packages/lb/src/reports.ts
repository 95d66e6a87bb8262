/**
 * What the controller says about the configuration: the condition `Valid` on each of its objects, the counters of
 * pools, the sessions of peers, and the ConfigurationState `controller` (one for each class). Written only on change, at
 * most once a second an object. Controllers of different classes say the same of an object, and count the same.
 */
import { isDeepStrictEqual } from 'node:util'
import { type ConfigurationState, configurationState } from '@landfall/api'
import {
  type Cluster,
  customType,
  delayMs,
  type EventRecorder,
  hasStatus,
  type RawObject,
  type ResourceType,
  StatusWriter,
  WorkQueue,
} from '@landfall/kube'
import { type Key, keyOf, splitKey } from '@landfall/kube/model'
import type { Config } from '@landfall/metallb'
import { componentState, textOf } from '@landfall/metallb/state'
import { describeError, type Logger } from '@landfall/telemetry'
import type { LedgerView } from './allocation/ledger.ts'
import { nameForClass } from './class-name.ts'
import type { ConfigObject, Configured } from './configuration.ts'
import { sameStatus } from './exact-count.ts'
import { type Judged, judgedStatus, poolStatus, type Status } from './object-status.ts'
import { PeerSessions, peerStatus } from './peers/index.ts'
import { poolUsage } from './pool-usage.ts'
import { UnreadConfiguration } from './unread-configuration.ts'

const stateType = customType<ConfigurationState>(configurationState)
/** Of the controller for Services without a class. */
const stateName = 'controller'
const flushMs = 1000
/** The kind of the state may be installed later, and an API server that has just started refuses everybody. */
const absence = { firstMs: 1000, ceilingMs: 300_000 }
/** So many in a row are meant. */
const meantRefusals = 3

export interface ReportsOptions {
  readonly cluster: Cluster
  readonly namespace: string
  /** Name of the ConfigMap that may rule instead of objects. */
  readonly configMap: string
  readonly loadBalancerClass: string
  readonly logger: Logger
  readonly mayWrite: () => boolean
  readonly ledger: LedgerView
  /** Says of an object that is refused what its status cannot say. */
  readonly events: EventRecorder
}

interface Report {
  readonly type: ResourceType
  readonly key: Key
  readonly status: (old: Status) => object
  /** What an Event says where the status cannot be written. */
  readonly refusal?: { readonly uid: string; readonly reason: string; readonly message: string }
}

export class Reports {
  readonly #options: ReportsOptions
  readonly #stateName: string
  readonly #writer: StatusWriter
  readonly #queue: WorkQueue
  /** What each object's status should be, by kind and key; said anew only when it could differ. */
  readonly #reports = new Map<string, Report>()
  readonly #dirty = new Set<string>()
  /** Counters of each pool when its report was last asked for. */
  readonly #counted = new Map<string, string>()
  /** Which object each report was about when it was last asked for. */
  readonly #versions = new Map<string, string>()
  /** What Events said instead of statuses, by kind and key. */
  readonly #told = new Map<string, string>()
  readonly #timer: NodeJS.Timeout
  readonly #sessions: PeerSessions
  readonly #unread: UnreadConfiguration
  #configured: Configured | undefined
  /** How often in a row the state's kind was missing, or might not be written. */
  #withoutState = 0

  constructor(options: ReportsOptions) {
    this.#options = options
    this.#stateName = nameForClass(stateName, options.loadBalancerClass)
    this.#writer = new StatusWriter(options.cluster, options.logger)
    this.#queue = new WorkQueue({
      work: (id) => this.#write(id),
      concurrency: 2,
      logger: options.logger,
      gate: options.cluster.gate,
    })
    this.#timer = setInterval(() => this.#flush(), flushMs)
    this.#timer.unref()
    this.#sessions = new PeerSessions({ ...options, onChange: (peers) => this.#sessionsChanged(peers) })
    this.#unread = new UnreadConfiguration({ ...options, onChange: () => this.#unreadChanged() })
  }

  get #config(): Config {
    return this.#configured?.config ?? { pools: [], peers: [] }
  }

  /** What is reported besides the configuration is read; nothing waits for it. */
  start(): void {
    this.#unread.start()
    void this.#sessions.start().then(() => this.#sessionsChanged())
  }

  /** Addresses were given or taken. */
  usageChanged(): void {
    for (const pool of this.#config.pools) {
      const { v4, v6 } = poolUsage(pool, this.#config, this.#options.ledger)
      const counters = [v4.assigned, v4.total, v6.assigned, v6.total].join()
      if (this.#counted.get(pool.name) === counters) continue
      this.#counted.set(pool.name, counters)
      this.#dirty.add(`IPAddressPool ${this.#options.namespace}/${pool.name}`)
    }
  }

  #unreadChanged(): void {
    if (this.#reports.has(this.#stateName)) this.#dirty.add(this.#stateName)
  }

  /** Sessions with these peers came up or went down; undefined: with any. */
  #sessionsChanged(peers?: Iterable<string>): void {
    const idOf = (peer: string) => `BGPPeer ${this.#options.namespace}/${peer}`
    const all = [...this.#reports.keys()].filter((id) => id.startsWith(idOf('')))
    for (const id of peers === undefined ? all : [...peers].map(idOf)) this.#dirty.add(id)
  }

  configChanged(
    configured: Configured,
    objects: Iterable<{ readonly type: ResourceType; readonly object: ConfigObject }>,
  ): void {
    const { refusals, warnings } = configured
    // Otherwise only objects that are others now are of interest.
    if (!isDeepStrictEqual(configured, this.#configured)) this.#versions.clear()
    this.#configured = configured
    this.#reports.clear()
    const idOf = (one: { kind: string; namespace: string; name: string }) =>
      `${one.kind} ${one.namespace}/${one.name}`
    const refused = Map.groupBy(refusals, idOf)
    const warned = Map.groupBy(warnings, idOf)
    const configMap = `ConfigMap ${this.#options.namespace}/${this.#options.configMap}`
    const instead = configured.source === 'configMap' ? configMap : undefined
    for (const { type, object } of objects) {
      const { generation, name, namespace, uid } = object.meta
      const id = idOf({ kind: type.kind, namespace, name })
      const found = { refusals: refused.get(id) ?? [], warnings: warned.get(id) ?? [] }
      const judged = { ...found, generation, instead }
      const [first] = found.refusals
      const refusal = first && { uid, reason: first.reason, message: textOf(found.refusals) }
      const status = (old: Status) => this.#statusOf(type.kind, old, judged, object)
      const report = { type, key: keyOf(object.meta), status, ...(refusal && { refusal }) }
      this.#report(id, report, `${uid} ${generation}`)
      if (refusal === undefined) this.#told.delete(id)
    }
    const state = { ...configured, type: 'poolReconcilerValid', configMap }
    const status = (old: Status) =>
      componentState(old, { ...state, unread: this.#unread.said }, () => new Date())
    const key = `${this.#options.namespace}/${this.#stateName}`
    this.#report(this.#stateName, { type: stateType, key, status }, '')
    for (const id of this.#versions.keys()) if (!this.#reports.has(id)) this.#versions.delete(id)
  }

  #report(id: string, report: Report, version: string): void {
    this.#reports.set(id, report)
    if (this.#versions.get(id) === version) return
    this.#versions.set(id, version)
    this.#dirty.add(id)
  }

  #statusOf(kind: string, old: Status, judged: Judged, object: ConfigObject): Status {
    if (kind === 'IPAddressPool') return this.#poolStatus(old, judged, object)
    const status = judgedStatus(old, judged)
    if (kind !== 'BGPPeer' || !this.#isOurs(object)) return status
    return peerStatus(status, this.#sessions.of(object.meta.name), judged.generation, () => new Date())
  }

  #isOurs({ meta }: ConfigObject): boolean {
    return meta.namespace === this.#options.namespace
  }

  #poolStatus(old: Status, judged: Judged, object: ConfigObject): Status {
    const { meta } = object
    // While a ConfigMap rules, a pool of that name is another one.
    const isRead = this.#isOurs(object) && this.#configured?.source === 'objects'
    const pool = isRead ? this.#config.pools.find(({ name }) => name === meta.name) : undefined
    return poolStatus(old, judged, pool, this.#config, this.#options.ledger)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#sessions.stop()
    this.#unread.stop()
    await this.#queue.stop()
  }

  #flush(): void {
    for (const id of this.#dirty) this.#queue.add(id)
    this.#dirty.clear()
  }

  async #write(id: string): Promise<void> {
    const report = this.#reports.get(id)
    if (report === undefined || !this.#options.mayWrite()) return
    if (id === this.#stateName && !(await this.#ensureState())) {
      return this.#queue.addAfter(id, delayMs(absence, this.#withoutState - 1))
    }
    const outcome = await this.#writer.write(
      report.type,
      report.key,
      (raw) => {
        const status = report.status(statusOf(raw))
        return sameStatus(statusOf(raw), status) ? undefined : { ...raw, status }
      },
      { precondition: this.#options.mayWrite },
    )
    if (outcome === 'forbidden') this.#queue.addAfter(id, this.#writer.forbiddenMs(report.type, report.key))
    if (outcome === 'forbidden' || outcome === 'invalid') this.#tell(id, report)
  }

  /** By an Event, once. */
  #tell(id: string, { type, key, refusal }: Report): void {
    if (refusal === undefined || this.#told.get(id) === refusal.message) return
    this.#told.set(id, refusal.message)
    const { uid, reason, message } = refusal
    const about = { apiVersion: type.apiVersion, kind: type.kind, ...splitKey(key), uid }
    this.#options.events.record(about, { type: 'Warning', reason, message })
  }

  /** @returns false where the kind is not installed or may not be written */
  async #ensureState(): Promise<boolean> {
    const { cluster, namespace, logger } = this.#options
    try {
      await cluster.get(stateType, `${namespace}/${this.#stateName}`).catch((error: unknown) => {
        if (!hasStatus(error, 404)) throw error
        return cluster.create(stateType, {
          apiVersion: stateType.apiVersion,
          kind: stateType.kind,
          metadata: {
            namespace,
            name: this.#stateName,
            labels: { 'metallb.io/component-type': 'controller' },
          },
        })
      })
      this.#withoutState = 0
      return true
    } catch (error) {
      if (!hasStatus(error, 403, 404)) throw error
      this.#withoutState++
      if (this.#withoutState === meantRefusals) {
        logger.warn('noConfigurationState', { error: describeError(error) }, 'the state is not reported')
      }
      return false
    }
  }
}

function statusOf(raw: RawObject): Status {
  const { status } = raw
  return typeof status === 'object' && status !== null ? { ...status } : {}
}
