/** What can be asked of one API server, in terms of resource types. Everything else in this package goes through here. */
import type { IncomingMessage } from 'node:http'
import type { Logger, Metrics } from '@landfall/telemetry'
import type { Access } from './access.ts'
import { ApiError } from './api-error.ts'
import { findAccess } from './find-access.ts'
import { withoutManagedFields } from './managed-fields.ts'
import { requestFailures } from './metrics.ts'
import { type Key, type KubeObject, splitKey } from './model/index.ts'
import type { OutageGate } from './outage-gate.ts'
import { RequestRate } from './request-rate.ts'
import { pathOf, type RawObject, type ResourceType } from './resource.ts'
import { type RequestParameters, Transport } from './transport.ts'

export interface ClusterOptions {
  /** Path of a kubeconfig; else KUBECONFIG, then the pod's service account. */
  readonly kubeconfig?: string
  readonly logger: Logger
  /** Counts requests that failed, when given. */
  readonly metrics?: Metrics
  /** `landfall-controller/0.1.0`: the part before the slash is the field manager of every write. */
  readonly userAgent: string
  /** No limit when left out. */
  readonly rate?: { readonly perSecond: number; readonly burst: number }
  /** Logs each request. */
  readonly trace?: boolean
}

/** Which objects of a kind. */
export interface Selection {
  /** All namespaces when left out. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

export interface Page {
  readonly items: readonly RawObject[]
  /** Of the whole list. */
  readonly resourceVersion: string
}

interface RawList {
  readonly items?: readonly RawObject[] | null
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string }
}

const pageSize = 500

/** @throws an Error that says which configuration is missing or wrong */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const access = await findAccess(options.kubeconfig)
  options.logger.debug('cluster', { server: access.server.href })
  const failures = options.metrics && requestFailures(options.metrics)
  const { rate, trace, logger } = options
  return new Cluster(
    access,
    options.userAgent,
    (method, status) => failures?.inc({ method, status: String(status) }),
    {
      ...(rate === undefined ? {} : { rate: new RequestRate(rate.perSecond, rate.burst) }),
      ...(trace === true
        ? { onRequest: ({ method, path }) => logger.info('kubernetesRequest', { method, path }) }
        : {}),
    },
  )
}

interface Watched {
  readonly rate?: RequestRate
  readonly onRequest?: (parameters: RequestParameters) => void
}

export class Cluster {
  readonly #watched: Watched
  readonly #access: Access
  readonly #transport: Transport
  readonly #onFailure: (method: string, status: number) => void

  constructor(
    access: Access,
    userAgent: string,
    onFailure: (method: string, status: number) => void = () => {},
    watched: Watched = {},
  ) {
    this.#watched = watched
    this.#access = access
    this.#transport = new Transport(access, userAgent)
    this.#onFailure = onFailure
  }

  /** Who may try while the API server is away. */
  get gate(): OutageGate {
    return this.#transport.gate
  }

  /** The namespace of the credentials: a pod's own; '' when they belong to none. */
  get namespace(): string {
    return this.#access.namespace
  }

  /** @throws ApiError */
  async request<T = RawObject>(parameters: RequestParameters): Promise<T> {
    const body = await this.#counted(parameters, () => this.#transport.ask(parameters))
    try {
      return JSON.parse(body)
    } catch (error) {
      const name = `${parameters.method} ${parameters.path}`
      throw new ApiError(name, 0, '', 'the answer is no JSON', { cause: error })
    }
  }

  /** An answer that goes on, as it comes in. @throws ApiError when the server refuses */
  open(parameters: RequestParameters & { readonly signal: AbortSignal }): Promise<IncomingMessage> {
    return this.#counted(parameters, () => this.#transport.open(parameters))
  }

  /** @param more where to begin, and for how long */
  watch<T extends KubeObject>(
    type: ResourceType<T>,
    selection: Selection,
    more: Readonly<Record<string, string | number | boolean | undefined>>,
    signal: AbortSignal,
    headTimeoutMs?: number,
  ): Promise<IncomingMessage> {
    const query = { watch: true, allowWatchBookmarks: true, ...selectors(selection), ...more }
    const timeout = headTimeoutMs === undefined ? {} : { timeoutMs: headTimeoutMs }
    return this.open({ method: 'GET', path: pathOf(type, placeOf(selection)), query, signal, ...timeout })
  }

  get<T extends KubeObject>(
    type: ResourceType<T>,
    key: Key,
    more: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<RawObject> {
    return this.request({ method: 'GET', path: pathOf(type, splitKey(key)), ...more })
  }

  /** All objects, at once; a quorum read, since no resource version is given. */
  async list<T extends KubeObject>(type: ResourceType<T>, selection: Selection = {}): Promise<Page> {
    const items: RawObject[] = []
    for (let token: string | undefined; ; ) {
      const query = { ...selectors(selection), limit: pageSize, continue: token }
      const path = pathOf(type, placeOf(selection))
      const page = await this.request<RawList>({ method: 'GET', path, query })
      for (const item of page.items ?? []) items.push(item)
      token = page.metadata?.continue
      if (!token) return { items, resourceVersion: page.metadata?.resourceVersion ?? '' }
    }
  }

  /**
   * All objects, page by page, without `managedFields`; a quorum read. The server makes the next page while one is read.
   * @throws ApiError 410 when reading took longer than the server keeps a list
   */
  async *pages<T extends KubeObject>(
    type: ResourceType<T>,
    selection: Selection,
    signal: AbortSignal,
  ): AsyncGenerator<Page> {
    const ask = (token?: string) => {
      const query = { ...selectors(selection), limit: pageSize, continue: token }
      const page = { method: 'GET', path: pathOf(type, placeOf(selection)), query, signal } as const
      return this.#counted(page, () => this.#transport.read(page))
    }
    for (let asked: Promise<Buffer> | undefined = ask(); asked !== undefined; ) {
      const bytes: Buffer = await asked
      const early = continueOf(bytes)
      asked = early === undefined ? undefined : ask(early)
      // Told when it is waited for.
      asked?.catch(() => {})
      const { items, metadata }: RawList = JSON.parse(withoutManagedFields(bytes))
      yield { items: items ?? [], resourceVersion: metadata?.resourceVersion ?? '' }
      if (early === undefined && metadata?.continue) asked = ask(metadata.continue)
    }
  }

  create<T extends KubeObject>(type: ResourceType<T>, object: RawObject): Promise<RawObject> {
    return this.request({ method: 'POST', path: pathOf(type, placeOf(object.metadata)), body: object })
  }

  /** Replaces the object, or a sub-resource of it, by what was read and changed; 409 when it changed meanwhile. */
  update<T extends KubeObject>(
    type: ResourceType<T>,
    object: RawObject,
    subresource?: 'status',
    more: { readonly signal?: AbortSignal } = {},
  ): Promise<RawObject> {
    const place = { ...placeOf(object.metadata), name: object.metadata.name }
    const path = pathOf(type, subresource === undefined ? place : { ...place, subresource })
    return this.request({ method: 'PUT', path, body: object, ...more })
  }

  /** A merge patch (RFC 7386). */
  patch<T extends KubeObject>(type: ResourceType<T>, key: Key, patch: object): Promise<RawObject> {
    return this.request({
      method: 'PATCH',
      path: pathOf(type, splitKey(key)),
      body: patch,
      contentType: 'application/merge-patch+json',
    })
  }

  delete<T extends KubeObject>(type: ResourceType<T>, key: Key): Promise<RawObject> {
    return this.request({ method: 'DELETE', path: pathOf(type, splitKey(key)) })
  }

  close(): void {
    this.#transport.close()
  }

  async #counted<T>(parameters: RequestParameters, ask: () => Promise<T>): Promise<T> {
    const { rate, onRequest } = this.#watched
    if (rate !== undefined) await rate.turn()
    onRequest?.(parameters)
    return ask().catch((error: unknown) => {
      if (!parameters.signal?.aborted) this.#onFailure(parameters.method, statusOf(error))
      throw error
    })
  }
}

/** Of a page, where the server says so before the objects, as it does for built-in kinds. */
function continueOf(page: Buffer): string | undefined {
  const items = page.indexOf('"items":')
  return /"continue":"([\w-]+)"/.exec(page.toString('latin1', 0, Math.max(items, 0)))?.[1]
}

function statusOf(error: unknown): number {
  return error instanceof ApiError ? error.status : 0
}

function placeOf(at: { readonly namespace?: string }): { readonly namespace?: string } {
  return at.namespace === undefined ? {} : { namespace: at.namespace }
}

function selectors(selection: Selection): Readonly<Record<string, string | undefined>> {
  return { labelSelector: selection.labelSelector, fieldSelector: selection.fieldSelector }
}
