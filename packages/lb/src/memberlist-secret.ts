/**
 * The Secret with which speakers authenticate their heartbeats: made once, by the leader, under the name and key that
 * MetalLB uses (`secretkey`), and never changed. Speakers mount it, so none starts without it.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, hasStatus, secretType } from '@landfall/kube'
import { describeError, type Logger } from '@landfall/telemetry'

const keyBytes = 32
const retryMs = 2000

/** Resolves when the Secret exists, or when making it is not allowed, which is logged once. */
export async function ensureMemberlistSecret(o: {
  readonly cluster: Pick<Cluster, 'create'>
  readonly namespace: string
  readonly name: string
  readonly logger: Logger
  readonly signal: AbortSignal
}): Promise<void> {
  const { cluster, namespace, name, logger, signal } = o
  while (!signal.aborted) {
    try {
      await cluster.create(secretType, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { namespace, name },
        type: 'Opaque',
        stringData: { secretkey: randomBytes(keyBytes).toString('base64') },
      })
      logger.info('memberlistSecretMade', { namespace, name })
      return
    } catch (error) {
      if (hasStatus(error, 409)) return
      logger.warn('memberlistSecretFailed', { namespace, name, error: describeError(error) })
      if (hasStatus(error, 403)) return
    }
    await sleep(retryMs, undefined, { signal }).catch(() => {})
  }
}
