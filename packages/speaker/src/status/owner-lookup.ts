/**
 * The DaemonSet of the own pod, sought until there was an answer, and not again. A refusal counts only when it comes
 * again and again, for an API server that has just started refuses everybody; and not for good even then.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Backoff, type Cluster, delayMs, hasStatus, podType } from '@landfall/kube'
import type { Logger } from '@landfall/telemetry'
import type { OwnerReference } from './owner-reference.ts'

export interface OwnerLookup {
  readonly cluster: Pick<Cluster, 'get'>
  readonly namespace: string
  /** The own pod; '': there is none, and no owner. */
  readonly podName: string
  readonly logger: Logger
  readonly signal: AbortSignal
  readonly times?: OwnerTimes
}

export interface OwnerTimes {
  readonly backoff: Backoff
  /** So many refusals in a row are believed. */
  readonly meant: number
  readonly againMs: number
}

const usual: OwnerTimes = { backoff: { firstMs: 200, ceilingMs: 3200 }, meant: 6, againMs: 60_000 }

/** Answers undefined when there is no such pod, or it may not be read. */
export function ownerLookup(lookup: OwnerLookup): () => Promise<OwnerReference | undefined> {
  const { againMs } = lookup.times ?? usual
  let refusedAt: number | undefined
  let owner: Promise<OwnerReference | undefined> | undefined
  return () => {
    if (refusedAt !== undefined && performance.now() - refusedAt > againMs) {
      owner = undefined
      refusedAt = undefined
    }
    owner ??= findOwner(lookup, () => {
      refusedAt = performance.now()
    }).catch((error: unknown) => {
      owner = undefined
      throw error
    })
    return owner
  }
}

async function findOwner(lookup: OwnerLookup, onRefused: () => void): Promise<OwnerReference | undefined> {
  const { cluster, namespace, podName, logger, signal, times: { backoff, meant } = usual } = lookup
  if (podName === '') return undefined
  for (let refusals = 1; ; refusals++) {
    try {
      const pod = await cluster.get(podType, `${namespace}/${podName}`)
      return daemonSetIn(pod.metadata['ownerReferences'])
    } catch (error) {
      if (!hasStatus(error, 403, 404)) throw error
      if (hasStatus(error, 404) || refusals >= meant || signal.aborted) {
        logger.warn('noOwner', { pod: podName, error }, 'the own pod cannot be read: reports have no owner')
        onRefused()
        return undefined
      }
    }
    await sleep(delayMs(backoff, refusals - 1), undefined, { signal }).catch(() => {})
  }
}

function daemonSetIn(owners: unknown): OwnerReference | undefined {
  if (!Array.isArray(owners)) return undefined
  const owner: OwnerReference | undefined = owners.find((each) => each.kind === 'DaemonSet')
  if (owner === undefined) return undefined
  const { apiVersion, kind, name, uid } = owner
  return { apiVersion, kind, name, uid }
}
