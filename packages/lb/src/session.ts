/**
 * One term as leader: fresh copies of Services and configuration (a first list is read from a quorum), the allocator
 * that decides on them, and the writes that follow. Changes are gathered and decided together; writing never holds
 * up deciding.
 */
import { isDeepStrictEqual } from 'node:util'
import { type Change, EventRecorder, Reflector, StatusWriter, WorkQueue } from '@landfall/kube'
import { type Key, keyOf } from '@landfall/kube/model'
import { allocatedFromPool, heldPool } from '@landfall/metallb'
import { formatIP } from '@landfall/netip'
import { Allocator, type Decided } from './allocation/allocator.ts'
import { type Answer, answerBefore, answerOf } from './allocation/answer.ts'
import type { Event, RefusalReason } from './allocation/outcome.ts'
import type { BalancedService } from './allocation/request.ts'
import { AnnouncingReports, announcedOf, refusedAttributes, type Said } from './announcement/index.ts'
import { Configuration, type Configured, unconfigured } from './configuration.ts'
import { newlyDeprecated } from './deprecated-annotations.ts'
import { FreshServices } from './fresh-services.ts'
import { Leaving } from './leaving.ts'
import { logEventOf, sayConfig, sayReleased } from './log-events.ts'
import type { SessionOptions } from './options.ts'
import { eventsOf, withoutRefused } from './refused-status.ts'
import { Reports } from './reports.ts'
import {
  differs,
  differsInAddresses,
  differsInAnnounced,
  differsInAttributes,
  sameIPs,
  setStatus,
  type WantedStatus,
} from './service-status.ts'
import { balancedServiceType, type ConditionedService, ownerOf } from './service-type.ts'
import { eventsOfWrite } from './write-events.ts'

const concurrentWrites = 8
const slice = 200
/** Until a write is tried again that was refused since nobody led. */
const refusedMs = 1000
/** Counting goes over all pools, and over all Services without an address. */
const countMs = 500
/** Until it is written what of a Service's annotations does not hold. */
const attributesMs = 100

export class Session {
  readonly #options: SessionOptions
  readonly #allocator: Allocator
  readonly #fresh: FreshServices
  readonly #services: Reflector<ConditionedService>
  readonly #announcing: AnnouncingReports
  readonly #events: EventRecorder
  readonly #reports: Reports
  readonly #writes: WorkQueue
  readonly #writer: StatusWriter
  readonly #leaving = new Leaving((key) => this.#writes.add(key))
  readonly #changed = new Set<Key>()
  /** What the condition of a Service should say, while it does not; undefined removes it. */
  readonly #answers = new Map<Key, Answer | undefined>()
  readonly #without = new Map<Key, RefusalReason>()
  #configuration: Configuration | undefined
  #built = unconfigured
  /** Decided, and not followed yet. */
  #rest: Decided[] = []
  #configChanged = true
  /** The allocator has been given one. */
  #hasConfig = false
  #synced = false
  #scheduled = false
  readonly #ended = new AbortController()
  #deadline: NodeJS.Timeout | undefined
  #counting: NodeJS.Timeout | undefined

  constructor(options: SessionOptions) {
    this.#options = options
    const { cluster, namespace, logger, mayWrite } = options
    this.#allocator = new Allocator(options.poolRemovalGraceMs)
    this.#writer = new StatusWriter(cluster, logger)
    this.#fresh = new FreshServices(options.loadBalancerClass)
    const sawServices = (changes: readonly Change<ConditionedService>[]) => this.#sawServices(changes)
    const { type } = this.#fresh
    this.#services = new Reflector({ cluster, type, logger, paged: true, onChange: sawServices })
    this.#announcing = new AnnouncingReports({
      cluster,
      namespace,
      logger,
      onChange: (keys) => {
        for (const key of keys) this.#announcementChanged(key)
      },
    })
    const leads = options.leads ?? (() => true)
    this.#events = new EventRecorder({ cluster, component: 'metallb-controller', logger, mayWrite: leads })
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
    const work = (key: Key) => this.#write(key)
    this.#writes = new WorkQueue({ work, concurrency: concurrentWrites, logger, gate: cluster.gate })
  }

  get #stopped(): boolean {
    return this.#ended.signal.aborted
  }

  /** Resolves after the first decisions. */
  async start(): Promise<void> {
    const { logger, metrics } = this.#options
    metrics.startTerm()
    const onChange = (count: number) => {
      metrics.sawChanges(count)
      this.#configChanged = true
      this.#schedule()
    }
    this.#services.start()
    const { signal } = this.#ended
    const configuration = await Configuration.open({ ...this.#options, onChange, signal })
    if (this.#stopped) return
    this.#configuration = configuration
    this.#reports.start()
    await Promise.all([configuration.start(), this.#services.synced])
    if (this.#stopped) return
    this.#synced = true
    this.#decide()
    // What the speakers say may be much, and no address waits for it.
    void this.#announcing.start().then(() => {
      for (const key of this.#answers.keys()) this.#writes.add(key)
      for (const key of this.#services.items.keys()) this.#announcementChanged(key)
    })
    logger.info('stateSynced', { services: this.#services.items.size }, 'the first decisions are made')
  }

  async stop(): Promise<void> {
    this.#ended.abort()
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
    this.#followNext(Number.POSITIVE_INFINITY)
    const { changed, foreign, gone } = this.#takeChanges()
    const released = gone.map((key) => [key, this.#allocator.ledger.holding(key)] as const)
    const decided = this.#allocator.apply({ ...this.#newConfig(), changed, foreign, gone, now: Date.now() })
    for (const [key, ips] of released) {
      sayReleased(this.#options.logger, key, ips, this.#services.get(key) !== undefined)
      this.#leave(key)
    }
    for (const { meta } of foreign) this.#leave(keyOf(meta))
    for (const { key } of decided) this.#leaving.see(key, this.#services.get(key), this.#heldBy(key))
    // After a restart there is news of few: their writes go out before it is seen that nothing is to do for the others.
    const isNews = ({ decision }: Decided) => decision.events.length > 0
    for (const one of decided.filter(isNews)) this.#follow(one)
    this.#rest = decided.filter((one) => !isNews(one))
    this.#followNext(slice)
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
    sayConfig(this.#options.logger, this.#built)
    return { config }
  }

  /** So many at once; the others after the next turn of the loop. */
  #followNext(count: number): void {
    for (const one of this.#rest.splice(0, count)) this.#follow(one)
    if (this.#rest.length > 0) setImmediate(() => this.#stopped || this.#followNext(count))
  }

  #follow({ key, decision }: Decided): void {
    if (decision.kind === 'refused') this.#without.set(key, decision.refusal.reason)
    else this.#without.delete(key)
    const service = this.#services.get(key)
    if (service === undefined) return
    const reason = decision.kind === 'assigned' ? '' : decision.refusal.reason
    for (const event of decision.events) this.#tell(service, event, reason)
    const answer = answerOf(decision, this.#built.config)
    const wanted = this.#wanted(service, key, answer)
    if (differs(service, wanted)) {
      // But for its addresses it waits for what the speakers say: one write is enough for both.
      const isUrgent = this.#announcing.synced || differsInAddresses(service, wanted)
      return this.#putDown(key, answer, isUrgent)
    }
    this.#answers.delete(key)
    this.#options.logger.debug('noChange', { service: key }, 'its status says so already')
    this.#weigh(service, key, wanted)
  }

  /** A write of the addresses says it too; else it is written when it has settled. */
  #announcementChanged(key: Key): void {
    const service = this.#services.get(key)
    if (!this.#synced || service === undefined) return
    this.#weigh(service, key, this.#wanted(service, key, answerBefore(service)))
  }

  /** What else than its addresses there is to write. */
  #weigh(service: ConditionedService, key: Key, wanted: WantedStatus): void {
    if (!this.#isOurs(service)) return
    if (differsInAttributes(service, wanted)) this.#writes.addAfter(key, attributesMs)
    if (!differsInAnnounced(service, wanted)) return this.#announcing.settled(key)
    this.#writes.addAfter(key, this.#announcing.settleMs(key, service.announced, wanted.announced))
  }

  /** A Service that is gone, or balances no more: what we wrote into it is taken back. One of another class is not ours. */
  #leave(key: Key): void {
    this.#without.delete(key)
    this.#answers.delete(key)
    this.#announcing.settled(key)
    this.#leaving.set(key, [])
    const service = this.#services.get(key)
    if (service === undefined || this.#ownerOf(service) === 'another class') return
    const isMarked = service.meta.annotations[allocatedFromPool] !== undefined
    const isSaid = [service.allocated, service.announced, service.attributes].some((one) => one !== undefined)
    if (!isMarked && !isSaid) return
    this.#leaving.see(key, this.#services.get(key), this.#heldBy(key))
    this.#putDown(key, undefined)
  }

  #heldBy(key: Key): readonly string[] {
    return this.#allocator.ledger.holding(key).map(formatIP)
  }

  #putDown(key: Key, answer: Answer | undefined, isUrgent = true): void {
    this.#answers.set(key, answer)
    if (isUrgent) this.#writes.add(key)
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
    if (!synced) return service.announced
    return announcedOf(this.#announcing.of(key), hasAddress, complete, Date.now())
  }

  async #write(key: Key): Promise<void> {
    const service = this.#services.get(key)
    if (service === undefined || this.#ownerOf(service) === 'another class') return
    // What others changed of it is decided on first, and it is put down then.
    if (this.#changed.has(key)) return
    const { logger, metrics, mayWrite } = this.#options
    const answer = this.#answers.has(key) ? this.#answers.get(key) : answerBefore(service)
    const wanted = this.#wanted(service, key, answer)
    const isUrgent = this.#answers.has(key) || (this.#isOurs(service) && differsInAttributes(service, wanted))
    if (!isUrgent) {
      if (!this.#isOurs(service) || !differsInAnnounced(service, wanted)) return
      const waitMs = this.#announcing.settleMs(key, service.announced, wanted.announced)
      if (waitMs > 0) return this.#writes.addAfter(key, waitMs)
    }
    const ips = this.#leaving.free(key, wanted.ips)
    // It waits for others to let go of its address; but first it lets go of what others wait for.
    if (ips.length < wanted.ips.length && !this.#leaving.has(key)) return
    const isStill = () => !this.#changed.has(key) && sameIPs(this.#heldBy(key), wanted.ips)
    const mutate = setStatus(service, { ...wanted, ips }, isStill)
    const options = { precondition: mayWrite, ...this.#fresh.take(service) }
    const write = this.#writer.write(balancedServiceType, key, mutate, options)
    const outcome = await write.catch((error: unknown) => {
      metrics.failedWrite()
      throw error
    })
    if (outcome === 'written' || outcome === 'pruned') {
      this.#announcing.settled(key)
      const { pool, announced } = wanted
      const fields = { ips, pool, reason: answer?.reason ?? '', announced: announced?.reason ?? '' }
      logger.info('serviceUpdated', { service: key, ...fields }, 'status written')
      for (const [event, code] of eventsOfWrite(service, wanted)) this.#tell(service, event, code)
    }
    if (outcome !== 'unchanged' && outcome !== 'refused') this.#leaving.set(key, [])
    // This process may lead again by then.
    if (outcome === 'refused') this.#writes.addAfter(key, refusedMs)
    if (outcome === 'forbidden')
      this.#writes.addAfter(key, this.#writer.forbiddenMs(balancedServiceType, key))
    if (outcome === 'invalid') await this.#sayRefused(service, key, wanted)
  }

  async #sayRefused(service: ConditionedService, key: Key, wanted: WantedStatus): Promise<void> {
    const { mayWrite: precondition } = this.#options
    this.#options.metrics.failedWrite()
    const left = withoutRefused(service, wanted)
    for (const event of eventsOf(service, left)) this.#tell(service, event)
    const mutate = setStatus(service, left)
    await this.#writer.write(balancedServiceType, key, mutate, { precondition })
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
    for (const message of newlyDeprecated(before, after))
      this.#tell(after, { type: 'Warning', reason: 'deprecatedAnnotation', message })
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
    metrics.setPools(this.#built.config, this.#allocator.ledger)
    this.#reports.usageChanged()
  }
}
