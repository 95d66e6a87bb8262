/**
 * `landfall envoy shutdown-manager`, the sidecar: Envoy's own preStop hook asks `/shutdown` and is answered when the
 * ready file appears, so that Envoy is not stopped before its clients are gone.
 */
import { access, rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { type Logger, serveHttp } from '@landfall/telemetry'

export interface ShutdownManagerOptions {
  readonly logger: Logger
  readonly version: string
  readonly signal: AbortSignal
  /** `::` */
  readonly address: string
  /** 8090; 0 takes a free one. */
  readonly port: number
  /** /admin/ok */
  readonly readyFile: string
  /** Told the port once it is bound. */
  readonly onListening?: (port: number) => void
}

const pollMs = 250

/** Resolves after a clean stop; every question that waits is answered then. */
export async function runShutdownManager(options: ShutdownManagerOptions): Promise<void> {
  const { address, logger, port, readyFile, signal } = options
  // Left behind by a container that ran before in the same pod, it would stop the next Envoy at once.
  await rm(readyFile, { force: true })
  const server = await serveHttp({
    address,
    port,
    routes: {
      '/healthz': () => ({ status: 200, body: 'OK' }),
      '/shutdown': async () => {
        logger.info('shutdownAsked')
        await appeared(readyFile, signal)
        return { status: 200, body: 'OK' }
      },
    },
  })
  logger.info('shutdownManagerListening', { address, port: server.port })
  options.onListening?.(server.port)
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }
  await server.close()
}

async function appeared(path: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const there = await access(path).then(
      () => true,
      () => false,
    )
    if (there) return
    // The abort only ends the wait.
    await delay(pollMs, undefined, { signal }).catch(() => undefined)
  }
}
