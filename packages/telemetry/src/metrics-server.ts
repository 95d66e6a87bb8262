/**
 * The port of `/metrics`. Plain HTTP also has the health endpoints, as MetalLB had until v0.15; HTTPS has the metrics
 * alone, for reviewed scrapes, with a certificate of a folder or one made here.
 */
import { readFileSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { SecureContextOptions } from 'node:tls'
import type { Health } from './health.ts'
import { type HttpServer, metricsRoutes, serveHttp } from './http.ts'
import { describeError, type Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import { guarded, type ReviewToken } from './scrape-guard.ts'
import type { TlsSettings } from './tls.ts'

export interface MetricsListener {
  /** '' and '::' listen on IPv6 and IPv4. */
  readonly address: string
  /** 0: none. */
  readonly port: number
  /** undefined: plain HTTP. */
  readonly secure: SecureMetrics | undefined
}

export interface SecureMetrics {
  readonly tls: TlsSettings
  /** With `tls.crt` and `tls.key`, read again when they change; undefined: a certificate that signs itself. */
  readonly certificateFolder: string | undefined
}

export interface MetricsServerOptions {
  readonly listener: MetricsListener
  readonly metrics: Metrics
  readonly health: Health
  readonly review: ReviewToken
  readonly logger: Logger
  /** Between looks at the files of the certificate. Default 10 s. */
  readonly lookMs?: number
}

const lookMs = 10_000
const ownDays = 365
const dayMs = 24 * 3600 * 1000

/** @returns undefined for port 0 @throws when the port is taken, or the certificate cannot be read */
export async function serveMetrics(options: MetricsServerOptions): Promise<HttpServer | undefined> {
  const { listener, metrics, health } = options
  const { address, port, secure } = listener
  if (port === 0) return undefined
  const routes = metricsRoutes(metrics)
  if (secure === undefined) return serveHttp({ address, port, routes: { ...routes, ...health.routes() } })
  return serveSecurely(options, secure)
}

async function serveSecurely(options: MetricsServerOptions, secure: SecureMetrics): Promise<HttpServer> {
  const { listener, metrics, review, logger } = options
  const { address, port } = listener
  const next = secure.certificateFolder === undefined ? ownPair() : pairIn(secure.certificateFolder)
  const first = await next()
  if (first === undefined) throw new Error('no certificate for /metrics')
  const routes = Object.entries(metricsRoutes(metrics)).map(
    ([path, route]) => [path, guarded(route, review, logger)] as const,
  )
  const server = await serveHttp({
    address,
    port,
    routes: Object.fromEntries(routes),
    tls: { ...secure.tls, ...first },
  })
  const renew = async () => {
    try {
      const pair = await next()
      if (pair === undefined) return
      server.setTls({ ...secure.tls, ...pair })
      logger.info('metricsCertificateRenewed')
    } catch (error) {
      logger.warn('metricsCertificateNotRead', { error: describeError(error) }, 'the one before stays in use')
    }
  }
  const timer = setInterval(() => void renew(), options.lookMs ?? lookMs)
  timer.unref()
  return {
    ...server,
    close: () => {
      clearInterval(timer)
      return server.close()
    },
  }
}

/** A new pair, or undefined while the one before is good. */
type NextPair = () => Promise<SecureContextOptions | undefined>

function pairIn(folder: string): NextPair {
  const files = ['tls.crt', 'tls.key'].map((name) => join(folder, name))
  let seen = ''
  return () => {
    const state = files.map((file) => `${statSync(file).mtimeMs} ${statSync(file).ino}`).join()
    if (state === seen) return Promise.resolve(undefined)
    seen = state
    const [cert, key] = files.map((file) => readFileSync(file))
    return Promise.resolve({ ...(cert && { cert }), ...(key && { key }) })
  }
}

/** The library that makes it is loaded for this alone, so the certificate lasts, and is renewed at half its life. */
function ownPair(): NextPair {
  let renewAt = 0
  return async () => {
    if (Date.now() < renewAt) return undefined
    const { makeAuthority, makeLeaf, validFor } = await import('@landfall/certificates')
    const authority = await makeAuthority('CN=landfall-metrics', 'ecdsa-p256', validFor(ownDays))
    const names = [hostname(), 'localhost', '127.0.0.1', '::1']
    const pair = await makeLeaf(authority, { subject: `CN=${hostname()}`, names, usage: 'server' })
    renewAt = Date.now() + (ownDays * dayMs) / 2
    return { cert: pair.certificate + authority.certificate, key: pair.key }
  }
}
