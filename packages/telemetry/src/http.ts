/** The small HTTP server behind `/metrics`, `/healthz` and `/readyz`. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Metrics } from './metrics.ts'

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
  close(): Promise<void>
}

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
      const type = contentType ?? 'text/plain; charset=utf-8'
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
      response.end(request.method === 'HEAD' ? undefined : body)
    })
  })
  const host = options.address === '' ? '::' : options.address
  try {
    await listen(server, host, options.port)
  } catch (error) {
    const noIPv6 = error instanceof Error && 'code' in error && error.code === 'EAFNOSUPPORT'
    if (!noIPv6 || host !== '::') throw error
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
  const url = new URL(request.url ?? '/', 'http://localhost')
  const route = Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined
  if (route === undefined) return { status: 404, body: 'not found\n' }
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, body: 'use GET\n' }
  try {
    return await route(url, request)
  } catch (error) {
    return { status: 500, body: `${error instanceof Error ? error.message : String(error)}\n` }
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

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
