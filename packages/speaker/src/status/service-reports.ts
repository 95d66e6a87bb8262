/**
 * Keeps the objects of one kind of report as they should be: this node's own, and, where this speaker is the
 * coordinator, those that say why no node announces a Service, and what nodes that are gone left behind. Nothing is
 * written where the right object stands already. What is announced is said at once; that something is not, only when
 * it has stayed so for a while.
 */
import { type Cluster, delayMs, hasStatus, Reflector, StatusWriter, WorkQueue } from '@landfall/kube'
import { type Key, keyOf } from '@landfall/kube/model'
import { describeError, type Logger } from '@landfall/telemetry'
import { Leftovers } from './leftovers.ts'
import type { OwnerReference } from './owner-reference.ts'
import {
  type ReportKind,
  type ReportText,
  reportName,
  reportObject,
  reportStatus,
  type ServiceReport,
} from './report-object.ts'

/** A move, a flap or a start is over by then. */
const calmMs = 2000
const sweepMs = 10_000
/** For how long a node has no speaker before what it said of BGP is taken away: longer than a pod's replacement. */
const goneMs = 60_000
const concurrentWrites = 4
/** The kind may be installed later, and an API server that has just started refuses everybody. */
const absence = { firstMs: 1000, ceilingMs: 300_000 }
const meantRefusals = 3

export interface ServiceReportsOptions {
  readonly cluster: Cluster
  readonly logger: Logger
  readonly namespace: string
  readonly node: string
  readonly kind: ReportKind
  /** Asked when something is created. */
  readonly owner: () => Promise<OwnerReference | undefined>
  readonly onError: () => void
  /** Tests shorten it. */
  readonly calmMs?: number
  readonly sweepMs?: number
}

export type Wanted =
  /** This node announces it. `reason`: and yet it does not work. */
  | ({ readonly kind: 'here' } & ReportText)
  /** This node did, and may not now: whatever it says of itself says so, too. */
  | { readonly kind: 'lapsed'; readonly reason: string; readonly message: string }
  /** No node does, which the coordinator says. */
  | { readonly kind: 'nowhere'; readonly reason: string; readonly message: string }

export interface Surroundings {
  /** This speaker speaks for all. */
  readonly coordinates: boolean
  readonly knowsService: (service: Key) => boolean
  /** Whether a speaker should run there. */
  readonly knowsNode: (node: string) => boolean
  /** Whether one does: then it takes back itself what does not hold any more. */
  readonly isAlive: (node: string) => boolean
}

export class ServiceReports {
  readonly #options: ServiceReportsOptions
  readonly #reflector: Reflector<ServiceReport>
  readonly #queue: WorkQueue
  readonly #writer: StatusWriter
  readonly #sweeps: NodeJS.Timeout
  readonly #byService = new Map<Key, Set<Key>>()
  /** Nodes without a speaker, and since when. */
  readonly #gone = new Map<string, number>()
  #wanted: Map<Key, Wanted> | undefined
  #around: Surroundings | undefined
  readonly #leftovers: Leftovers
  /**
   * What this node has come to announce, until no other says that it does: who says so later is the other side of a
   * partition.
   */
  readonly #acquired = new Set<Key>()
  /** How often in a row the kind was missing, or might not be written, and the next try. */
  #absences = 0
  /** Nothing is said of what no node announces. */
  #mute = false
  #retry: NodeJS.Timeout | undefined

  constructor(options: ServiceReportsOptions) {
    this.#options = options
    const { cluster, logger, namespace, kind } = options
    const reports = () => this.#reflector.items.values()
    const isAlive = (other: string) => this.#around?.isAlive(other) !== false
    this.#leftovers = new Leftovers({ calmMs, ...options, reports, isAlive })
    this.#writer = new StatusWriter(cluster, logger)
    this.#queue = new WorkQueue({
      work: (key) => this.#reconcile(key),
      concurrency: concurrentWrites,
      logger,
      gate: cluster.gate,
    })
    this.#reflector = new Reflector({
      cluster,
      logger,
      type: kind.type,
      namespace,
      optional: true,
      onChange: (changes) => {
        for (const { key, before, after } of changes) {
          this.#index(key, before, after)
          if (after === undefined || !this.#isRight(after)) this.#touchLater((after ?? before)?.service)
        }
      },
    })
    this.#sweeps = setInterval(() => this.#sweep(), options.sweepMs ?? sweepMs)
    this.#sweeps.unref()
  }

  /** Resolves when it is known what is said already. */
  async start(): Promise<void> {
    this.#reflector.start()
    await this.#reflector.synced
  }

  /**
   * What there is to say, by Service; nothing is written before the first call.
   * @param only of these Services alone, and of the others what was said before; undefined: of all
   */
  set(wanted: ReadonlyMap<Key, Wanted>, around: Surroundings, only?: ReadonlySet<Key>): void {
    const known = this.#wanted
    const coordinated = this.#around?.coordinates
    this.#wanted ??= new Map()
    this.#around = around
    const concerned =
      known === undefined ? wanted.keys() : (only ?? new Set([...known.keys(), ...wanted.keys()]))
    const news = [...concerned].filter((service) => this.#follow(service, wanted.get(service)))
    if (around.coordinates !== coordinated) this.#touchAll()
    for (const service of news) this.#touch(service)
    if (only === undefined) this.#lookAtOthers()
  }

  /** Who is alive may have changed. */
  #lookAtOthers(): void {
    for (const service of this.#acquired)
      if (this.#of(service).some((report) => this.#isStale(report, this.#wanted?.get(service))))
        this.#touch(service)
    const { coordinates = false, isAlive } = this.#around ?? {}
    if (!coordinates || isAlive === undefined) this.#leftovers.forget()
    else if (this.#options.kind.exclusive)
      this.#leftovers.look((node) => node === this.#options.node || isAlive(node))
  }

  /**
   * What this node says that it announces, it may not any more, for this reason; until the next `set`. Where another node
   * has taken back its word already, nothing is said.
   */
  lapse(reason: string, message: string): void {
    this.#wanted ??= new Map()
    // Another speaks for all by now.
    if (this.#around !== undefined) this.#around = { ...this.#around, coordinates: false }
    for (const { service, node } of this.#reflector.items.values())
      if (service !== undefined && node === this.#options.node)
        if (this.#follow(service, { kind: 'lapsed', reason, message })) this.#touch(service)
  }

  /** Answers whether it says something else. */
  #follow(service: Key, text: Wanted | undefined): boolean {
    const before = this.#wanted?.get(service)
    if (text?.kind !== 'here') this.#acquired.delete(service)
    if (text === undefined) return this.#wanted?.delete(service) === true
    this.#wanted?.set(service, text)
    if (text.kind === 'here' && before?.kind !== 'here') this.#acquired.add(service)
    return !same(before, text)
  }

  /** Whether this node is said to announce the Service, and that it works. */
  isReported(service: Key): boolean {
    return this.#of(service).some(({ node, reason }) => node === this.#options.node && reason === '')
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweeps)
    clearTimeout(this.#retry)
    this.#reflector.stop()
    await Promise.all([this.#queue.stop(), this.#leftovers.stop()])
  }

  #index(key: Key, before: ServiceReport | undefined, after: ServiceReport | undefined): void {
    const [was, is] = [before?.service, after?.service]
    if (was !== undefined && was !== is) {
      const keys = this.#byService.get(was)
      keys?.delete(key)
      if (keys?.size === 0) this.#byService.delete(was)
    }
    if (is === undefined) return
    const keys = this.#byService.get(is)
    if (after === undefined) keys?.delete(key)
    else if (keys === undefined) this.#byService.set(is, new Set([key]))
    else keys.add(key)
  }

  #touch(service: Key | undefined): void {
    if (service === undefined || this.#wanted === undefined || this.#retry !== undefined) return
    const wanted = this.#wanted.get(service)
    if (wanted?.kind === 'here' && wanted.reason === '') this.#queue.add(service)
    else this.#touchLater(service)
  }

  #touchLater(service: Key | undefined): void {
    if (service === undefined || this.#wanted === undefined || this.#retry !== undefined) return
    this.#queue.addAfter(service, this.#options.calmMs ?? calmMs)
  }

  /** It says what it should. */
  #isRight(report: ServiceReport): boolean {
    const { service = '', node } = report
    const wanted = this.#wanted?.get(service)
    return wanted !== undefined && !this.#isStale(report, wanted) && node === this.#speaksAs(wanted)
      ? sameText(report, wanted)
      : false
  }

  /** The node in the report that this speaker keeps; undefined: it keeps none. */
  #speaksAs(wanted: Wanted): string | undefined {
    if (wanted.kind !== 'nowhere') return this.#options.node
    return this.#around?.coordinates === true && !this.#mute ? '' : undefined
  }

  #touchAll(): void {
    for (const service of new Set([...this.#byService.keys(), ...(this.#wanted?.keys() ?? [])]))
      this.#touch(service)
  }

  /** What nobody else takes away. */
  #sweep(): void {
    this.#lookAtOthers()
    if (this.#around?.coordinates !== true) return this.#gone.clear()
    const { knowsService, knowsNode } = this.#around
    const now = performance.now()
    const nodes = new Set([...this.#reflector.items.values()].map(({ node }) => node))
    for (const node of this.#gone.keys()) if (knowsNode(node) || !nodes.has(node)) this.#gone.delete(node)
    for (const node of nodes)
      if (node !== '' && !knowsNode(node) && !this.#gone.has(node)) this.#gone.set(node, now)
    for (const { service, node } of this.#reflector.items.values())
      if (service !== undefined && (!knowsService(service) || this.#isGone(node))) this.#touch(service)
  }

  #isGone(node: string): boolean {
    return performance.now() - (this.#gone.get(node) ?? Number.POSITIVE_INFINITY) >= goneMs
  }

  async #reconcile(service: Key): Promise<void> {
    if (this.#wanted === undefined || this.#retry !== undefined) return
    try {
      const wanted = this.#wanted.get(service)
      const reports = this.#of(service)
      const stale = reports.filter((report) => this.#isStale(report, wanted))
      const dead = stale.filter((report) => this.#isOfDead(report))
      for (const { meta } of stale.filter((report) => !dead.includes(report)))
        await this.#leftovers.remove(keyOf(meta))
      const node = wanted && this.#speaksAs(wanted)
      const { node: here } = this.#options
      const isSaid = wanted?.kind !== 'lapsed' || reports.some((one) => one.node === here)
      // That none announces it is said once no dead one says that it does.
      const isTime = wanted?.kind !== 'nowhere' || dead.length === 0
      if (wanted !== undefined && node !== undefined && isSaid && isTime)
        await this.#write(service, node, { names: [], ...wanted })
      // Last: it may take long.
      for (const report of dead) if (!this.#leftovers.clear(report)) this.#touchLater(service)
      if (reports.every((one) => one.node === here || stale.includes(one))) this.#acquired.delete(service)
    } catch (error) {
      if (hasStatus(error, 403, 404)) return this.#absent(error)
      this.#options.onError()
      throw error
    }
  }

  #isStale({ meta, node, service = '', reason }: ServiceReport, wanted: Wanted | undefined): boolean {
    const { node: here, kind } = this.#options
    const { coordinates = false, knowsService, isAlive } = this.#around ?? {}
    const isNamed = meta.name === reportName(kind, node, service)
    const isLeft = coordinates && this.#isGone(node)
    switch (wanted?.kind) {
      case 'here':
        if (node === here) return !isNamed
        if (node === '' || isLeft) return true
        return kind.exclusive && this.#acquired.has(service) && (isAlive?.(node) !== true || reason !== '')
      case 'lapsed':
        return node === here && !isNamed
      case 'nowhere':
        if (!coordinates) return node === here
        return node === '' ? !isNamed : node === here || isLeft || isAlive?.(node) !== true
      default:
        if (node === here) return true
        return coordinates && (node === '' || isLeft || knowsService?.(service) === false)
    }
  }

  /** All of such a node's is taken away at once. */
  #isOfDead({ node }: ServiceReport): boolean {
    const { kind, node: here } = this.#options
    return kind.exclusive && node !== '' && node !== here && this.#around?.isAlive(node) === false
  }

  async #write(service: Key, node: string, text: ReportText): Promise<void> {
    const { namespace, cluster, kind, owner } = this.#options
    const name = reportName(kind, node, service)
    const known = this.#reflector.get(`${namespace}/${name}`)
    if (known !== undefined && known.node === node && sameText(known, text)) return
    if (known === undefined)
      await cluster
        .create(kind.type, reportObject(kind, { namespace, node, service }, await owner()))
        .catch((error: unknown) => {
          if (!hasStatus(error, 409)) throw error
        })
    const status = reportStatus(kind, node, service, text)
    const key = `${namespace}/${name}`
    const outcome = await this.#writer.write(kind.type, key, (raw) => ({ ...raw, status }))
    if (outcome === 'forbidden')
      return this.#queue.addAfter(service, this.#writer.forbiddenMs(kind.type, key))
    this.#absences = 0
    if (outcome !== 'pruned' || node !== '') return
    // The installed definition has no place for a reason: then an object without a node says nothing.
    this.#mute = true
    await this.#leftovers.remove(key)
  }

  /** Asks again after a while, once for all. */
  #absent(error: unknown): void {
    const { logger, kind } = this.#options
    this.#absences++
    if (this.#absences === meantRefusals)
      logger.warn(
        'statusForbidden',
        { resource: kind.type.plural, error: describeError(error) },
        'what is announced is not reported',
      )
    this.#retry ??= setTimeout(
      () => {
        this.#retry = undefined
        this.#touchAll()
      },
      delayMs(absence, this.#absences - 1),
    )
  }

  #of(service: Key): readonly ServiceReport[] {
    return [...(this.#byService.get(service) ?? [])].flatMap((key) => this.#reflector.get(key) ?? [])
  }
}

function same(a: Wanted | undefined, b: Wanted): boolean {
  return a?.kind === b.kind && sameText(a, b)
}

function sameText(a: Partial<ReportText> | undefined, b: Partial<ReportText>): boolean {
  const [x, y] = [a?.names ?? [], b.names ?? []]
  return (
    a !== undefined &&
    (a.reason ?? '') === (b.reason ?? '') &&
    (a.message ?? '') === (b.message ?? '') &&
    x.length === y.length &&
    x.every((name, i) => name === y[i])
  )
}
