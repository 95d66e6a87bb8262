/** The small HTTP server behind `/metrics`, `/healthz` and `/readyz`. */
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describeError } from './logger.ts'
import type { Metrics } from './metrics.ts'

// An import statement reads every property of the module, and one of them loads all of fetch: 13 MB.
const { createServer } = process.getBuiltinModule('node:http')

export interface HttpAnswer {
  readonly status: number
  readonly contentType?: string
  readonly body: string
}

export type Route = (url: URL, request: IncomingMessage) => HttpAnswer | Promise<HttpAnswer>
export type Routes = Readonly<Record<string, Route>>

export interface HttpServer {
  /** The port in use; of interest when 0 was asked for. */
  readonly port: number
  /** Answers under way get a second to end. */
  close(): Promise<void>
}

const closeMs = 1000

export interface HttpOptions {
  /** '' or '::' listens on IPv4 and IPv6; where the kernel has no IPv6, on IPv4. */
  readonly address: string
  readonly port: number
  /** By exact path. GET and HEAD are answered, other methods with 405, other paths with 404. */
  readonly routes: Routes
}

/** @throws when the address cannot be listened on */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const server = createServer((request, response) => {
    void answer(options.routes, request).then(({ status, contentType, body }) => {
      response.writeHead(status, {
        'content-type': contentType ?? 'text/plain; charset=utf-8',
        'content-length': Buffer.byteLength(body),
        ...(status === 405 && { allow: 'GET, HEAD' }),
      })
      response.end(request.method === 'HEAD' ? undefined : body)
    })
  })
  server.requestTimeout = 10_000
  const host = options.address === '' ? '::' : options.address
  try {
    await listen(server, host, options.port)
  } catch (error) {
    if (!hasNoIPv6(error) || host !== '::') throw error
    await listen(server, '0.0.0.0', options.port)
  }
  return { port: portOf(server.address()), close: () => close(server) }
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

async function answer(routes: Routes, request: IncomingMessage): Promise<HttpAnswer> {
  const url = URL.parse(request.url ?? '/', 'http://localhost')
  if (url === null) return { status: 400, body: 'bad request\n' }
  const route = Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined
  if (route === undefined) return { status: 404, body: 'not found\n' }
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, body: 'use GET\n' }
  try {
    return await route(url, request)
  } catch (error) {
    return { status: 500, body: `${describeError(error)}\n` }
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
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

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), closeMs)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    server.closeIdleConnections()
  })
}
