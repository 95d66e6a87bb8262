/**
 * A live copy of one kind's objects, projected to the model: list, then watch, for ever. Fills itself by a streamed
 * list (WatchList) or, where the server has none, page by page; resumes from bookmarks; lists anew on 410; keeps
 * what it has while the API server is away.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '@landfall/telemetry'
import { ApiError, describeError, hasStatus } from './api-error.ts'
import { type Cluster, selectors } from './cluster.ts'
import { type Key, type KubeObject, keyOf } from './model/index.ts'
import { pathOf, type RawObject, type ResourceType } from './resource.ts'
import { type WatchEvent, watchEvents } from './watch-stream.ts'

/** `before` is undefined for a new object, `after` for one that is gone. */
export interface Change<T> {
  readonly key: Key
  readonly before: T | undefined
  readonly after: T | undefined
}

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
  /** The kind may be missing (404) or out of bounds (403): then the copy is empty and synced, and asks again each minute. */
  readonly optional?: boolean
}

const initialEventsEnd = 'k8s.io/initial-events-end'
const headerTimeoutMs = 30_000
/** Bookmarks come about every minute. */
const idleMs = 150_000
const absentRetryMs = 60_000

export class Reflector<T extends KubeObject> {
  /** Resolves after the first sync. */
  readonly synced: Promise<void>
  readonly #options: ReflectorOptions<T>
  readonly #items = new Map<Key, T>()
  readonly #stop = new AbortController()
  #resolveSynced: () => void = () => {}
  #hasSynced = false
  #resourceVersion: string | undefined
  #streamedList = true
  #failing = false

  constructor(options: ReflectorOptions<T>) {
    this.#options = options
    this.synced = new Promise((resolve) => {
      this.#resolveSynced = resolve
    })
  }

  get items(): ReadonlyMap<Key, T> {
    return this.#items
  }

  get(key: Key): T | undefined {
    return this.#items.get(key)
  }

  hasSynced(): boolean {
    return this.#hasSynced
  }

  start(): void {
    void this.#run()
  }

  stop(): void {
    this.#stop.abort()
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const wait = await this.#follow().then(
        () => 0,
        (error: unknown) => this.#afterFailure(error),
      )
      await sleep(wait, undefined, { signal: this.#stop.signal }).catch(() => {})
    }
  }

  /** One watch, from the fill or the last known version to its end. */
  async #follow(): Promise<void> {
    if (this.#resourceVersion === undefined && !this.#streamedList) await this.#fillByPages()
    const filling = this.#resourceVersion === undefined
    const stream = await this.#open(filling)
    this.#recovered()
    let fill: Map<Key, T> | undefined = filling ? new Map() : undefined
    const idle = watchEvents(stream, idleMs, (line) => {
      this.#options.logger.warn('badWatchLine', { ...this.#about(), line: line.slice(0, 200) })
    })
    for await (const events of idle) {
      const changes: Change<T>[] = []
      for (const event of events) {
        if (event.type === 'ERROR') throw watchError(this.#path(), event)
        if (event.type === 'BOOKMARK') {
          this.#resourceVersion = event.object.metadata.resourceVersion
          if (fill !== undefined && event.object.metadata.annotations?.[initialEventsEnd] === 'true') {
            changes.push(...this.#replace(fill))
            fill = undefined
          }
        } else if (fill !== undefined) {
          this.#collect(fill, event.object)
        } else {
          changes.push(...this.#apply(event))
        }
      }
      if (fill === undefined) this.#deliver(changes)
    }
    if (fill !== undefined) throw new ApiError(this.#path(), 0, '', 'the list ended early')
  }

  async #fillByPages(): Promise<void> {
    const { cluster, type, namespace } = this.#options
    const { items, resourceVersion } = await cluster.list(type, {
      ...(namespace === undefined ? {} : { namespace }),
      ...definedSelectors(this.#options),
    })
    const fill = new Map<Key, T>()
    for (const raw of items) this.#collect(fill, raw)
    this.#resourceVersion = resourceVersion
    this.#deliver(this.#replace(fill))
  }

  async #open(filling: boolean): ReturnType<Cluster['open']> {
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(new Error('no answer in time')), headerTimeoutMs)
    const list = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' }
    const resume = { resourceVersion: this.#resourceVersion }
    try {
      return await this.#options.cluster.open({
        method: 'GET',
        path: this.#path(),
        query: {
          watch: true,
          allowWatchBookmarks: true,
          timeoutSeconds: 300 + Math.floor(Math.random() * 300),
          ...selectors(this.#options),
          ...(filling ? list : resume),
        },
        signal: AbortSignal.any([this.#stop.signal, abort.signal]),
      })
    } finally {
      clearTimeout(timer)
    }
  }

  #collect(fill: Map<Key, T>, raw: RawObject): void {
    const object = this.#project(raw)
    if (object !== undefined) fill.set(keyOf(object.meta), object)
  }

  /** An object that cannot be projected keeps its last good form, if it had one. */
  #project(raw: RawObject): T | undefined {
    try {
      return this.#options.type.project(raw)
    } catch (error) {
      const { namespace = '', name } = raw.metadata
      this.#options.logger.error('badObject', { ...this.#about(), namespace, name, error })
      return this.#items.get(keyOf({ namespace, name }))
    }
  }

  #apply(event: WatchEvent): readonly Change<T>[] {
    const { namespace = '', name, resourceVersion } = event.object.metadata
    const key = keyOf({ namespace, name })
    if (resourceVersion !== undefined) this.#resourceVersion = resourceVersion
    const before = this.#items.get(key)
    if (event.type === 'DELETED') {
      this.#items.delete(key)
      return before === undefined ? [] : [{ key, before, after: undefined }]
    }
    const after = this.#project(event.object)
    if (after === undefined || before?.meta.resourceVersion === after.meta.resourceVersion) return []
    this.#items.set(key, after)
    return [{ key, before, after }]
  }

  /** The difference between what was held and a full list; what is the same version stays the same value. */
  #replace(fill: ReadonlyMap<Key, T>): readonly Change<T>[] {
    const changes: Change<T>[] = []
    for (const [key, before] of this.#items) {
      if (fill.has(key)) continue
      this.#items.delete(key)
      changes.push({ key, before, after: undefined })
    }
    for (const [key, after] of fill) {
      const before = this.#items.get(key)
      if (before !== undefined && before.meta.resourceVersion === after.meta.resourceVersion) continue
      this.#items.set(key, after)
      changes.push({ key, before, after })
    }
    this.#hasSynced = true
    return changes
  }

  #deliver(changes: readonly Change<T>[]): void {
    try {
      if (changes.length > 0) this.#options.onChange?.(changes)
    } catch (error) {
      this.#options.logger.error('changeHandlerFailed', { ...this.#about(), error })
    }
    if (this.#hasSynced) this.#resolveSynced()
  }

  /** @returns milliseconds until the next try */
  #afterFailure(error: unknown): number {
    if (this.#stop.signal.aborted) return 0
    if (this.#isGone(error)) {
      this.#resourceVersion = undefined
      return 0
    }
    if (this.#resourceVersion === undefined && this.#streamedList && hasStatus(error, 400, 422)) {
      this.#streamedList = false
      return 0
    }
    if (this.#options.optional && hasStatus(error, 403, 404)) {
      this.#resourceVersion = undefined
      this.#deliver(this.#replace(new Map()))
      return absentRetryMs
    }
    if (!this.#failing) {
      this.#options.logger.warn('watchFailed', { ...this.#about(), error: describeError(error) })
      this.#failing = true
    }
    return this.#options.cluster.gate.failed()
  }

  #recovered(): void {
    this.#options.cluster.gate.succeeded()
    if (this.#failing) this.#options.logger.info('watchRecovered', this.#about())
    this.#failing = false
  }

  #isGone(error: unknown): boolean {
    const expired = hasStatus(error, 410) || (error instanceof ApiError && error.reason === 'Expired')
    return expired && this.#resourceVersion !== undefined
  }

  #path(): string {
    const { type, namespace } = this.#options
    return pathOf(type, namespace === undefined ? {} : { namespace })
  }

  #about(): Readonly<Record<string, string>> {
    return { resource: this.#options.type.plural }
  }
}

function definedSelectors(at: { readonly labelSelector?: string; readonly fieldSelector?: string }): {
  readonly labelSelector?: string
  readonly fieldSelector?: string
} {
  return {
    ...(at.labelSelector === undefined ? {} : { labelSelector: at.labelSelector }),
    ...(at.fieldSelector === undefined ? {} : { fieldSelector: at.fieldSelector }),
  }
}

/** The Status object inside an ERROR event. */
function watchError(path: string, event: WatchEvent): ApiError {
  const { code, reason, message } = event.object
  return new ApiError(
    `GET ${path}`,
    typeof code === 'number' ? code : 0,
    typeof reason === 'string' ? reason : '',
    typeof message === 'string' ? message : 'the watch ended with an error',
  )
}
