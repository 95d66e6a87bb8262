/** The small HTTP or HTTPS server behind `/metrics`, `/healthz`, `/readyz` and the webhooks. */
import type { IncomingMessage, RequestListener, Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { describeError } from './logger.ts'
import type { Metrics } from './metrics.ts'

// An import statement reads every property of the module, and one of them loads all of fetch: 13 MB.
const { createServer } = process.getBuiltinModule('node:http')
const { createServer: createSecureServer } = process.getBuiltinModule('node:https')

export interface HttpAnswer {
  readonly status: number
  readonly contentType?: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

export type Route = (url: URL, request: IncomingMessage) => HttpAnswer | Promise<HttpAnswer>
export type Routes = Readonly<Record<string, Route>>
/** @param path of the request @returns undefined where nothing takes a POST */
export type PostRoutes = (path: string) => ((body: string) => HttpAnswer) | undefined

export interface HttpServer {
  /** The port in use; of interest when 0 was asked for. */
  readonly port: number
  /** New connections are shown this certificate. Only on a server that began with one. @throws when it cannot be used */
  setTls(tls: SecureContextOptions): void
  /** Answers under way get a second to end. */
  close(): Promise<void>
}

const closeMs = 1000
/** A page of 500 objects to convert is some megabytes. */
const maxBodyBytes = 16 * 1024 * 1024

export interface HttpOptions {
  /** '' or '::' listens on IPv4 and IPv6; where the kernel has no IPv6, on IPv4. */
  readonly address: string
  readonly port: number
  /** By exact path. GET and HEAD are answered, other methods with 405, other paths with 404. */
  readonly routes: Routes
  readonly posts?: PostRoutes
  /** HTTPS, with this certificate and key; plain HTTP when left out. */
  readonly tls?: SecureContextOptions
}

/** @throws when the address cannot be listened on, or the certificate not be used */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const listener: RequestListener = (request, response) => {
    void answer(options, request).then(({ status, contentType, body, headers }) => {
      response.writeHead(status, {
        'content-type': contentType ?? 'text/plain; charset=utf-8',
        'content-length': Buffer.byteLength(body),
        ...(status === 405 && { allow: 'GET, HEAD' }),
        ...headers,
      })
      response.end(request.method === 'HEAD' ? undefined : body)
    })
  }
  const secure = options.tls && createSecureServer(options.tls, listener)
  const server = secure ?? createServer(listener)
  server.requestTimeout = 10_000
  const host = options.address === '' ? '::' : options.address
  try {
    await listen(server, host, options.port)
  } catch (error) {
    if (!hasNoIPv6(error) || host !== '::') throw error
    await listen(server, '0.0.0.0', options.port)
  }
  return {
    port: portOf(server.address()),
    setTls: (tls) => secure?.setSecureContext(tls),
    close: () => close(server),
  }
}

export function metricsRoutes(metrics: Metrics): Routes {
  return {
    '/metrics': async () => ({
      status: 200,
      contentType: metrics.contentType,
      body: await metrics.exposition(),
    }),
  }
}

async function answer({ routes, posts }: HttpOptions, request: IncomingMessage): Promise<HttpAnswer> {
  const url = URL.parse(request.url ?? '/', 'http://localhost')
  if (url === null) return { status: 400, body: 'bad request\n' }
  const post = request.method === 'POST' ? posts?.(url.pathname) : undefined
  if (post !== undefined) return await answerPost(post, request)
  const route = Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined
  if (route === undefined) return { status: 404, body: 'not found\n' }
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, body: 'use GET\n' }
  try {
    return await route(url, request)
  } catch (error) {
    return { status: 500, body: `${describeError(error)}\n` }
  }
}

async function answerPost(post: (body: string) => HttpAnswer, request: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of request) {
      bytes += chunk.length
      if (bytes > maxBodyBytes) return { status: 413, body: `more than ${maxBodyBytes} bytes\n` }
      chunks.push(chunk)
    }
    return post(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    return { status: 500, body: `${describeError(error)}\n` }
  }
}

function listen(server: Server | SecureServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function hasNoIPv6(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL')
  )
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0
}

function close(server: Server | SecureServer): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), closeMs)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    server.closeIdleConnections()
  })
}
