/**
 * What the API server answers to a look at a kind, once it means it: one that has just started refuses everybody, and
 * one that is away, busy or broken says nothing of the kind.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError, type Cluster, delayMs, pathOf, type ResourceType } from '@landfall/kube'
import { describeError, type Logger } from '@landfall/telemetry'

/** It may be read; it may not; there is no such kind. */
export type Look = 200 | 403 | 404

export interface LookOptions {
  /** All namespaces when left out. */
  readonly namespace?: string
  readonly logger: Logger
  /** Gives it up. */
  readonly signal: AbortSignal
}

const againMs = 250
/** So many refusals in a row are meant, where it does not say whether it is ready. */
const meantRefusals = 4
/** After this time they are meant, whatever it says. */
const longestMs = 20_000
const answerMs = 4000
const noAnswer = { firstMs: againMs, ceilingMs: 5000 }

/** @returns undefined when it was given up */
export async function lookAt(
  cluster: Cluster,
  type: ResourceType,
  { namespace, logger, signal }: LookOptions,
): Promise<Look | undefined> {
  const path = pathOf(type, namespace === undefined ? {} : { namespace })
  let refused: { readonly since: number; unready: number } | undefined
  let failures = 0
  for (;;) {
    await cluster.gate.pass(signal)
    const answer = await ask(cluster, path, signal, { limit: 1 })
    if (signal.aborted) return undefined
    if (answer === 200) return 200
    if (answer.status === 404) return 404
    if (answer.status === 403) {
      refused ??= { since: performance.now(), unready: 0 }
      if (performance.now() - refused.since > longestMs) return 403
      const ready = await ask(cluster, '/readyz', signal)
      if (ready === 200) return 403
      if (ready.status === 403 && ++refused.unready >= meantRefusals) return 403
      await sleep(againMs, undefined, { signal }).catch(() => {})
      continue
    }
    refused = undefined
    if (failures === 1) logger.warn('lookFailed', { path, error: describeError(answer) }, 'it is asked again')
    const waitMs = Math.max(answer.retryAfterMs, delayMs(noAnswer, failures++))
    // While the server is away the gate decides.
    if (!cluster.gate.isOutage()) await sleep(waitMs, undefined, { signal }).catch(() => {})
  }
}

async function ask(
  cluster: Cluster,
  path: string,
  signal: AbortSignal,
  query: Readonly<Record<string, number>> = {},
): Promise<200 | ApiError> {
  try {
    const answer = await cluster.open({ method: 'GET', path, query, signal, timeoutMs: answerMs })
    answer.resume()
    return 200
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
}
