/** For tests of behaviour: objects in front of a real Envoy, backends that note what they see, and a client. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { defaultEngineOptions, Engine, type EngineOptions } from '../engine/engine.ts'
import { emptyWorld, take } from '../model/objects.ts'
import type { Layout } from '../xds/layout.ts'
import type { Stand } from '../xds/real-envoy/stand.ts'
import type { Snapshot } from '../xds/resource.ts'
import { readObjects } from './objects.ts'

export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Call {
  readonly path?: string
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string
}

export interface Seen {
  readonly url: string
  readonly headers: IncomingHttpHeaders
}

const pki = new URL('./testdata/pki/', import.meta.url)

/** A certificate, key or list of the test authority, as PEM. */
export function pem(file: string): string {
  return readFileSync(new URL(file, pki), 'utf8')
}

export function pairOf(name: string): { readonly cert: string; readonly key: string } {
  return { cert: pem(`${name}.pem`), key: pem(`${name}.key`) }
}

/** A Secret `web/NAME` of any texts. */
export function secretObject(name: string, stringData: Readonly<Record<string, string>>): string {
  return `---\n${JSON.stringify({ kind: 'Secret', metadata: { name, namespace: 'web' }, type: 'Opaque', stringData })}\n`
}

/** Resources of the objects, for the stand's own ports. */
export function translateFor(
  stand: Stand,
  text: string,
  layout: Layout,
  options: Partial<EngineOptions> = {},
): Snapshot {
  const { changes, slices } = readObjects(text)
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  const engine = new Engine(world, {
    ...defaultEngineOptions,
    ...options,
    layout,
    listeners: {
      ...defaultEngineOptions.listeners,
      http: { address: '127.0.0.1', port: stand.httpPort },
      https: { address: '127.0.0.1', port: stand.httpsPort },
      stats: { address: '127.0.0.1', port: 0 },
      adminPort: 0,
      httpAccessLog: '',
      httpsAccessLog: '',
      ...options.listeners,
    },
  })
  engine.apply(changes)
  engine.applySlices(slices)
  return engine.snapshot()
}

/**
 * True when every response that was sent is acknowledged, or nothing more happens (an Envoy that closes a stream
 * acknowledges nothing on it); undefined before.
 */
export async function settled(stand: Stand): Promise<true | undefined> {
  const figures = (await stand.metrics.exposition()).replaceAll(/^.*outcome="stale".*$/gm, '')
  const sum = (name: string) =>
    [...figures.matchAll(new RegExp(`^${name}\\{.*\\} (\\d+)$`, 'gm'))].reduce(
      (all, [, n]) => all + Number(n),
      0,
    )
  const sent = sum('landfall_xds_responses_total')
  const taken = sum('landfall_xds_acknowledgements_total')
  if (sent > 0 && sent === taken) return true
  const before = progress.get(stand)
  const now = performance.now()
  if (before?.sent === sent && before.taken === taken) return now - before.since > quietMs ? true : undefined
  progress.set(stand, { sent, taken, since: now })
  return undefined
}

const quietMs = 1000
const progress = new WeakMap<Stand, { sent: number; taken: number; since: number }>()

/** A Service `web/NAME`, port 80 named `http`, with an endpoint for each group of ports by name. */
export function serviceObjects(
  name: string,
  endpoints: readonly Readonly<Record<string, number>>[],
  extra = '',
): string {
  const names = Object.keys(endpoints[0] ?? { http: 80 })
  const ports = names.map((port, index) => `{name: ${port}, port: ${80 + index}}`)
  const slices = endpoints.map((group, index) => {
    const numbers = names.map((port) => `{name: ${port}, port: ${group[port]}}`)
    return `
---
kind: EndpointSlice
metadata: {name: ${name}-${index}, namespace: web, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [${numbers.join(', ')}]
endpoints: [{addresses: [127.0.0.1], conditions: {ready: true}}]`
  })
  return `---
kind: Service
metadata: {name: ${name}, namespace: web}
spec: {ports: [${ports.join(', ')}]${extra}}${slices.join('')}
`
}

/** A root HTTPProxy `web/NAME` of the host `NAME.test`; `spec` is YAML in flow style, without braces. */
export function proxyObject(name: string, spec: string, virtualhost = ''): string {
  return `---
kind: HTTPProxy
metadata: {name: ${name}, namespace: web}
spec: {virtualhost: {fqdn: ${name}.test${virtualhost}}, ${spec}}
`
}

/** An ExtensionService `web/NAME` over the Service of that name, by HTTP/2 without TLS unless told otherwise. */
export function extensionObject(name: string, spec = 'protocol: h2c'): string {
  return `---
kind: ExtensionService
metadata: {name: ${name}, namespace: web}
spec: {services: [{name: ${name}, port: 80}], ${spec}}
`
}

/** Answers 200 with its own name, unless told otherwise, and keeps every request. */
export class Backend {
  readonly name: string
  seen: Seen[] = []
  answer: (request: IncomingMessage, response: ServerResponse) => void
  port = 0
  readonly #server: Server

  /** @param pair speaks TLS with this certificate */
  constructor(
    name: string,
    answer?: Backend['answer'],
    pair?: { readonly cert: string; readonly key: string },
  ) {
    this.name = name
    this.answer = answer ?? ((_request, response) => response.end(name))
    const listen = (incoming: IncomingMessage, response: ServerResponse): void => {
      this.seen.push({ url: incoming.url ?? '', headers: incoming.headers })
      this.answer(incoming, response)
    }
    this.#server = pair === undefined ? createServer(listen) : createTlsServer(pair, listen)
    this.#server.on('upgrade', (incoming, socket) => {
      this.seen.push({ url: incoming.url ?? '', headers: incoming.headers })
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    })
  }

  async open(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    this.port = address.port
    return this
  }

  get last(): Seen {
    const seen = this.seen.at(-1)
    if (seen === undefined) throw new Error(`${this.name} has seen nothing`)
    return seen
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

/** Keeps its connections; without redirects, cookies or retries of its own. */
export class Client {
  readonly #agent: Agent
  readonly #port: number
  readonly #secure: boolean

  /** @param way over TLS any certificate is taken */
  constructor(port: number, way: 'plain' | 'tls' = 'plain') {
    this.#port = port
    this.#secure = way === 'tls'
    const options = { keepAlive: true, maxSockets: 16 }
    this.#agent = this.#secure ? new TlsAgent(options) : new Agent(options)
  }

  send(host: string, { path = '/', method = 'GET', headers = {}, body = '' }: Call = {}): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const at = { host: '127.0.0.1', port: this.#port, path, method, agent: this.#agent }
      const tls = { servername: host, rejectUnauthorized: false }
      const start = this.#secure ? tlsRequest : request
      const call = start({ ...at, ...tls, headers: { host, ...headers } }, (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (body += chunk))
        response.on('end', () => resolve(answered(response, body)))
      })
      call.on('upgrade', (response, socket) => {
        socket.destroy()
        resolve(answered(response, ''))
      })
      call.on('error', reject)
      call.end(body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

function answered({ statusCode = 0, headers }: IncomingMessage, body: string): Answered {
  return { status: statusCode, headers, body }
}
