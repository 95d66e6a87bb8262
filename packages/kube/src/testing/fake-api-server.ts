/**
 * An API server for fault tests: it answers what the test says, and hands each watch to the test, which writes the
 * bytes, ends it or resets it. Plain HTTP on loopback.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Cluster } from '../cluster.ts'
import type { RawObject } from '../resource.ts'
import type { WatchEvent } from '../watch-stream.ts'

const { createServer } = process.getBuiltinModule('node:http')

export interface FakeRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: unknown
}

export interface FakeReply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: unknown
}

/** undefined for a watch hands it to the test; 'reset' breaks the connection; 'silence' never answers. */
export type Answer = (request: FakeRequest) => FakeReply | 'reset' | 'silence' | undefined

export class FakeWatch {
  readonly query: URLSearchParams
  readonly #response: ServerResponse

  constructor(query: URLSearchParams, response: ServerResponse) {
    this.query = query
    this.#response = response
  }

  /** Resolves when this process had a turn to read the bytes, so that two calls are two pieces at the other end. */
  async send(...events: readonly WatchEvent[]): Promise<void> {
    await this.raw(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
  }

  raw(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#response.write(bytes, () => setTimeout(setImmediate, 5, resolve)))
  }

  end(): void {
    this.#response.end()
  }

  reset(): void {
    this.#response.socket?.resetAndDestroy()
  }
}

export class FakeApiServer {
  readonly requests: FakeRequest[] = []
  answer: Answer
  readonly #server: Server
  readonly #watches: FakeWatch[] = []
  #waiting: ((watch: FakeWatch) => void)[] = []

  constructor(answer: Answer = () => undefined) {
    this.answer = answer
    this.#server = createServer((request, response) => void this.#handle(request, response))
  }

  /** @param port 0: any */
  listen(port = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', () => resolve())
    })
  }

  get port(): number {
    const address = this.#server.address()
    if (typeof address !== 'object' || address === null) throw new Error('not listening')
    return address.port
  }

  cluster(): Cluster {
    const access = {
      server: new URL(`http://127.0.0.1:${this.port}`),
      namespace: '',
      tls: () => noTls,
      headers: () => Promise.resolve({}),
      refused: () => {},
    }
    return new Cluster(access, 'test/0')
  }

  /** The next watch that nobody has taken yet. */
  nextWatch(): Promise<FakeWatch> {
    const ready = this.#watches.shift()
    return ready ? Promise.resolve(ready) : new Promise((resolve) => this.#waiting.push(resolve))
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake')
    const body = await readJson(request)
    const asked = { method: request.method ?? '', path: url.pathname, query: url.searchParams, body }
    this.requests.push(asked)
    const reply = this.answer(asked)
    if (reply === 'silence') return
    if (reply === 'reset') return void request.socket.resetAndDestroy()
    if (reply !== undefined) {
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers })
      response.end(JSON.stringify(reply.body))
      return
    }
    if (!asked.query.has('watch')) {
      response.writeHead(404, { 'content-type': 'application/json' })
      response.end(JSON.stringify(statusOf(404, 'NotFound')))
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    const watch = new FakeWatch(asked.query, response)
    const taker = this.#waiting.shift()
    if (taker) taker(watch)
    else this.#watches.push(watch)
  }
}

const noTls = {}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString())
}

export function statusOf(code: number, reason: string, message: string = reason): RawObject & Failure {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: { name: '' },
    status: 'Failure',
    code,
    reason,
    message,
  }
}

interface Failure {
  readonly code: number
  readonly reason: string
}

/** A ConfigMap. */
export function configMap(
  name: string,
  version: number,
  data: Readonly<Record<string, string>> = {},
): RawObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'default', name, uid: `uid-${name}`, resourceVersion: String(version) },
    data,
  }
}

export function bookmark(version: number, endsList = false): WatchEvent {
  const annotations = endsList ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
  return {
    type: 'BOOKMARK',
    object: { metadata: { name: '', resourceVersion: String(version), ...annotations } },
  }
}
