/**
 * The Secret with which speakers authenticate their heartbeats: made once, by the leader, under the name and key that
 * MetalLB uses (`secretkey`), and never changed. Speakers mount it, so none starts without it.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Backoff, type Cluster, delayMs, hasStatus, type ResourceType, secretType } from '@landfall/kube'
import { describeError, type Logger } from '@landfall/telemetry'

const keyBytes = 32
const usualRetry = { firstMs: 1000, ceilingMs: 300_000 }
/** An API server that has just started refuses everybody: so many refusals in a row are meant. */
const meantRefusals = 3

/** Resolves when the Secret exists; until then it is tried again, ever more seldom, and said once that it failed. */
export async function ensureMemberlistSecret(o: {
  readonly cluster: Pick<Cluster, 'create' | 'get'>
  readonly namespace: string
  readonly name: string
  /** That Deployment owns the Secret; '': nobody does. */
  readonly deployment: string
  readonly logger: Logger
  readonly signal: AbortSignal
  /** Tests shorten it. */
  readonly retry?: Backoff
}): Promise<void> {
  const { cluster, namespace, name, logger, signal } = o
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      await cluster.create(secretType, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { namespace, name, ...(await ownedBy(o)) },
        type: 'Opaque',
        stringData: { secretkey: randomBytes(keyBytes).toString('base64') },
      })
      logger.info('memberlistSecretMade', { namespace, name })
      return
    } catch (error) {
      if (hasStatus(error, 409)) return
      if (failures === meantRefusals) {
        const fields = { namespace, name, error: describeError(error) }
        logger.warn(
          'memberlistSecretFailed',
          fields,
          "the speakers' Secret is not there and cannot be made yet",
        )
      }
    }
    await sleep(delayMs(o.retry ?? usualRetry, failures - 1), undefined, { signal }).catch(() => {})
  }
}

const deploymentType: ResourceType = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
  project: () => {
    throw new Error('never watched')
  },
}

/** Nobody, where there is no such Deployment or it may not be read. */
async function ownedBy(o: {
  readonly cluster: Pick<Cluster, 'get'>
  readonly namespace: string
  readonly deployment: string
  readonly logger: Logger
}): Promise<object> {
  if (o.deployment === '') return {}
  const { apiVersion, kind } = deploymentType
  try {
    const { metadata } = await o.cluster.get(deploymentType, `${o.namespace}/${o.deployment}`)
    return { ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid }] }
  } catch (error) {
    if (!hasStatus(error, 403, 404)) throw error
    o.logger.warn('memberlistSecretNoOwner', { deployment: o.deployment, error: describeError(error) })
    return {}
  }
}
