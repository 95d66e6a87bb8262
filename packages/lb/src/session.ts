/**
 * One term as leader: fresh copies of Services and configuration (a first list is read from a quorum), the allocator
 * that decides on them, and the writes that follow. Changes are gathered and decided together; writing never holds
 * up deciding.
 */
import {
  type Change,
  type Cluster,
  EventRecorder,
  hasStatus,
  Reflector,
  serviceType,
  WorkQueue,
} from '@landfall/kube'
import type { Key, Service } from '@landfall/kube/model'
import { type BuiltConfig, poolOf } from '@landfall/metallb'
import { formatIP } from '@landfall/netip'
import { describeError, type Logger } from '@landfall/telemetry'
import { Allocator, type Decided } from './allocation/allocator.ts'
import type { Event, RefusalReason } from './allocation/outcome.ts'
import { allocatedFromPool, readRequest } from './allocation/request.ts'
import { Configuration } from './configuration.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import { Reports } from './reports.ts'
import { differs, type WantedStatus, writeServiceStatus } from './service-status.ts'

export interface SessionOptions {
  readonly cluster: Cluster
  readonly namespace: string
  readonly loadBalancerClass: string
  readonly logger: Logger
  readonly metrics: ControllerMetrics
  readonly mayWrite: () => boolean
}

const concurrentWrites = 8
const outageRetryMs = 300

export class Session {
  readonly #options: SessionOptions
  readonly #allocator = new Allocator()
  readonly #services: Reflector<Service>
  readonly #events: EventRecorder
  readonly #reports: Reports
  readonly #writes: WorkQueue
  readonly #changed = new Set<Key>()
  readonly #without = new Map<Key, RefusalReason>()
  #configuration: Configuration | undefined
  #built: BuiltConfig = { config: { pools: [], peers: [] }, refusals: [] }
  #configChanged = true
  #synced = false
  #scheduled = false
  #stopped = false

  constructor(options: SessionOptions) {
    this.#options = options
    const { cluster, namespace, logger, mayWrite } = options
    this.#services = new Reflector({
      cluster,
      type: serviceType,
      logger,
      onChange: (changes) => this.#sawServices(changes),
    })
    this.#events = new EventRecorder({ cluster, component: 'metallb-controller', logger })
    this.#reports = new Reports({ cluster, namespace, logger, mayWrite, ledger: this.#allocator.ledger })
    this.#writes = new WorkQueue({ work: (key) => this.#write(key), concurrency: concurrentWrites, logger })
  }

  /** Resolves after the first decisions. */
  async start(): Promise<void> {
    const { cluster, namespace, logger, metrics } = this.#options
    const onChange = (count: number) => {
      metrics.sawChanges(count)
      this.#configChanged = true
      this.#schedule()
    }
    const configuration = await Configuration.open({ cluster, namespace, logger, onChange })
    if (this.#stopped) return
    this.#configuration = configuration
    this.#services.start()
    await Promise.all([configuration.start(), this.#services.synced])
    if (this.#stopped) return
    this.#synced = true
    this.#decide()
    logger.info('stateSynced', { services: this.#services.items.size })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#services.stop()
    this.#configuration?.stop()
    await Promise.all([this.#writes.stop(), this.#reports.stop(), this.#events.flush()])
  }

  #sawServices(changes: readonly Change<Service>[]): void {
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
    const changed: Service[] = []
    const gone: Key[] = []
    for (const key of this.#changed) {
      const service = this.#services.get(key)
      if (service !== undefined && this.#isOurs(service)) changed.push(service)
      else gone.push(key)
    }
    this.#changed.clear()
    const decided = this.#allocator.apply({ ...this.#newConfig(), changed, gone })
    for (const one of decided) this.#follow(one)
    for (const key of gone) this.#leave(key)
    if (changed.length + gone.length + decided.length > 0) this.#count()
  }

  /** The configuration for the next batch, if it changed. */
  #newConfig(): { readonly config?: BuiltConfig['config'] } {
    if (!this.#configChanged || this.#configuration === undefined) return {}
    this.#configChanged = false
    this.#built = this.#configuration.build()
    const { config, refusals } = this.#built
    this.#options.metrics.setConfig(refusals.length > 0)
    this.#reports.configChanged(config, refusals, this.#configuration.objects())
    for (const { reason, message, kind, namespace, name, field } of refusals) {
      this.#options.logger.warn('configRefused', { reason, kind, namespace, name, field }, message)
    }
    this.#options.logger.info('configLoaded', { pools: config.pools.length, refusals: refusals.length })
    return { config }
  }

  #follow({ key, decision }: Decided): void {
    if (decision.kind === 'refused') this.#without.set(key, decision.refusal.reason)
    else this.#without.delete(key)
    const service = this.#services.get(key)
    if (service === undefined) return
    for (const event of decision.events) this.#tell(service, event)
    if (differs(service, this.#wanted(key))) this.#writes.add(key)
  }

  /** A Service that is gone, or is none of ours any more: what we wrote into it is taken back. */
  #leave(key: Key): void {
    this.#without.delete(key)
    const service = this.#services.get(key)
    if (service?.meta.annotations[allocatedFromPool] !== undefined) this.#writes.add(key)
  }

  #wanted(key: Key): WantedStatus {
    const ips = this.#allocator.ledger.holding(key)
    const pools = new Set(ips.map((ip) => poolOf(this.#built.config, ip)?.name ?? ''))
    return { ips: ips.map(formatIP), pool: [...pools].join(',') }
  }

  async #write(key: Key): Promise<void> {
    const service = this.#services.get(key)
    if (service === undefined) return
    const { cluster, logger, metrics, mayWrite } = this.#options
    // An outage is about the API server, not about this Service: no backoff, but no try before it is over either.
    if (!cluster.gate.isOpen()) return this.#writes.addAfter(key, outageRetryMs)
    const wanted = this.#wanted(key)
    try {
      const outcome = await writeServiceStatus(cluster, key, service.meta.uid, wanted, mayWrite)
      if (outcome === 'written') logger.info('serviceUpdated', { service: key, ...wanted })
    } catch (error) {
      metrics.failedWrite()
      if (!hasStatus(error, 0)) throw error
      logger.debug('statusWriteFailed', { service: key, error: describeError(error) })
      this.#writes.addAfter(key, outageRetryMs)
    }
  }

  #tell(service: Service, event: Event): void {
    if (!this.#options.mayWrite()) return
    const { namespace, name, uid } = service.meta
    this.#events.record({ apiVersion: 'v1', kind: 'Service', namespace, name, uid }, event)
    const level = event.type === 'Warning' ? 'warn' : 'info'
    this.#options.logger[level](logEventOf(event.reason), { service: `${namespace}/${name}` }, event.message)
  }

  #warnOfOldAnnotations(before: Service | undefined, after: Service): void {
    if (!this.#isOurs(after)) return
    if (before !== undefined && sameRecord(before.meta.annotations, after.meta.annotations)) return
    for (const annotation of readRequest(after).deprecated) {
      const message = `the annotation ${annotation} is deprecated, use the prefix metallb.io/`
      this.#tell(after, { type: 'Warning', reason: 'deprecatedAnnotation', message })
    }
  }

  #isOurs(service: Service): boolean {
    return service.type === 'LoadBalancer' && service.loadBalancerClass === this.#options.loadBalancerClass
  }

  #count(): void {
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

/** `IPAllocated` is logged as `ipAllocated`, `not enough clusterips` as `notEnoughClusterips`. */
function logEventOf(reason: string): string {
  return reason
    .replace(/^([A-Z]+(?=[A-Z][a-z])|[A-Z])/, (start) => start.toLowerCase())
    .replaceAll(/ (.)/g, (_, letter: string) => letter.toUpperCase())
}

function sameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
