/**
 * HTTP to one API server over a pool of kept-open connections. Node's own client is used and no library: it is
 * loaded anyway, and a speaker's memory is counted.
 */
import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { Access, TlsMaterial } from './access.ts'
import { ApiError, errorFrom } from './api-error.ts'
import { OutageGate } from './outage-gate.ts'

// An import statement would read every property of node:http, and one of them loads all of fetch: 13 MB.
const http = process.getBuiltinModule('node:http')
const https = process.getBuiltinModule('node:https')

export interface RequestParameters {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  /** Of the body; JSON unless given. */
  readonly contentType?: string
  /** Until the whole answer is here, of a watch until its head is; 4 s for writes, 30 s for reads. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** A request under way; the second one where a kept connection was closed. */
interface Attempt {
  request: ClientRequest | undefined
  isLate: boolean
}

const writeTimeoutMs = 4000
const readTimeoutMs = 30_000
/** After so long without a byte the kernel probes a connection, and gives it up ten seconds later. */
const probeAfterMs = 15_000
/** As many as a program's queues work at once, so that a burst of writes is no burst of TLS handshakes. */
const maxFreeSockets = 32

export class Transport {
  readonly gate: OutageGate = new OutageGate()
  readonly #access: Access
  readonly #userAgent: string
  #pool: { readonly tls: TlsMaterial; readonly agent: Agent } | undefined

  constructor(access: Access, userAgent: string) {
    this.#access = access
    this.#userAgent = userAgent
  }

  /** The text of a good answer. @throws ApiError */
  async ask(parameters: RequestParameters): Promise<string> {
    return (await this.read(parameters)).toString('utf8')
  }

  /** A good answer as it came. @throws ApiError */
  async read(parameters: RequestParameters): Promise<Buffer> {
    return await this.#inTime(parameters, (response) => this.#goodBody(parameters, response))
  }

  /** A good answer that goes on, as it comes in; the signal ends it. @throws ApiError */
  async open(parameters: RequestParameters): Promise<IncomingMessage> {
    return await this.#inTime(parameters, async (response) => {
      if (isGood(response)) return response
      await this.#goodBody(parameters, response)
      throw new ApiError(nameOf(parameters), 0, '', 'no stream')
    })
  }

  close(): void {
    this.#pool?.agent.destroy()
    this.#pool = undefined
  }

  /** A timer and no signal: those cost a request more than all else of it. */
  async #inTime<T>(
    parameters: RequestParameters,
    take: (response: IncomingMessage) => Promise<T>,
  ): Promise<T> {
    const attempt: Attempt = { request: undefined, isLate: false }
    const timer = setTimeout(() => {
      attempt.isLate = true
      attempt.request?.destroy()
    }, timeoutOf(parameters))
    try {
      return await take(await this.#send(parameters, attempt))
    } finally {
      clearTimeout(timer)
    }
  }

  async #goodBody(parameters: RequestParameters, response: IncomingMessage): Promise<Buffer> {
    const body = await readBody(response).catch((error: unknown) => {
      throw new ApiError(nameOf(parameters), 0, '', 'the answer broke off', { cause: error })
    })
    if (isGood(response)) return body
    const seconds = Number(response.headers['retry-after'] ?? 0)
    const retryAfterMs = Number.isFinite(seconds) ? Math.min(seconds * 1000, 30_000) : 0
    throw errorFrom(nameOf(parameters), response.statusCode ?? 0, body.toString('utf8'), retryAfterMs)
  }

  async #send(parameters: RequestParameters, attempt: Attempt): Promise<IncomingMessage> {
    const body = parameters.body === undefined ? undefined : JSON.stringify(parameters.body)
    try {
      const options = await this.#options(parameters, body)
      const response = await this.#answer(options, body, attempt)
      if (response.statusCode === 401) this.#access.refused()
      this.gate.open()
      return response
    } catch (error) {
      if (parameters.signal?.aborted) throw new ApiError(nameOf(parameters), 0, '', 'given up')
      this.gate.shut()
      if (attempt.isLate) throw new ApiError(nameOf(parameters), 0, '', 'no answer in time')
      throw new ApiError(nameOf(parameters), 0, '', 'no answer', { cause: error })
    }
  }

  async #options(parameters: RequestParameters, body: string | undefined): Promise<RequestOptions> {
    const { signal, contentType: type = 'application/json' } = parameters
    const { protocol, hostname, port } = this.#access.server
    return {
      protocol,
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port,
      path: this.#path(parameters),
      method: parameters.method,
      ...(signal !== undefined && { signal }),
      agent: this.#agent(),
      headers: {
        accept: 'application/json',
        'user-agent': this.#userAgent,
        ...(body !== undefined && { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
        ...(await this.#access.headers()),
      },
    }
  }

  #path({ path, query }: RequestParameters): string {
    const whole = this.#access.server.pathname.replace(/\/$/, '') + path
    if (query === undefined) return whole
    const search = new URLSearchParams()
    for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value))
    return search.size === 0 ? whole : `${whole}?${search.toString()}`
  }

  /** A kept connection may be closed by the server just as it is used again: then once more, but for a POST. */
  async #answer(
    options: RequestOptions,
    body: string | undefined,
    attempt: Attempt,
  ): Promise<IncomingMessage> {
    const plain = options.protocol === 'http:'
    const send = plain ? http.request : https.request
    for (let fresh = false; ; fresh = true) {
      if (attempt.isLate) throw new Error('its time is up')
      const tls = plain ? {} : this.#access.tls()
      const request: ClientRequest = send(fresh ? { ...options, agent: false, ...tls } : options)
      attempt.request = request
      try {
        return await respond(request, body)
      } catch (error) {
        const givenUp = attempt.isLate || options.signal?.aborted
        if (fresh || !request.reusedSocket || options.method === 'POST' || givenUp) throw error
      }
    }
  }

  /** One agent as long as the TLS material stays; requests under way keep the old one. */
  #agent(): Agent {
    const tls = this.#access.tls()
    if (this.#pool?.tls === tls) return this.#pool.agent
    const settings = { keepAlive: true, keepAliveMsecs: probeAfterMs, maxFreeSockets }
    const plain = this.#access.server.protocol === 'http:'
    const agent = plain ? new http.Agent(settings) : new https.Agent({ ...settings, ...tls })
    // All its connections are to one server: by default each request names them by all of the TLS material.
    agent.getName = () => this.#access.server.host
    for (const sockets of Object.values(this.#pool?.agent.freeSockets ?? {})) {
      for (const socket of sockets ?? []) socket.destroy()
    }
    this.#pool = { tls, agent }
    return agent
  }
}

function timeoutOf(parameters: RequestParameters): number {
  return parameters.timeoutMs ?? (parameters.method === 'GET' ? readTimeoutMs : writeTimeoutMs)
}

function nameOf(parameters: RequestParameters): string {
  return `${parameters.method} ${parameters.path}`
}

function isGood(response: IncomingMessage): boolean {
  const { statusCode = 0 } = response
  return statusCode >= 200 && statusCode < 300
}

function respond(request: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    // Stays: an error after the answer's head comes out of the answer's own stream, too.
    request.on('error', reject)
    request.end(body)
  })
}

/** By events: an iterator of the stream costs more than all else of a small answer. */
function readBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  return new Promise((resolve, reject) => {
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.once('end', () => resolve(Buffer.concat(chunks)))
    response.once('error', reject)
    response.once('close', () => reject(new Error('closed before its end')))
  })
}
