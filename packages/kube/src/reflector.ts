/**
 * A live copy of one kind's objects, projected to the model: list, then watch, for ever. Fills itself by a streamed
 * list (WatchList) or, where the server has none, page by page; resumes from bookmarks; lists anew when its version
 * has expired; keeps what it has while the API server is away. Both ways of filling read the newest state.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, type Logger } from '@landfall/telemetry'
import { ApiError, hasStatus } from './api-error.ts'
import { delayMs, reconnectDelayMs } from './backoff.ts'
import type { Cluster } from './cluster.ts'
import type { Key, KubeObject } from './model/index.ts'
import type { RawObject, ResourceType } from './resource.ts'
import { type Change, type PartialList, Store } from './store.ts'
import { SilenceError, type WatchEvent, watchEvents } from './watch-stream.ts'

export interface ReflectorOptions<T extends KubeObject> {
  readonly cluster: Cluster
  readonly type: ResourceType<T>
  /** All namespaces when left out. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly logger: Logger
  /** Changes that arrived together; the first sync is one batch of all objects, delivered before `synced` resolves. */
  readonly onChange?: (changes: readonly Change<T>[]) => void
  /**
   * The kind may be missing (404) or out of bounds (403): then the copy is empty and synced, and asks again. For a
   * missing one each second during the first minute, since its definition is installed along with the program, later
   * each minute; for a right that is not granted after twice as long each time. An API server that has just started
   * refuses everybody for a moment, so neither is believed at once, and objects that were read before are kept for a
   * minute: a definition that goes takes its objects along one by one.
   */
  readonly optional?: boolean
  /** Fills page by page from the first: a server makes pages of thousands sooner than it streams them. */
  readonly paged?: boolean
}

/** Milliseconds, but for the watch's own length; tests shorten them. */
export interface ReflectorTimes {
  /** Bookmarks come about every minute, so a longer silence is a dead connection. */
  readonly idleMs: number
  /** The same while a streamed list is coming in; then pages are tried. */
  readonly listIdleMs: number
  readonly headMs: number
  readonly absentRetryMs: number
  /** The same during the first minute of absence. */
  readonly absentFirstRetryMs: number
  /** How long a kind is refused before it counts as absent. */
  readonly absentDoubtMs: number
  /** The same while there are objects of it. */
  readonly absentKeepMs: number
  /** A watch that ends sooner was no success. */
  readonly settledMs: number
  readonly watchSeconds: () => number
}

const usualTimes: ReflectorTimes = {
  idleMs: 150_000,
  listIdleMs: 30_000,
  headMs: 30_000,
  absentRetryMs: 60_000,
  absentFirstRetryMs: 1000,
  absentDoubtMs: 2000,
  absentKeepMs: 60_000,
  settledMs: 5_000,
  watchSeconds: () => 300 + Math.floor(Math.random() * 300),
}

/** The longest wait for a right, in waits for a definition. */
const forbiddenRetries = 10
const initialEventsEnd = 'k8s.io/initial-events-end'
const relist = { firstMs: 20, ceilingMs: 10_000 }

/** The server took the request for a streamed list, and streams none. */
class NoStreamedList extends Error {}

export class Reflector<T extends KubeObject> {
  /** Resolves after the first sync. */
  readonly synced: Promise<void>
  readonly #options: ReflectorOptions<T>
  readonly #times: ReflectorTimes
  readonly #store: Store<T>
  readonly #stop = new AbortController()
  #resolveSynced: () => void = () => {}
  #started = false
  #hasSynced = false
  #resourceVersion: string | undefined
  #streamedList: boolean
  /** Since the last watch worth the name. */
  #failures = { count: 0, since: 0 }
  #saidFailing = false
  #absentSince: number | undefined
  #saidNotGranted = false

  constructor(options: ReflectorOptions<T>, times: Partial<ReflectorTimes> = {}) {
    this.#options = options
    this.#times = { ...usualTimes, ...times }
    this.#streamedList = options.paged !== true
    this.#store = new Store(
      (raw) => options.type.project(raw),
      (raw, error) => this.#sayBadObject(raw, error),
    )
    this.synced = new Promise((resolve) => {
      this.#resolveSynced = resolve
    })
  }

  get items(): ReadonlyMap<Key, T> {
    return this.#store.items
  }

  get(key: Key): T | undefined {
    return this.#store.items.get(key)
  }

  hasSynced(): boolean {
    return this.#hasSynced
  }

  /** The kind is missing or out of bounds, as far as is known. */
  get isAbsent(): boolean {
    return this.#absentSince !== undefined
  }

  start(): void {
    if (this.#started) return
    this.#started = true
    void this.#run()
  }

  stop(): void {
    this.#stop.abort()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#options.cluster.gate.pass(signal)
      if (signal.aborted) return
      const wait = await this.#follow().then(
        (settled) => this.#afterEnd(settled),
        (error: unknown) => this.#afterFailure(error),
      )
      if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => {})
    }
  }

  /** One watch, from the fill or the last known version to its end. @returns whether it was a watch worth the name */
  async #follow(): Promise<boolean> {
    if (this.#resourceVersion === undefined && !this.#streamedList) await this.#fillByPages()
    let list = this.#resourceVersion === undefined ? this.#store.startList() : undefined
    const stream = await this.#open(list !== undefined)
    const opened = performance.now()
    this.#sayRecovered()
    const batches = watchEvents(stream, {
      idleMs: () => (list === undefined ? this.#times.idleMs : this.#times.listIdleMs),
      onBadLine: (line) => this.#sayBadLine(line),
    })
    try {
      for await (const events of batches) {
        if (this.#stop.signal.aborted) return true
        list = this.#take(events, list)
        if (this.#isSettled(opened)) this.#failures = { count: 0, since: 0 }
      }
    } catch (error) {
      if (list !== undefined && error instanceof SilenceError) throw new NoStreamedList(error.message)
      throw error
    }
    if (list !== undefined) throw new ApiError(this.#request(), 0, '', 'the list ended early')
    return this.#isSettled(opened)
  }

  /** @returns the list that is still coming in */
  #take(events: Iterable<WatchEvent>, before: PartialList<T> | undefined): PartialList<T> | undefined {
    let list = before
    const changes: Change<T>[] = []
    for (const event of events) {
      const { metadata } = event.object
      if (event.type === 'ERROR') {
        this.#deliver(changes)
        throw watchError(this.#request(), event)
      }
      if (event.type === 'BOOKMARK') {
        if (list !== undefined) {
          if (metadata.annotations?.[initialEventsEnd] !== 'true') throw new NoStreamedList('not streamed')
          changes.push(...list.finish())
          list = undefined
          this.#hasSynced = true
        }
      } else if (list === undefined) {
        changes.push(...this.#store.apply(event))
      } else if (event.type === 'DELETED') {
        list.remove(event.object)
      } else {
        list.add(event.object)
      }
      if (list === undefined) this.#resourceVersion = metadata.resourceVersion ?? this.#resourceVersion
    }
    this.#deliver(changes)
    return list
  }

  async #fillByPages(): Promise<void> {
    const { cluster, type } = this.#options
    const list = this.#store.startList()
    let version = ''
    for await (const page of cluster.pages(type, this.#options, this.#stop.signal)) {
      for (const raw of page.items) list.add(raw)
      version = page.resourceVersion
    }
    this.#resourceVersion = version
    this.#hasSynced = true
    this.#deliver(list.finish())
  }

  #open(listing: boolean): ReturnType<Cluster['watch']> {
    const { cluster, type } = this.#options
    const timeoutSeconds = this.#times.watchSeconds()
    const from = listing
      ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
      : { resourceVersion: this.#resourceVersion }
    return cluster.watch(
      type,
      this.#options,
      { ...from, timeoutSeconds },
      this.#stop.signal,
      this.#times.headMs,
    )
  }

  #deliver(changes: readonly Change<T>[]): void {
    try {
      if (changes.length > 0) this.#options.onChange?.(changes)
    } catch (error) {
      this.#options.logger.error('changeHandlerFailed', { ...this.#about(), error })
    }
    if (this.#hasSynced) this.#resolveSynced()
  }

  /** @returns milliseconds until the next watch */
  #afterEnd(settled: boolean): number {
    if (settled) return 0
    return this.#failed()
  }

  /** @returns milliseconds until the next try */
  #afterFailure(error: unknown): number {
    if (this.#stop.signal.aborted) return 0
    if (isExpired(error)) {
      const fields = { ...this.#about(), error: describeError(error) }
      this.#options.logger.info('relist', fields, 'the known version has expired: all is read anew')
      this.#resourceVersion = undefined
      return delayMs(relist, this.#failures.count++)
    }
    if (this.#resourceVersion === undefined && this.#streamedList && refusesStreaming(error)) {
      this.#streamedList = false
      return 0
    }
    if (this.#options.optional && hasStatus(error, 403, 404)) return this.#afterAbsence(error)
    this.#absentSince = undefined
    // A kind whose definition is new asks for patience (429), once.
    if (!this.#saidFailing && (this.#failures.count > 0 || !hasStatus(error, 429))) {
      const fields = { ...this.#about(), error: describeError(error) }
      this.#options.logger.warn('watchFailed', fields, 'the watch ended; what is known stays in force')
      this.#saidFailing = true
    }
    // While the server is away the gate decides when to try, and the failures of that time are not this watch's own.
    if (this.#options.cluster.gate.isOutage()) return 0
    return Math.max(this.#failed(), error instanceof ApiError ? error.retryAfterMs : 0)
  }

  /** @returns milliseconds until the next try */
  #afterAbsence(error: unknown): number {
    const { absentFirstRetryMs, absentRetryMs, absentDoubtMs, absentKeepMs } = this.#times
    this.#absentSince ??= performance.now()
    const absentMs = performance.now() - this.#absentSince
    const empty = this.#store.items.size === 0
    const forbidden = hasStatus(error, 403)
    if (absentMs < (empty ? absentDoubtMs : absentKeepMs))
      return forbidden && empty ? absentFirstRetryMs : absentFirstRetryMs / 4
    this.#resourceVersion = undefined
    this.#hasSynced = true
    this.#deliver(this.#store.clear())
    if (!forbidden) return absentMs < 60_000 ? absentFirstRetryMs : absentRetryMs
    this.#sayNotGranted(error)
    return Math.min(Math.max(absentMs, absentFirstRetryMs), forbiddenRetries * absentRetryMs)
  }

  /** @returns milliseconds until the next try */
  #failed(): number {
    const now = performance.now()
    if (this.#failures.count === 0) this.#failures.since = now
    return reconnectDelayMs(now - this.#failures.since, this.#failures.count++)
  }

  #isSettled(opened: number): boolean {
    return performance.now() - opened >= this.#times.settledMs
  }

  #sayNotGranted(error: unknown): void {
    if (this.#saidNotGranted) return
    this.#saidNotGranted = true
    const fields = { ...this.#about(), error: describeError(error) }
    this.#options.logger.info(
      'notGranted',
      fields,
      'the role does not let this kind be read: it counts as empty',
    )
  }

  #sayRecovered(): void {
    this.#absentSince = undefined
    this.#saidNotGranted = false
    if (this.#saidFailing) this.#options.logger.info('watchRecovered', this.#about(), 'the watch is back')
    this.#saidFailing = false
  }

  #sayBadLine(line: string): void {
    const name = /"name":\s*"([^"]*)"/.exec(line)?.[1]
    // Of a Secret nothing is quoted.
    const quoted = this.#options.type.kind === 'Secret' ? {} : { line: line.slice(0, 200) }
    this.#options.logger.error('badWatchLine', { ...this.#about(), name, ...quoted })
  }

  #sayBadObject(raw: RawObject, error: unknown): void {
    const { namespace = '', name } = raw.metadata
    this.#options.logger.error('badObject', {
      ...this.#about(),
      namespace,
      name,
      error: describeError(error),
    })
  }

  #request(): string {
    return `watch of ${this.#options.type.plural}`
  }

  #about(): Readonly<Record<string, string>> {
    return { resource: this.#options.type.plural }
  }
}

function isExpired(error: unknown): boolean {
  return hasStatus(error, 410) || (error instanceof ApiError && error.reason === 'Expired')
}

/** What a server without WatchList does: refuse the parameters, or take no notice of them. */
function refusesStreaming(error: unknown): boolean {
  return error instanceof NoStreamedList || hasStatus(error, 400, 422)
}

/** The Status object inside an ERROR event. */
function watchError(request: string, event: WatchEvent): ApiError {
  const { code, reason, message } = event.object
  return new ApiError(
    request,
    typeof code === 'number' ? code : 0,
    typeof reason === 'string' ? reason : '',
    typeof message === 'string' ? message : 'the watch ended with an error',
  )
}
