/**
 * Requests to one API server over a pool of kept-open connections. Everything else in this package goes through here.
 * Node's own client is used and no library: it is loaded anyway, and a speaker's memory is counted.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { Logger } from '@landfall/telemetry'
import { type Access, findAccess, type TlsMaterial } from './access.ts'
import { ApiError, errorFrom } from './api-error.ts'
import { type Key, type KubeObject, splitKey } from './model/index.ts'
import { OutageGate } from './outage-gate.ts'
import { pathOf, type RawObject, type ResourceType } from './resource.ts'

export interface RequestParameters {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  /** Of the body; JSON unless given. */
  readonly contentType?: string
  /** Until the whole answer is here; 4 s for writes, 30 s for reads. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface ClusterOptions {
  readonly kubeconfig?: string
  readonly logger: Logger
  /** `landfall-controller/0.1.0`: the part before the slash is the field manager of every write. */
  readonly userAgent: string
}

const writeTimeoutMs = 4000
const readTimeoutMs = 30_000

/** @throws an Error that says which configuration is missing or wrong */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  return new Cluster(await findAccess(options.kubeconfig), options.userAgent)
}

export class Cluster {
  readonly gate: OutageGate = new OutageGate()
  readonly #access: Access
  readonly #userAgent: string
  #agent: { readonly tls: TlsMaterial; readonly agent: HttpAgent } | undefined

  constructor(access: Access, userAgent: string) {
    this.#access = access
    this.#userAgent = userAgent
  }

  /** The namespace of the credentials: a pod's own; '' when they belong to none. */
  get namespace(): string {
    return this.#access.namespace
  }

  /** @throws ApiError */
  async request<T = RawObject>(parameters: RequestParameters): Promise<T> {
    const write = parameters.method !== 'GET'
    const signal = AbortSignal.timeout(parameters.timeoutMs ?? (write ? writeTimeoutMs : readTimeoutMs))
    const both = parameters.signal === undefined ? signal : AbortSignal.any([signal, parameters.signal])
    const name = `${parameters.method} ${parameters.path}`
    const response = await this.#send(parameters, both)
    const body = await readBody(response).catch((error: unknown) => {
      throw new ApiError(name, 0, '', 'the answer broke off', error)
    })
    const status = response.statusCode ?? 0
    if (status >= 300) throw errorFrom(name, status, body)
    return JSON.parse(body)
  }

  /** An answer that goes on, as it comes in. @throws ApiError when the server refuses */
  async open(parameters: RequestParameters & { readonly signal: AbortSignal }): Promise<IncomingMessage> {
    const response = await this.#send(parameters, parameters.signal)
    const status = response.statusCode ?? 0
    if (status < 300) return response
    throw errorFrom(`${parameters.method} ${parameters.path}`, status, await readBody(response))
  }

  get<T extends KubeObject>(type: ResourceType<T>, key: Key): Promise<RawObject> {
    return this.request({ method: 'GET', path: pathOf(type, splitKey(key)) })
  }

  /** All objects, read page by page; a quorum read, since no resource version is given. */
  async list<T extends KubeObject>(
    type: ResourceType<T>,
    at: {
      readonly namespace?: string
      readonly labelSelector?: string
      readonly fieldSelector?: string
    } = {},
  ): Promise<{ readonly items: readonly RawObject[]; readonly resourceVersion: string }> {
    const items: RawObject[] = []
    let token: string | undefined
    for (;;) {
      const page = await this.request<{
        readonly items?: readonly RawObject[] | null
        readonly metadata: { readonly resourceVersion?: string; readonly continue?: string }
      }>({
        method: 'GET',
        path: pathOf(type, at.namespace === undefined ? {} : { namespace: at.namespace }),
        query: { ...selectors(at), limit: 500, continue: token },
      })
      items.push(...(page.items ?? []))
      token = page.metadata.continue
      if (!token) return { items, resourceVersion: page.metadata.resourceVersion ?? '' }
    }
  }

  create<T extends KubeObject>(type: ResourceType<T>, object: RawObject): Promise<RawObject> {
    const { namespace } = object.metadata
    return this.request({
      method: 'POST',
      path: pathOf(type, namespace === undefined ? {} : { namespace }),
      body: object,
    })
  }

  /** Replaces the object, or a sub-resource of it, by what was read and changed; 409 when it changed meanwhile. */
  update<T extends KubeObject>(
    type: ResourceType<T>,
    object: RawObject,
    subresource?: 'status',
  ): Promise<RawObject> {
    const { name, namespace } = object.metadata
    const path = pathOf(type, {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(subresource === undefined ? {} : { subresource }),
    })
    return this.request({ method: 'PUT', path, body: object })
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
    this.#agent?.agent.destroy()
    this.#agent = undefined
  }

  async #send(parameters: RequestParameters, signal: AbortSignal): Promise<IncomingMessage> {
    const name = `${parameters.method} ${parameters.path}`
    const { server } = this.#access
    const url = new URL(server.pathname.replace(/\/$/, '') + parameters.path, server)
    for (const [key, value] of Object.entries(parameters.query ?? {})) {
      if (value !== undefined) url.searchParams.set(key, String(value))
    }
    const body = parameters.body === undefined ? undefined : JSON.stringify(parameters.body)
    try {
      const options: RequestOptions = {
        method: parameters.method,
        signal,
        agent: this.#pool(),
        headers: {
          accept: 'application/json',
          'user-agent': this.#userAgent,
          ...(body === undefined ? {} : { 'content-type': parameters.contentType ?? 'application/json' }),
          ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
          ...(await this.#access.headers()),
        },
      }
      return await answer(url, options, body)
    } catch (error) {
      const late = signal.aborted && signal.reason instanceof Error && signal.reason.name === 'TimeoutError'
      throw new ApiError(name, 0, '', late ? 'no answer in time' : 'no answer', late ? undefined : error)
    }
  }

  /** One agent as long as the TLS material stays; requests under way keep the old one. */
  #pool(): HttpAgent {
    const tls = this.#access.tls()
    if (this.#agent?.tls === tls) return this.#agent.agent
    const pool = { keepAlive: true, scheduling: 'fifo', maxFreeSockets: 4 } as const
    const agent =
      this.#access.server.protocol === 'http:' ? new HttpAgent(pool) : new HttpsAgent({ ...pool, ...tls })
    this.#agent = { tls, agent }
    return agent
  }
}

export function selectors(at: {
  readonly labelSelector?: string
  readonly fieldSelector?: string
}): Readonly<Record<string, string | undefined>> {
  return { labelSelector: at.labelSelector, fieldSelector: at.fieldSelector }
}

function answer(url: URL, options: RequestOptions, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'http:' ? httpRequest : httpsRequest
    const request = send(url, options, resolve)
    request.once('error', reject)
    request.end(body)
  })
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
