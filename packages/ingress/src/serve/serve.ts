/**
 * `landfall serve`: observes the cluster, translates it, serves the result to Envoys, and, as the leader, writes
 * status. Every replica translates and serves; what they serve is the same.
 */
import { isIP } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { type Cluster, EventRecorder, LeaderElection } from '@landfall/kube'
import type { Key } from '@landfall/kube/model'
import { Health, type HttpServer, type Metrics } from '@landfall/telemetry'
import { sharedProblems } from '../dag/shared-references.ts'
import { manyChains } from '../engine/chains.ts'
import type { EngineOptions } from '../engine/engine-options.ts'
import { HostIndex } from '../model/host-index.ts'
import { type Lookups, recordingLookups } from '../model/lookups.ts'
import { type Change, emptyWorld, type SliceChange, take } from '../model/objects.ts'
import type { LiveOptions, ServeOptions } from '../options.ts'
import type { Renewer } from '../renewal/renewer.ts'
import { ingressAddresses } from '../status/addresses.ts'
import { tellIngresses } from '../status/refusal-events.ts'
import { type SharedFacts, SharedState } from '../status/shared-state.ts'
import { StatusSync, statusKinds } from '../status/status-sync.ts'
import type { Layout } from '../xds/layout.ts'
import type { Programmed } from '../xds/programming.ts'
import { XdsServer } from '../xds/server.ts'
import type { RefusedContent } from '../xds/session/refusals.ts'
import { Batches } from './batches.ts'
import { serveEndpoints } from './endpoints.ts'
import { ServeMetrics } from './metrics.ts'
import { Moves } from './moves.ts'
import { httpProxyType, Observer } from './observer.ts'
import { ProblemLog } from './problem-log.ts'
import { isRelevant } from './relevance.ts'
import { makeRenewer } from './renewal.ts'
import { Rush } from './rush.ts'
import { Translations } from './translations.ts'

/** After the start statuses wait for so long. */
const firstStatusesMs = 1000
/** The API server keeps Events for an hour. */
const remindMs = 1_800_000
const mostReminders = 1000

export class Serve {
  readonly #options: ServeOptions
  readonly #registry: Metrics
  readonly #health = new Health()
  readonly #metrics: ServeMetrics
  readonly #world = emptyWorld()
  readonly #translations: Translations
  readonly #changes = new Batches<Change>((changes) => this.#translate(changes))
  readonly #rush = new Rush(() => this.#xds.programming.isBehind)
  readonly #moves = new Moves({
    release: (changes) => this.#changes.add(changes),
    serve: (changes) => this.#serveEndpoints(changes),
  })
  readonly #observer: Observer
  readonly #xds: XdsServer
  readonly #status: StatusSync
  readonly #problems: ProblemLog
  readonly #events: EventRecorder
  readonly #shared: SharedState
  /** Of no host: for what concerns all of them. */
  readonly #lookups: Lookups
  readonly #election: LeaderElection | undefined
  readonly #renewer: Renewer | undefined
  /** Called when this replica begins to lead. */
  onLeading: () => void = () => undefined
  /** Told what concerns all hosts, when it changes. */
  onShared: (facts: SharedFacts) => void = () => undefined
  #live: LiveOptions
  #servers: readonly HttpServer[] = []
  #addresses = ''
  #heavy = false
  /** performance.now() from when on statuses are written. */
  #calmAt = 0
  #reminding: NodeJS.Timeout | undefined

  constructor(options: ServeOptions, cluster: Cluster, metrics: Metrics) {
    const { logger, leaderElection } = options
    this.#options = options
    this.#live = options.live
    this.#registry = metrics
    this.#metrics = new ServeMetrics(metrics, options.version)
    this.#translations = new Translations(this.#world, () => this.#observer.slices(), options.live.engine, {
      whole: (layout, snapshot, refused) => {
        this.#xds.publish(snapshot, layout, refused)
        this.#status.touchWaiting()
      },
      change: (layout, change) => this.#xds.apply(change, layout),
      foreseen: (layout, part) => this.#xds.foresee(part, layout),
      released: (proxies) => this.#programmed(proxies),
    })
    this.#problems = new ProblemLog(logger)
    this.#events = new EventRecorder({ cluster, logger, component: 'contour' })
    this.#lookups = recordingLookups(this.#world, new HostIndex(this.#world, []), [])
    this.#shared = new SharedState({
      logger,
      metrics,
      events: this.#events,
      service: () => this.#entry(),
      onChange: (facts) => this.onShared(facts),
    })
    this.#observer = new Observer({
      cluster,
      logger,
      namespaces: options.watchNamespaces,
      disabledFeatures: options.disabledFeatures,
      entry: { namespace: options.envoyServiceNamespace, name: options.envoyServiceName },
      onChanges: (changes) => this.#changes.add(this.#moves.take(changes)),
      onSlices: (changes) => this.#endpoints(changes),
    })
    this.#xds = new XdsServer({
      logger,
      metrics,
      address: options.xds.address,
      port: options.xds.port,
      onRefused: (refused, layout) => {
        if (refused.heldElsewhere) return
        this.#refused(this.#translations.narrow(layout, refused), layout)
      },
      onTable: (table, layout) => this.#refused(this.#translations.taken(layout, table), layout),
      onCleared: (resource, layout) => {
        this.#programmed(this.#translations.clear(layout, resource))
        this.#shared.cleared(resource.type, resource.name)
      },
      onLayout: (layout, wanted) => void this.#translations.want(layout, wanted),
      programming: {
        onLook: (keys) => {
          for (const key of keys) this.#status.touch('httpProxy', key)
        },
        onPresence: (present) => (present ? this.#status.touchWaiting() : this.#status.touchAll()),
      },
      certificates: options.live.engine.dag.certificates,
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
      programmed: (host, proxy) => this.#programmedState(host, proxy),
      addresses: () => this.#entryAddresses(),
      isLeader: () => this.isLeader,
      isBusy: () => this.#rush.isOn,
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
          this.#touchAll()
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
      standings: (host) => this.#xds.standings((layout) => this.#translations.resources(layout, host)),
    })
    // Envoys may come, and are told what to route once all is translated.
    await this.#xds.start()
    this.#translations.prepare()
    await Promise.race([this.#observer.start(), aborted])
    if (signal.aborted) return
    await this.#begin()
    if (signal.aborted) return
    this.#changes.release()
    this.#health.setReady('observed', true)
    logger.info('serving', { port: this.#xds.port })
    this.#reminding = setInterval(() => this.#remind(), remindMs).unref()
    if (this.#election === undefined) this.#lead()
    this.#election?.start()
    await aborted
  }

  async stop(): Promise<void> {
    this.#health.setReady('observed', false, 'stopping')
    clearInterval(this.#reminding)
    this.#observer.stop()
    this.#moves.stop()
    this.#changes.stop()
    this.#translations.stop()
    await this.#status.stop()
    await this.#events.flush()
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
    if (isDeepStrictEqual(before.engine, live.engine)) this.#status.touchAll()
    else void this.#translateAnew(live.engine)
  }

  async #translateAnew(options: EngineOptions): Promise<void> {
    const started = performance.now()
    await this.#translations.configure(options)
    if (this.#options.signal.aborted) return
    this.#lookAtShared()
    this.#metrics.translated((performance.now() - started) / 1000, new Date())
    for (const kind of statusKinds)
      for (const key of this.#world[kind].keys())
        this.#problems.report(kind, key, this.#translations.scoped.verdict(kind, key))
    this.#status.touchAll()
  }

  #countObjects(): void {
    const { scoped } = this.#translations
    const { ingressClasses } = this.#options
    this.#metrics.count(this.#world, ingressClasses, scoped.chains, (key) => scoped.verdict('httpProxy', key))
  }

  /** All that was there at the start. Envoys have much to do then, and come before the statuses. */
  async #begin(): Promise<void> {
    const started = performance.now()
    const changes = this.#changes.takeHeld()
    this.#take(changes)
    this.#translations.remember(this.#observer.told)
    const judged = new Set<string>()
    for await (const some of this.#translations.begin(changes)) {
      for (const one of some) judged.add(one)
      if (this.#options.signal.aborted) return
    }
    this.#calmAt = performance.now() + firstStatusesMs
    this.#publish(started)
    this.#tellProblems(new Set([...judged, ...objectsOf(changes)]))
    this.#addresses = JSON.stringify(this.#entryAddresses())
    this.#touchAll()
  }

  /** What was read of the cluster anew. */
  #take(changes: readonly Change[]): void {
    for (const change of changes) {
      take(this.#world, change)
      this.#metrics.observed(change.kind, change.before, change.after)
    }
  }

  #touchAll(): void {
    const waitMs = this.#calmAt - performance.now()
    if (waitMs <= 0) this.#status.touchAll()
    else setTimeout(() => this.#status.touchAll(), waitMs).unref()
  }

  #translate(changes: readonly Change[]): void {
    const started = performance.now()
    this.#take(changes)
    const relevant = changes.filter(isRelevant)
    // What is only the status again, as after each write of it, concerns the status alone.
    if (relevant.length === 0 && this.#xds.ready) return this.#report(new Set(), changes)
    this.#rush.note()
    const judged = this.#translations.apply(relevant)
    this.#publish(started)
    this.#report(judged, changes)
  }

  /** What was translated. @param started performance.now() of that */
  #publish(started: number): void {
    const publishing = performance.now()
    this.#translations.publish()
    this.#metrics.published((performance.now() - publishing) / 1000)
    this.#metrics.translated((performance.now() - started) / 1000, new Date())
    this.#weighChains()
    this.#lookAtShared()
  }

  #lookAtShared(): void {
    this.#shared.references(sharedProblems(this.#lookups, this.#live.engine.dag))
  }

  /** Said once, and again after there were fewer; of no use where it is followed, and chains are what hosts ask for. */
  #weighChains(): void {
    const { chains } = this.#translations.scoped
    const isHeavy = chains > manyChains && this.#live.engine.dag.certificates === 'chains'
    const advice =
      'each new certificate costs Envoys as much as there are; tls.certificates: on-demand does not'
    if (isHeavy && !this.#heavy) this.#options.logger.warn('manyFilterChains', { chains }, advice)
    this.#heavy = isHeavy
  }

  /** Around translation: what an endpoint's change costs depends on its Service alone. */
  #endpoints(changes: readonly SliceChange[]): void {
    for (const { before, after } of changes) this.#metrics.observed('slice', before, after)
    this.#moves.takeSlices(changes)
  }

  #serveEndpoints(changes: readonly SliceChange[]): void {
    this.#translations.applySlices(changes)
    if (this.#xds.ready) this.#translations.publish()
  }

  #programmedState(host: string, proxy: Key): Programmed | undefined {
    if (this.#translations.wants('scoped', host, proxy).length === 0) return undefined
    return this.#xds.programming.state(proxy, (layout) => this.#translations.wants(layout, host, proxy))
  }

  /** Undefined: what is at fault of a table of many hosts is sought yet. */
  #refused(refused: RefusedContent | undefined, layout: Layout): void {
    if (refused === undefined) return
    const { type, name, message } = refused
    if (type === 'routes') this.#options.logger.error('routesRefused', { layout, name, error: message })
    this.#programmed(this.#translations.refuse(layout, refused))
    this.#shared.refused(type, name, message)
    tellIngresses(this.#events, this.#translations.ofIngresses(layout, refused))
  }

  /** Of an Ingress nothing else tells that a refusal stands. */
  #remind(): void {
    tellIngresses(this.#events, this.#translations.standing().slice(0, mostReminders))
  }

  #programmed(proxies: Iterable<Key>): void {
    for (const key of proxies) this.#status.touchProgrammed(key)
  }

  #report(judged: ReadonlySet<string>, changes: readonly Change[]): void {
    const touched = new Set([...judged, ...objectsOf(changes)])
    this.#tellProblems(touched)
    for (const tagged of touched) {
      const { kind, key } = untagged(tagged)
      if (this.#world[kind].has(key)) this.#status.touch(kind, key)
    }
    const addresses = JSON.stringify(this.#entryAddresses())
    if (addresses !== this.#addresses) this.#touchAll()
    this.#addresses = addresses
  }

  #tellProblems(touched: ReadonlySet<string>): void {
    for (const tagged of touched) {
      const { kind, key } = untagged(tagged)
      const exists = this.#world[kind].has(key)
      this.#problems.report(kind, key, exists ? this.#translations.scoped.verdict(kind, key) : undefined)
    }
  }

  #entryAddresses() {
    return ingressAddresses(this.#live.ingressStatusAddress, this.#entry(), (text) => isIP(text) !== 0)
  }

  /** The Service in front of Envoy. */
  #entry() {
    const { envoyServiceNamespace, envoyServiceName } = this.#options
    return this.#world.service.get(`${envoyServiceNamespace}/${envoyServiceName}`)
  }
}

/** Those that have a status, as `kind:key`. */
function objectsOf(changes: readonly Change[]): readonly string[] {
  return changes.flatMap(({ kind, key }) => (statusKinds.some((one) => one === kind) ? `${kind}:${key}` : []))
}

function untagged(tagged: string): { readonly kind: (typeof statusKinds)[number]; readonly key: Key } {
  const kind = statusKinds.find((one) => tagged.startsWith(`${one}:`)) ?? 'httpProxy'
  return { kind, key: tagged.slice(kind.length + 1) }
}
