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
    const timeout = AbortSignal.timeout(timeoutOf(parameters))
    const response = await this.#send(parameters, anySignal(timeout, parameters.signal))
    return this.#goodBody(parameters, response)
  }

  /** A good answer that goes on, as it comes in; the signal ends it. @throws ApiError */
  async open(parameters: RequestParameters): Promise<IncomingMessage> {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), timeoutOf(parameters))
    try {
      const response = await this.#send(parameters, anySignal(late.signal, parameters.signal))
      if (isGood(response)) return response
      await this.#goodBody(parameters, response)
      throw new ApiError(nameOf(parameters), 0, '', 'no stream')
    } finally {
      clearTimeout(timer)
    }
  }

  close(): void {
    this.#pool?.agent.destroy()
    this.#pool = undefined
  }

  async #goodBody(parameters: RequestParameters, response: IncomingMessage): Promise<string> {
    const body = await readBody(response).catch((error: unknown) => {
      throw new ApiError(nameOf(parameters), 0, '', 'the answer broke off', { cause: error })
    })
    if (isGood(response)) return body
    const seconds = Number(response.headers['retry-after'] ?? 0)
    const retryAfterMs = Number.isFinite(seconds) ? Math.min(seconds * 1000, 30_000) : 0
    throw errorFrom(nameOf(parameters), response.statusCode ?? 0, body, retryAfterMs)
  }

  async #send(parameters: RequestParameters, signal: AbortSignal): Promise<IncomingMessage> {
    const body = parameters.body === undefined ? undefined : JSON.stringify(parameters.body)
    try {
      const options = await this.#options(parameters, body, signal)
      const response = await this.#answer(this.#url(parameters), options, body)
      if (response.statusCode === 401) this.#access.refused()
      this.gate.open()
      return response
    } catch (error) {
      if (parameters.signal?.aborted) throw new ApiError(nameOf(parameters), 0, '', 'given up')
      this.gate.shut()
      if (signal.aborted) throw new ApiError(nameOf(parameters), 0, '', 'no answer in time')
      throw new ApiError(nameOf(parameters), 0, '', 'no answer', { cause: error })
    }
  }

  async #options(
    parameters: RequestParameters,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<RequestOptions> {
    const type = parameters.contentType ?? 'application/json'
    return {
      method: parameters.method,
      signal,
      agent: this.#agent(),
      headers: {
        accept: 'application/json',
        'user-agent': this.#userAgent,
        ...(body !== undefined && { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
        ...(await this.#access.headers()),
      },
    }
  }

  #url(parameters: RequestParameters): URL {
    const { server } = this.#access
    const url = new URL(server.pathname.replace(/\/$/, '') + parameters.path, server)
    for (const [key, value] of Object.entries(parameters.query ?? {})) {
      if (value !== undefined) url.searchParams.set(key, String(value))
    }
    return url
  }

  /** A kept connection may be closed by the server just as it is used again: then once more, but for a POST. */
  async #answer(url: URL, options: RequestOptions, body: string | undefined): Promise<IncomingMessage> {
    for (let fresh = false; ; fresh = true) {
      const send = url.protocol === 'http:' ? http.request : https.request
      const request: ClientRequest = send(
        url,
        fresh ? { ...options, agent: false, ...this.#tls(url) } : options,
      )
      try {
        return await respond(request, body)
      } catch (error) {
        if (fresh || !request.reusedSocket || options.method === 'POST' || options.signal?.aborted)
          throw error
      }
    }
  }

  #tls(url: URL): TlsMaterial {
    return url.protocol === 'http:' ? {} : this.#access.tls()
  }

  /** One agent as long as the TLS material stays; requests under way keep the old one. */
  #agent(): Agent {
    const tls = this.#access.tls()
    if (this.#pool?.tls === tls) return this.#pool.agent
    const settings = { keepAlive: true, keepAliveMsecs: probeAfterMs, maxFreeSockets }
    const plain = this.#access.server.protocol === 'http:'
    const agent = plain ? new http.Agent(settings) : new https.Agent({ ...settings, ...tls })
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

function anySignal(own: AbortSignal, given: AbortSignal | undefined): AbortSignal {
  return given === undefined ? own : AbortSignal.any([own, given])
}

function respond(request: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    // Stays: an error after the answer's head comes out of the answer's own stream, too.
    request.on('error', reject)
    request.end(body)
  })
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
