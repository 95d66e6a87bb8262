// Keeps a list of API objects current: list, then watch from its resourceVersion; on any end or error
// list again after a jittered pause. While the API server is away the last known objects stay.
// Out: `onChange` once per object whose resourceVersion changed, `undefined` for one that is gone.
import type { ApiClient } from './api-client.ts'

export interface ApiObject {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid: string
    readonly resourceVersion: string
  }
}

interface WatchLine<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: T
}

interface ResourceList<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items: readonly T[]
}

export interface ResourceWatchOptions<T> {
  readonly client: ApiClient
  /** Collection path, e.g. /api/v1/pods. */
  readonly path: string
  readonly fieldSelector?: string
  readonly onChange: (uid: string, object: T | undefined) => void
  /** After each complete list, with changes delivered before it. */
  readonly onSynced?: () => void
  readonly onProblem: (problem: unknown) => void
}

const RETRY_MS = 250
const RETRY_MAX_MS = 2000
const WATCH_SECONDS = 300
const PAGE = 500

export class ResourceWatch<T extends ApiObject> {
  readonly #options: ResourceWatchOptions<T>
  readonly #objects = new Map<string, T>()
  readonly #stopped = new AbortController()
  #stream = new AbortController()

  constructor(options: ResourceWatchOptions<T>) {
    this.#options = options
    void this.#run()
  }

  get objects(): ReadonlyMap<string, T> {
    return this.#objects
  }

  /** Lists again at once; for when the connection is known to have been dead for a while. */
  refresh(): void {
    this.#stream.abort()
  }

  stop(): void {
    this.#stopped.abort()
    this.#stream.abort()
  }

  async #run(): Promise<void> {
    let failures = 0
    while (!this.#stopped.signal.aborted) {
      this.#stream = new AbortController()
      try {
        const version = await this.#list()
        failures = 0
        await this.#watch(version)
      } catch (problem) {
        if (this.#stopped.signal.aborted) return
        if (this.#stream.signal.aborted) continue
        if (failures === 0)
          this.#options.onProblem(new Error(`watch ${this.#options.path}: ${String(problem)}`))
        const pause = Math.min(RETRY_MS * 2 ** failures, RETRY_MAX_MS)
        failures += 1
        await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())))
      }
    }
  }

  #query(extra: Readonly<Record<string, string>>): string {
    const query = new URLSearchParams(extra)
    if (this.#options.fieldSelector !== undefined) query.set('fieldSelector', this.#options.fieldSelector)
    return `${this.#options.path}?${query.toString()}`
  }

  /** In pages, so that a long list does not hold up the probes; what is gone goes after the last. */
  async #list(): Promise<string> {
    const present = new Set<string>()
    let version = ''
    let more: string | undefined = ''
    while (more !== undefined) {
      const list: ResourceList<T> = await this.#options.client.request({
        method: 'GET',
        path: this.#query({ limit: String(PAGE), ...(more === '' ? {} : { continue: more }) }),
      })
      if (this.#stopped.signal.aborted) throw new Error('stopped')
      for (const item of list.items) {
        present.add(item.metadata.uid)
        this.#put(item)
      }
      version = list.metadata.resourceVersion
      more = list.metadata.continue || undefined
    }
    for (const uid of this.#objects.keys()) if (!present.has(uid)) this.#remove(uid)
    this.#options.onSynced?.()
    return version
  }

  async #watch(from: string): Promise<void> {
    let resourceVersion = from
    while (!this.#stopped.signal.aborted) {
      const path = this.#query({
        watch: '1',
        resourceVersion,
        allowWatchBookmarks: 'true',
        timeoutSeconds: String(WATCH_SECONDS),
      })
      const onLine = (line: string) => {
        const { type, object } = JSON.parse(line) as WatchLine<T>
        if (type === 'ERROR') throw new Error(`watch ${this.#options.path}: ${line}`)
        resourceVersion = object.metadata.resourceVersion
        if (type === 'DELETED') this.#remove(object.metadata.uid)
        else if (type !== 'BOOKMARK') this.#put(object)
      }
      const started = Date.now()
      await this.#options.client.watch(path, onLine, this.#stream.signal)
      // A server that is going away ends its watches at once; do not spin on it.
      if (Date.now() - started < 1000) throw new Error(`watch ${this.#options.path}: ended early`)
    }
  }

  #put(object: T): void {
    const { uid, resourceVersion } = object.metadata
    if (this.#objects.get(uid)?.metadata.resourceVersion === resourceVersion) return
    this.#objects.set(uid, object)
    this.#options.onChange(uid, object)
  }

  #remove(uid: string): void {
    if (this.#objects.delete(uid)) this.#options.onChange(uid, undefined)
  }
}
