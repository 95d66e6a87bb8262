/** What `serve` answers over HTTP: metrics, health, and what it is made of. */
import { readFile } from 'node:fs/promises'
import type { SecureContextOptions } from 'node:tls'
import {
  describeError,
  type Health,
  type HttpServer,
  type Logger,
  type Metrics,
  type Routes,
  serveHttp,
} from '@landfall/telemetry'
import type { VirtualHost } from '../dag/virtual-host.ts'
import { dotOf } from '../debug/dot.ts'
import { graphOf } from '../debug/graph.ts'
import { svgOf } from '../debug/svg.ts'
import type { HttpTls, ServeOptions } from '../options.ts'
import type { EnvoyStanding } from '../xds/standings.ts'
import { profileRoutes } from './profiles.ts'

export interface Shown {
  /** Before each reading of the metrics. */
  readonly countObjects: () => void
  readonly virtualHosts: () => Iterable<VirtualHost>
  /** How far each Envoy is with what the host wants. */
  readonly standings: (host: string) => readonly EnvoyStanding[]
}

const renewMs = 10_000
const mostHosts = 4

export async function serveEndpoints(
  options: ServeOptions,
  metrics: Metrics,
  health: Health,
  shown: Shown,
): Promise<readonly HttpServer[]> {
  const { http, httpTls, health: at, debug } = options
  const debugServer = await serveHttp({ ...debug, routes: debugRoutes(shown) })
  const healthRoutes = health.routes()
  const alive = healthRoutes['/healthz']
  const checks: Routes = { ...healthRoutes, ...(alive === undefined ? {} : { '/health': alive }) }
  const figures: Routes = {
    '/metrics': async () => {
      shown.countObjects()
      return { status: 200, contentType: metrics.contentType, body: await metrics.exposition() }
    },
    '/envoys': (url) => ({ status: 200, contentType: 'application/json', body: standingsText(url, shown) }),
  }
  if (http.address === at.address && http.port === at.port) {
    return [debugServer, await serveHttp({ ...http, routes: { ...figures, ...checks } })]
  }
  const metricsServer =
    httpTls === undefined
      ? await serveHttp({ ...http, routes: figures })
      : await serveSecure(http, httpTls, figures, options.logger)
  return [debugServer, metricsServer, await serveHttp({ ...at, routes: checks })]
}

/** `?hosts=`, names between commas: what `landfall trace` asks for. */
function standingsText(url: URL, { standings }: Shown): string {
  const hosts = (url.searchParams.get('hosts') ?? '').split(',').slice(0, mostHosts)
  return `${JSON.stringify(hosts.map((host) => ({ host, envoys: standings(host) })))}\n`
}

/** `?host=` shows one of them. */
function debugRoutes({ virtualHosts }: Shown): Routes {
  const graph = (url: URL) => {
    const host = url.searchParams.get('host')
    return graphOf([...virtualHosts()].filter((one) => host === null || one.host === host))
  }
  return {
    '/debug/dag': (url) => ({ status: 200, contentType: 'text/vnd.graphviz', body: dotOf(graph(url)) }),
    '/debug/dag.svg': (url) => ({ status: 200, contentType: 'image/svg+xml', body: svgOf(graph(url)) }),
    ...profileRoutes(),
  }
}

/** The files are read again while it runs. */
async function serveSecure(
  at: ServeOptions['http'],
  files: HttpTls,
  routes: Routes,
  logger: Logger,
): Promise<HttpServer> {
  let tls = await readTls(files)
  const server = await serveHttp({ ...at, routes, tls })
  const renew = async (): Promise<void> => {
    try {
      const now = await readTls(files)
      if (now.cert === tls.cert && now.key === tls.key && now.ca === tls.ca) return
      server.setTls(now)
      tls = now
      logger.info('metricsCertificateReloaded', { certificate: files.certificate })
    } catch (error) {
      logger.warn('metricsCertificateRefused', { problem: describeError(error) })
    }
  }
  const timer = setInterval(() => void renew(), renewMs)
  timer.unref()
  return {
    port: server.port,
    setTls: (own) => server.setTls(own),
    close: () => {
      clearInterval(timer)
      return server.close()
    },
  }
}

interface Material extends SecureContextOptions {
  readonly cert: string
  readonly key: string
  readonly ca?: string
}

async function readTls(
  files: HttpTls,
): Promise<Material & { readonly requestCert?: boolean; readonly rejectUnauthorized?: boolean }> {
  const [cert, key] = await Promise.all([readFile(files.certificate, 'utf8'), readFile(files.key, 'utf8')])
  if (files.ca === undefined) return { cert, key }
  return { cert, key, ca: await readFile(files.ca, 'utf8'), requestCert: true, rejectUnauthorized: true }
}
