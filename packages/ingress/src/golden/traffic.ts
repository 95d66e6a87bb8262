/** For tests of behaviour: objects in front of a real Envoy, backends that note what they see, and a client. */
import { randomBytes } from 'node:crypto'
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
import { connect, type SecureVersion } from 'node:tls'
import { Engine } from '../engine/engine.ts'
import { defaultEngineOptions, type EngineOptions } from '../engine/engine-options.ts'
import { eventually } from '../envoy-process/envoy-process.ts'
import { emptyWorld, take } from '../model/objects.ts'
import type { Layout } from '../xds/layout.ts'
import type { Stand } from '../xds/real-envoy/stand.ts'
import type { Snapshot } from '../xds/resource.ts'
import { readObjects } from './objects.ts'
import { acceptOf, WebSocketEnd } from './websocket.ts'

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

/** Without `websocket` it did not come about. */
export interface Upgraded {
  readonly status: number
  readonly websocket: WebSocketEnd | undefined
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
 * acknowledges nothing on it: what lacked then is not waited for again); undefined before.
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
  const before = progress.get(stand)
  const lost = before?.lost ?? 0
  if (sent > 0 && sent === taken + lost) return true
  const now = performance.now()
  const quiet = before?.sent === sent && before.taken === taken
  if (quiet && now - before.since <= quietMs) return undefined
  progress.set(stand, { sent, taken, since: now, lost: quiet ? sent - taken : lost })
  return quiet ? true : undefined
}

const quietMs = 1000
const progress = new WeakMap<Stand, { sent: number; taken: number; since: number; lost: number }>()

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

/** Answers 200 with its own name, unless told otherwise, and keeps every request; a text by websocket with it and its name. */
export class Backend {
  readonly name: string
  /** The last one. */
  websocket: WebSocketEnd | undefined
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
    // Or a connection would close under a request that comes after a while.
    this.#server.keepAliveTimeout = 0
    this.#server.on('upgrade', (incoming, socket, head) => {
      this.seen.push({ url: incoming.url ?? '', headers: incoming.headers })
      const accept = acceptOf(incoming.headers['sec-websocket-key'] ?? '')
      const answer = ['Connection: Upgrade', 'Upgrade: websocket', `Sec-WebSocket-Accept: ${accept}`]
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${answer.join('\r\n')}\r\n\r\n`)
      this.websocket = new WebSocketEnd(socket, head, 'server', (text, end) => end.send(`${name}: ${text}`))
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
    this.websocket?.destroy()
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

/** The version that a client speaks with the host if it offers this one alone; null: the handshake fails. */
export function spokenVersion(port: number, servername: string, only: SecureVersion): Promise<string | null> {
  return new Promise((resolve) => {
    const bounds = { minVersion: only, maxVersion: only }
    const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false, ...bounds })
    const end = (version: string | null) => {
      socket.destroy()
      resolve(version)
    }
    socket.on('secureConnect', () => end(socket.getProtocol()))
    socket.on('error', () => end(null))
  })
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
    // In turn, so that none is idle until Envoy closes it.
    const options = { keepAlive: true, maxSockets: 16, scheduling: 'fifo' } as const
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
      call.on('error', reject)
      call.end(body)
    })
  }

  /** On a connection of its own. */
  upgrade(host: string, path = '/'): Promise<Upgraded> {
    return new Promise((resolve, reject) => {
      const at = { host: '127.0.0.1', port: this.#port, path, agent: false }
      const tls = { servername: host, rejectUnauthorized: false }
      const key = randomBytes(16).toString('base64')
      const headers = {
        host,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': key,
      }
      const start = this.#secure ? tlsRequest : request
      const call = start({ ...at, ...tls, headers }, ({ statusCode = 0, socket }) => {
        socket.destroy()
        resolve({ status: statusCode, websocket: undefined })
      })
      call.on('upgrade', ({ statusCode = 0, headers: told }, socket, head) => {
        const right = told['sec-websocket-accept'] === acceptOf(key)
        resolve({
          status: statusCode,
          websocket: right ? new WebSocketEnd(socket, head, 'client') : undefined,
        })
      })
      call.on('error', reject)
      call.end()
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

function answered({ statusCode = 0, headers }: IncomingMessage, body: string): Answered {
  return { status: statusCode, headers, body }
}

/** Clients of both ports, once Envoy has taken the objects and answers for these hosts. */
export async function serveBoth(
  stand: Stand,
  text: string,
  hosts: { readonly plain: string; readonly secure: string },
): Promise<{ readonly client: Client; readonly secure: Client }> {
  stand.publishEach((layout) => translateFor(stand, text, layout))
  await eventually('settled', () => settled(stand))
  await eventually('the port opens', () => stand.http(hosts.plain))
  await eventually('the secure port opens', () => stand.https(hosts.secure))
  return { client: new Client(stand.httpPort), secure: new Client(stand.httpsPort, 'tls') }
}
