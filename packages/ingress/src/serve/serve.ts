/**
 * `landfall serve`: observes the cluster, translates it, serves the result to Envoys, and, as the leader, writes
 * status. Every replica translates and serves; what they serve is the same.
 */
import { isIP } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { type Cluster, LeaderElection } from '@landfall/kube'
import type { Key } from '@landfall/kube/model'
import { Health, type HttpServer, type Metrics } from '@landfall/telemetry'
import { type Change, emptyWorld, type SliceChange, take } from '../model/objects.ts'
import type { LiveOptions, ServeOptions } from '../options.ts'
import type { Renewer } from '../renewal/renewer.ts'
import { ingressAddresses } from '../status/addresses.ts'
import { StatusSync, statusKinds } from '../status/status-sync.ts'
import { XdsServer } from '../xds/server.ts'
import { Batches } from './batches.ts'
import { serveEndpoints } from './endpoints.ts'
import { ServeMetrics } from './metrics.ts'
import { httpProxyType, Observer } from './observer.ts'
import { ProblemLog } from './problem-log.ts'
import { isRelevant } from './relevance.ts'
import { makeRenewer } from './renewal.ts'
import { Translations } from './translations.ts'

export class Serve {
  readonly #options: ServeOptions
  readonly #registry: Metrics
  readonly #health = new Health()
  readonly #metrics: ServeMetrics
  readonly #world = emptyWorld()
  readonly #translations: Translations
  readonly #changes = new Batches<Change>((changes) => this.#translate(changes))
  readonly #observer: Observer
  readonly #xds: XdsServer
  readonly #status: StatusSync
  readonly #problems: ProblemLog
  readonly #election: LeaderElection | undefined
  readonly #renewer: Renewer | undefined
  /** Called when this replica begins to lead. */
  onLeading: () => void = () => undefined
  #live: LiveOptions
  #servers: readonly HttpServer[] = []
  #addresses = ''

  constructor(options: ServeOptions, cluster: Cluster, metrics: Metrics) {
    const { logger, leaderElection } = options
    this.#options = options
    this.#live = options.live
    this.#registry = metrics
    this.#metrics = new ServeMetrics(metrics, options.version)
    this.#translations = new Translations(this.#world, () => this.#observer.slices(), options.live.engine, {
      whole: (layout, snapshot, refused) => this.#xds.publish(snapshot, layout, refused),
      change: (layout, change) => this.#xds.apply(change, layout),
    })
    this.#problems = new ProblemLog(logger)
    this.#observer = new Observer({
      cluster,
      logger,
      namespaces: options.watchNamespaces,
      disabledFeatures: options.disabledFeatures,
      entry: { namespace: options.envoyServiceNamespace, name: options.envoyServiceName },
      onChanges: (changes) => this.#changes.add(changes),
      onSlices: (changes) => this.#endpoints(changes),
    })
    this.#xds = new XdsServer({
      logger,
      metrics,
      address: options.xds.address,
      port: options.xds.port,
      onRefused: (refused, layout) => {
        if (!refused.heldElsewhere) this.#programmed(this.#translations.refuse(layout, refused))
      },
      onCleared: (resource, layout) => this.#programmed(this.#translations.clear(layout, resource)),
      onLayout: (layout, wanted) => this.#translations.want(layout, wanted),
      security:
        options.xdsTls === undefined
          ? { kind: 'insecure' }
          : { kind: 'tls', files: options.xdsTls, clientNames: options.xdsClientNames },
    })
    this.#status = new StatusSync({
      cluster,
      logger,
      world: this.#world,
      classes: options.ingressClasses,
      httpProxyType,
      verdict: (kind, key) => this.#translations.scoped.verdict(kind, key),
      refusals: (host, proxy, told) => this.#translations.refusals(host, proxy, told),
      addresses: () => this.#entryAddresses(),
      isLeader: () => this.isLeader,
      onOutcome: (kind, outcome, seconds) => this.#metrics.statusOutcome(kind, outcome, seconds),
      onConflict: (kind) => this.#metrics.statusConflict(kind),
    })
    this.#renewer =
      options.xdsTls &&
      makeRenewer({
        cluster,
        logger,
        metrics,
        namespace: options.namespace,
        shownUntil: () => this.#xds.notAfter,
      })
    this.#election =
      leaderElection &&
      new LeaderElection({
        cluster,
        logger,
        metrics,
        ...leaderElection,
        onStarted: () => {
          this.#status.touchAll()
          this.#lead()
        },
        onStopped: () => void this.#renewer?.stop(),
      })
  }

  async run(): Promise<void> {
    const { signal, logger } = this.#options
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    this.#health.setReady('observed', false, 'the cluster has not been read yet')
    this.#servers = await serveEndpoints(this.#options, this.#registry, this.#health, {
      countObjects: () => this.#countObjects(),
      virtualHosts: () => this.#translations.scoped.virtualHosts(),
    })
    await Promise.race([this.#observer.start(), aborted])
    if (signal.aborted) return
    this.#changes.release()
    await this.#xds.start()
    this.#health.setReady('observed', true)
    logger.info('serving', { port: this.#xds.port })
    if (this.#election === undefined) this.#lead()
    this.#election?.start()
    await aborted
  }

  async stop(): Promise<void> {
    this.#health.setReady('observed', false, 'stopping')
    this.#observer.stop()
    this.#changes.stop()
    await this.#status.stop()
    await this.#election?.stop()
    await this.#renewer?.stop()
    await this.#xds.stop()
    await Promise.all(this.#servers.map((server) => server.close()))
  }

  #lead(): void {
    this.onLeading()
    this.#renewer?.start()
  }

  get isLeader(): boolean {
    return this.#election?.isLeader() ?? true
  }

  /** Takes over what changed of the options; every host is translated anew. */
  configure(live: LiveOptions): void {
    const before = this.#live
    this.#live = live
    if (!isDeepStrictEqual(before.engine, live.engine)) {
      const started = performance.now()
      this.#translations.configure(live.engine)
      this.#metrics.translated((performance.now() - started) / 1000, new Date())
      for (const kind of statusKinds)
        for (const key of this.#world[kind].keys())
          this.#problems.report(kind, key, this.#translations.scoped.verdict(kind, key))
    }
    this.#status.touchAll()
  }

  #countObjects(): void {
    this.#metrics.count(this.#world, (key) => this.#translations.scoped.verdict('httpProxy', key))
  }

  #translate(changes: readonly Change[]): void {
    const started = performance.now()
    for (const change of changes) {
      take(this.#world, change)
      this.#metrics.observed(change.kind, change.before, change.after)
    }
    const judged = this.#translations.apply(changes.filter(isRelevant))
    const publishing = performance.now()
    this.#translations.publish()
    this.#metrics.published((performance.now() - publishing) / 1000)
    this.#metrics.translated((performance.now() - started) / 1000, new Date())
    this.#report(judged, changes)
  }

  /** Around translation: what an endpoint's change costs depends on its Service alone. */
  #endpoints(changes: readonly SliceChange[]): void {
    for (const { before, after } of changes) this.#metrics.observed('slice', before, after)
    this.#translations.applySlices(changes)
    if (this.#xds.ready) this.#translations.publish()
  }

  #programmed(proxies: readonly Key[]): void {
    for (const key of proxies) this.#status.touchProgrammed(key)
  }

  #report(judged: ReadonlySet<string>, changes: readonly Change[]): void {
    const touched = new Set(judged)
    for (const { kind, key } of changes) {
      if (statusKinds.some((one) => one === kind)) touched.add(`${kind}:${key}`)
    }
    for (const tagged of touched) {
      const kind = statusKinds.find((one) => tagged.startsWith(`${one}:`)) ?? 'httpProxy'
      const key = tagged.slice(kind.length + 1)
      const exists = this.#world[kind].has(key)
      this.#problems.report(kind, key, exists ? this.#translations.scoped.verdict(kind, key) : undefined)
      if (exists) this.#status.touch(kind, key)
    }
    const addresses = JSON.stringify(this.#entryAddresses())
    if (addresses !== this.#addresses) this.#status.touchAll()
    this.#addresses = addresses
  }

  #entryAddresses() {
    const { envoyServiceNamespace, envoyServiceName } = this.#options
    const service = this.#world.service.get(`${envoyServiceNamespace}/${envoyServiceName}`)
    return ingressAddresses(this.#live.ingressStatusAddress, service, (text) => isIP(text) !== 0)
  }
}
