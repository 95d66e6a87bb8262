/**
 * One term as leader: fresh copies of Services and configuration (a first list is read from a quorum), the allocator
 * that decides on them, and the writes that follow. Changes are gathered and decided together; writing never holds
 * up deciding.
 */
import { isDeepStrictEqual } from 'node:util'
import { type Change, type Cluster, EventRecorder, Reflector, StatusWriter, WorkQueue } from '@landfall/kube'
import { type Key, keyOf } from '@landfall/kube/model'
import { allocatedFromPool, heldPool } from '@landfall/metallb'
import { formatIP } from '@landfall/netip'
import type { Logger } from '@landfall/telemetry'
import { Allocator, type Decided } from './allocation/allocator.ts'
import { type Answer, answerBefore, answerOf } from './allocation/answer.ts'
import type { Event, RefusalReason } from './allocation/outcome.ts'
import { type BalancedService, readRequest } from './allocation/request.ts'
import { AnnouncingReports, announcedOf, refusedAttributes, type Said } from './announcement/index.ts'
import { Configuration, type Configured } from './configuration.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import { logEventOf, sayReleased } from './log-events.ts'
import { Reports } from './reports.ts'
import {
  differs,
  differsInAnnounced,
  differsInAttributes,
  setStatus,
  type WantedStatus,
} from './service-status.ts'
import { balancedServiceType, type ConditionedService, ownerOf } from './service-type.ts'

export interface SessionOptions {
  readonly cluster: Cluster
  readonly namespace: string
  readonly loadBalancerClass: string
  readonly poolRemovalGraceMs: number
  readonly configMap: string
  readonly logger: Logger
  readonly metrics: ControllerMetrics
  readonly mayWrite: () => boolean
}

const concurrentWrites = 8
/** Counting goes over all pools, and over all Services without an address. */
const countMs = 500
/** Until it is written what of a Service's annotations does not hold. */
const attributesMs = 100

export class Session {
  readonly #options: SessionOptions
  readonly #allocator: Allocator
  readonly #services: Reflector<ConditionedService>
  readonly #announcing: AnnouncingReports
  readonly #events: EventRecorder
  readonly #reports: Reports
  readonly #writes: WorkQueue
  readonly #writer: StatusWriter
  readonly #changed = new Set<Key>()
  /** What the condition of a Service should say, while it does not; undefined removes it. */
  readonly #answers = new Map<Key, Answer | undefined>()
  readonly #without = new Map<Key, RefusalReason>()
  #configuration: Configuration | undefined
  #built: Configured = {
    config: { pools: [], peers: [] },
    refusals: [],
    source: 'none',
    both: false,
    notes: [],
    warnings: [],
  }
  #configChanged = true
  /** The allocator has been given one. */
  #hasConfig = false
  #synced = false
  #scheduled = false
  #stopped = false
  #deadline: NodeJS.Timeout | undefined
  #counting: NodeJS.Timeout | undefined

  constructor(options: SessionOptions) {
    this.#options = options
    const { cluster, namespace, logger, mayWrite } = options
    this.#allocator = new Allocator(options.poolRemovalGraceMs)
    this.#writer = new StatusWriter(cluster, logger)
    this.#services = new Reflector({
      cluster,
      type: balancedServiceType,
      logger,
      onChange: (changes) => this.#sawServices(changes),
    })
    this.#announcing = new AnnouncingReports({
      cluster,
      namespace,
      logger,
      onChange: (keys) => {
        for (const key of keys) this.#announcementChanged(key)
      },
    })
    this.#events = new EventRecorder({ cluster, component: 'metallb-controller', logger })
    this.#reports = new Reports({
      cluster,
      namespace,
      configMap: options.configMap,
      loadBalancerClass: options.loadBalancerClass,
      logger,
      mayWrite,
      ledger: this.#allocator.ledger,
      events: this.#events,
    })
    this.#writes = new WorkQueue({
      work: (key) => this.#write(key),
      concurrency: concurrentWrites,
      logger,
      gate: cluster.gate,
    })
  }

  /** Resolves after the first decisions. */
  async start(): Promise<void> {
    const { cluster, namespace, configMap, logger, metrics } = this.#options
    metrics.startTerm()
    const onChange = (count: number) => {
      metrics.sawChanges(count)
      this.#configChanged = true
      this.#schedule()
    }
    this.#services.start()
    const configuration = await Configuration.open({ cluster, namespace, configMap, logger, onChange })
    if (this.#stopped) return
    this.#configuration = configuration
    const announcing = this.#announcing.start()
    this.#reports.start()
    await Promise.all([configuration.start(), this.#services.synced])
    if (this.#stopped) return
    this.#synced = true
    this.#decide()
    // No address waits for what the speakers say.
    void announcing.then(() => {
      for (const key of this.#services.items.keys()) this.#announcementChanged(key)
    })
    logger.info('stateSynced', { services: this.#services.items.size }, 'the first decisions are made')
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#options.metrics.endTerm()
    clearTimeout(this.#deadline)
    clearTimeout(this.#counting)
    this.#services.stop()
    this.#announcing.stop()
    this.#configuration?.stop()
    await Promise.all([this.#writes.stop(), this.#reports.stop(), this.#events.flush()])
  }

  #sawServices(changes: readonly Change<BalancedService>[]): void {
    this.#options.metrics.sawChanges(changes.length)
    for (const { key, before, after } of changes) {
      this.#changed.add(key)
      if (this.#synced && after !== undefined) this.#warnOfOldAnnotations(before, after)
    }
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || !this.#synced || this.#stopped) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (!this.#stopped) this.#decide()
    })
  }

  #decide(): void {
    const { changed, foreign, gone } = this.#takeChanges()
    const released = gone.map((key) => [key, this.#allocator.ledger.holding(key)] as const)
    const decided = this.#allocator.apply({ ...this.#newConfig(), changed, foreign, gone, now: Date.now() })
    for (const one of decided) this.#follow(one)
    for (const [key, ips] of released) {
      sayReleased(this.#options.logger, key, ips, this.#services.get(key) !== undefined)
      this.#leave(key)
    }
    for (const { meta } of foreign) this.#leave(keyOf(meta))
    this.#counting ??= setTimeout(() => this.#count(), countMs)
    if (changed.length + foreign.length + gone.length > 0) this.#reconsider()
    this.#awaitDeadline()
  }

  #takeChanges() {
    const [changed, foreign]: [BalancedService[], BalancedService[]] = [[], []]
    const gone: Key[] = []
    for (const key of this.#changed) {
      const service = this.#services.get(key)
      const owner = service && this.#ownerOf(service)
      if (service === undefined || owner === 'nobody') gone.push(key)
      else if (owner === 'us') changed.push(service)
      else foreign.push(service)
    }
    this.#changed.clear()
    return { changed, foreign, gone }
  }

  /** What is in use kept a ConfigMap out, and may be free by now. */
  #reconsider(): void {
    if (!this.#built.refusals.some(({ reason }) => reason === 'DropsAddressInUse')) return
    this.#configChanged = true
    this.#schedule()
  }

  /** Addresses whose pool is gone go when their time has come. */
  #awaitDeadline(): void {
    clearTimeout(this.#deadline)
    const at = this.#allocator.nextDeadline
    if (at === undefined || this.#stopped) return
    this.#deadline = setTimeout(() => this.#schedule(), Math.max(0, at - Date.now()) + 1)
  }

  /** The configuration for the next batch, if it changed. */
  #newConfig(): { readonly config?: Configured['config'] } {
    if (!this.#configChanged || this.#configuration === undefined) return {}
    this.#configChanged = false
    const before = this.#built
    this.#built = this.#configuration.build(this.#allocator.holdings())
    const { config, refusals, source } = this.#built
    this.#reports.configChanged(this.#built, this.#configuration.objects())
    // A namespace, a node, a Secret: most changes are none of the configuration.
    if (this.#hasConfig && isDeepStrictEqual(this.#built, before)) return {}
    this.#hasConfig = true
    this.#options.metrics.setConfig(source !== 'none', refusals.length > 0)
    this.#sayConfig()
    return { config }
  }

  #sayConfig(): void {
    const { logger } = this.#options
    const { config, refusals, warnings, source, notes } = this.#built
    if (source === 'none') logger.warn('noConfig', {}, 'configuration is missing')
    for (const note of notes) logger.warn('configDeprecated', {}, note)
    for (const { reason, message, kind, namespace, name, field } of refusals) {
      const event = kind === 'ConfigMap' ? 'configStale' : 'configRefused'
      logger.warn(event, { reason, kind, namespace, name, field }, message)
    }
    for (const { reason, message, kind, namespace, name, field } of warnings) {
      logger.warn('configWarning', { reason, kind, namespace, name, field }, message)
    }
    const counts = { source, pools: config.pools.length, refusals: refusals.length }
    logger.info('configLoaded', counts, 'this configuration is in force')
  }

  #follow({ key, decision }: Decided): void {
    if (decision.kind === 'refused') this.#without.set(key, decision.refusal.reason)
    else this.#without.delete(key)
    const service = this.#services.get(key)
    if (service === undefined) return
    const reason = decision.kind === 'assigned' ? '' : decision.refusal.reason
    for (const event of decision.events) this.#tell(service, event, reason)
    const answer = answerOf(decision, this.#built.config)
    if (differs(service, this.#wanted(service, key, answer))) return this.#putDown(key, answer)
    this.#answers.delete(key)
    this.#options.logger.debug('noChange', { service: key }, 'its status says so already')
    this.#announcementChanged(key)
  }

  /** A write of the addresses says it too; else it is written when it has settled. */
  #announcementChanged(key: Key): void {
    const service = this.#services.get(key)
    if (!this.#synced || service === undefined || !this.#isOurs(service)) return
    const wanted = this.#wanted(service, key, answerBefore(service))
    if (differsInAttributes(service, wanted)) this.#writes.addAfter(key, attributesMs)
    if (!differsInAnnounced(service, wanted)) return this.#announcing.settled(key)
    this.#writes.addAfter(key, this.#announcing.settleMs(key, service.announced, wanted.announced))
  }

  /** A Service that is gone, or balances no more: what we wrote into it is taken back. One of another class is not ours. */
  #leave(key: Key): void {
    this.#without.delete(key)
    this.#answers.delete(key)
    this.#announcing.settled(key)
    const service = this.#services.get(key)
    if (service === undefined || this.#ownerOf(service) === 'another class') return
    const isMarked = service.meta.annotations[allocatedFromPool] !== undefined
    const isSaid = [service.allocated, service.announced, service.attributes].some((one) => one !== undefined)
    if (isMarked || isSaid) this.#putDown(key, undefined)
  }

  #putDown(key: Key, answer: Answer | undefined): void {
    this.#answers.set(key, answer)
    this.#writes.add(key)
  }

  #wanted(service: ConditionedService, key: Key, answer: Answer | undefined): WantedStatus {
    const { meta } = service
    const ips = this.#allocator.ledger.holding(key)
    // What is noted of a pool that is gone, or refused, stays.
    const noted = { ips, allocatedFrom: meta.annotations[allocatedFromPool] ?? '' }
    const { config } = this.#built
    const pools = ips.flatMap((ip) => heldPool(config, ip, noted) ?? [])
    const pool = [...new Set(pools.map(({ name }) => name))].join(',')
    const address = { ips: ips.map(formatIP), pool, answer }
    if (!this.#isOurs(service)) return { ...address, announced: undefined }
    const announced = this.#announcedOf(service, key, ips.length > 0)
    return { ...address, announced, attributes: refusedAttributes(service, pools, config) }
  }

  #announcedOf(service: ConditionedService, key: Key, hasAddress: boolean): Said | undefined {
    const { synced, complete } = this.#announcing
    return synced ? announcedOf(this.#announcing.of(key), hasAddress, complete) : service.announced
  }

  async #write(key: Key): Promise<void> {
    const service = this.#services.get(key)
    if (service === undefined || this.#ownerOf(service) === 'another class') return
    const { logger, metrics, mayWrite, loadBalancerClass } = this.#options
    const answer = this.#answers.has(key) ? this.#answers.get(key) : answerBefore(service)
    const wanted = this.#wanted(service, key, answer)
    const isUrgent = this.#answers.has(key) || (this.#isOurs(service) && differsInAttributes(service, wanted))
    if (!isUrgent) {
      if (!this.#isOurs(service) || !differsInAnnounced(service, wanted)) return
      const waitMs = this.#announcing.settleMs(key, service.announced, wanted.announced)
      if (waitMs > 0) return this.#writes.addAfter(key, waitMs)
    }
    const mutate = setStatus(service.meta.uid, loadBalancerClass, wanted)
    const write = this.#writer.write(balancedServiceType, key, mutate, { precondition: mayWrite })
    const outcome = await write.catch((error: unknown) => {
      metrics.failedWrite()
      throw error
    })
    if (outcome === 'written' || outcome === 'pruned') {
      this.#announcing.settled(key)
      const { ips, pool, announced } = wanted
      const fields = { ips, pool, reason: answer?.reason ?? '', announced: announced?.reason ?? '' }
      logger.info('serviceUpdated', { service: key, ...fields }, 'status written')
      this.#tellUnannounced(service, announced)
      this.#tellAttributes(service, wanted)
    }
    if (outcome === 'forbidden') this.#writes.addAfter(key, this.#writer.forbiddenMs(balancedServiceType))
  }

  /** For who looks at Events rather than at conditions. That there is no address was told already. */
  #tellUnannounced(service: ConditionedService, said: Said | undefined): void {
    if (said?.status !== 'False' || said.reason === 'noIPAllocated' || said.reason === 'announceFailed')
      return
    if (service.announced?.status === 'False' && service.announced.reason === said.reason) return
    const event = { type: 'Warning', reason: 'notAnnounced', message: said.message } as const
    this.#tell(service, event, said.reason)
  }

  #tellAttributes(service: ConditionedService, wanted: WantedStatus): void {
    const { attributes: said } = wanted
    if (said === undefined || !differsInAttributes(service, wanted)) return
    this.#tell(service, { type: 'Warning', reason: said.reason, message: said.message }, said.reason)
  }

  /** @param code of the refusal behind it, '' for none */
  #tell(service: BalancedService, event: Event, code = ''): void {
    if (!this.#options.mayWrite()) return
    const { namespace, name, uid } = service.meta
    this.#events.record({ apiVersion: 'v1', kind: 'Service', namespace, name, uid }, event)
    const level = event.type === 'Warning' ? 'warn' : 'info'
    const fields = { service: `${namespace}/${name}`, ...(code === '' ? {} : { reason: code }) }
    this.#options.logger[level](logEventOf(event.reason), fields, event.message)
  }

  #warnOfOldAnnotations(before: BalancedService | undefined, after: BalancedService): void {
    if (!this.#isOurs(after)) return
    if (before?.meta.uid === after.meta.uid && sameRecord(before.meta.annotations, after.meta.annotations))
      return
    const known = before === undefined ? [] : readRequest(before).deprecated
    for (const annotation of readRequest(after).deprecated.filter((one) => !known.includes(one))) {
      const message = `the annotation ${annotation} is deprecated, use the prefix metallb.io/`
      this.#tell(after, { type: 'Warning', reason: 'deprecatedAnnotation', message })
    }
  }

  #isOurs(service: BalancedService): boolean {
    return this.#ownerOf(service) === 'us'
  }

  #ownerOf(service: BalancedService): ReturnType<typeof ownerOf> {
    return ownerOf(service, this.#options.loadBalancerClass)
  }

  #count(): void {
    this.#counting = undefined
    const { metrics } = this.#options
    const reasons = [...Map.groupBy(this.#without.values(), (reason) => reason)]
    metrics.setServices(
      this.#allocator.holders,
      new Map(reasons.map(([reason, all]) => [reason, all.length])),
    )
    metrics.setPools(this.#built.config.pools, this.#allocator.ledger)
    this.#reports.usageChanged()
  }
}

function sameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
