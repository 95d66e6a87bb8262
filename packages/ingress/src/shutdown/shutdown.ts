/**
 * `landfall envoy shutdown`, the preStop hook: tells Envoy to fail its health checks, waits until its clients are
 * gone and, when asked to, until no new one comes: nodes and routers still send some for a moment. Then it makes the file for which the shutdown manager waits. Ends early when Envoy is not there any more.
 */
import { writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '@landfall/telemetry'
import { type Admin, connectAdmin } from './admin.ts'

export interface ShutdownOptions {
  readonly logger: Logger
  readonly version: string
  readonly signal: AbortSignal
  /** Unix socket of Envoy's admin interface; /admin/admin.sock. */
  readonly adminAddress: string
  /** Made when the clients are gone; /admin/ok. */
  readonly readyFile: string
  /** Before Envoy is told; 0. */
  readonly drainDelayMs: number
  /** Between telling Envoy and the first look at its connections; 0. */
  readonly checkDelayMs: number
  /** Between two looks; 5000. */
  readonly checkIntervalMs: number
  /** This many connections count as gone; 0. */
  readonly minOpenConnections: number
  /** No connection may have come for so long, either; 0: those that come are not looked at. */
  readonly quietPeriodMs: number
}

/** Waits between the attempts to tell Envoy. */
const retriesMs = [200, 1000, 5000]
/** After this many looks in a row without an answer, Envoy is gone. */
const unanswered = 3

/** Resolves when the file is written; after an abort without having written it. */
export async function runShutdown(options: ShutdownOptions): Promise<void> {
  try {
    await drain(options, connectAdmin(options.adminAddress))
    await writeFile(options.readyFile, 'OK')
    options.logger.info('shutdownReady', { readyFile: options.readyFile })
  } catch (error) {
    if (!options.signal.aborted) throw error
    options.logger.warn('shutdownInterrupted')
  }
}

async function drain(options: ShutdownOptions, admin: Admin): Promise<void> {
  const { logger, signal } = options
  await delay(options.drainDelayMs, undefined, { signal })
  if (!(await tell(options, admin))) return
  logger.info('draining')
  await delay(options.checkDelayMs, undefined, { signal })
  let missed = 0
  let known: number | undefined
  let quietSince = performance.now()
  for (;;) {
    const seen = await admin.connections().catch((error: Error) => error)
    if (seen instanceof Error) {
      missed++
      logger.warn('connectionsUnknown', { error: seen.message })
      if (missed >= unanswered) return
    } else {
      missed = 0
      if (seen.ever !== known) quietSince = performance.now()
      const came = seen.ever - (known ?? seen.ever)
      known = seen.ever
      logger.info('connectionsOpen', { open: seen.open, came, until: options.minOpenConnections })
      const quiet = performance.now() - quietSince >= options.quietPeriodMs
      if (seen.open <= options.minOpenConnections && quiet) return
    }
    await delay(options.checkIntervalMs, undefined, { signal })
  }
}

/** False when Envoy cannot be reached. */
async function tell({ logger, signal }: ShutdownOptions, admin: Admin): Promise<boolean> {
  for (const wait of [...retriesMs, undefined]) {
    try {
      await admin.failHealthChecks()
      return true
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      logger.warn('drainNotStarted', { error: message })
      if (wait !== undefined) await delay(wait, undefined, { signal })
    }
  }
  return false
}
