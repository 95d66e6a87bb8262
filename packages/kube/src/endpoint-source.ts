/**
 * Where endpoints are read: EndpointSlices, or Endpoints where the role grants those alone, as manifests of MetalLB up
 * to v0.9 and of Contour up to 1.20 do, or the API server is older than slices. Both are projected to slices.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, type Logger } from '@landfall/telemetry'
import { hasStatus } from './api-error.ts'
import type { Cluster } from './cluster.ts'
import { endpointSliceType, endpointsType } from './core-types.ts'
import type { EndpointSlice } from './model/index.ts'
import { pathOf, type ResourceType } from './resource.ts'

const retryMs = 1000

/** Where they are asked for; every namespace unless given. */
interface Place {
  readonly namespace?: string
}

/**
 * Asks until one of them may be read: an API server that has just started refuses both for a moment.
 * @returns undefined when it was aborted
 */
export async function endpointSource(
  cluster: Pick<Cluster, 'request' | 'gate'>,
  logger: Logger,
  signal: AbortSignal,
  at: Place = {},
): Promise<ResourceType<EndpointSlice> | undefined> {
  let said = false
  while (!signal.aborted) {
    await cluster.gate.pass(signal)
    const refusal = await refusalOf(cluster, endpointSliceType, signal, at)
    if (refusal === undefined) return endpointSliceType
    if (hasStatus(refusal, 403, 404) && (await refusalOf(cluster, endpointsType, signal, at)) === undefined) {
      const fields = { error: describeError(refusal) }
      logger.info(
        'endpointsRead',
        fields,
        'EndpointSlices may not be read: Endpoints are, without dual stack',
      )
      return endpointsType
    }
    if (!said && !hasStatus(refusal, 0)) {
      logger.warn('noEndpoints', { error: describeError(refusal) }, 'no endpoints may be read yet')
      said = true
    }
    await sleep(retryMs, undefined, { signal }).catch(() => {})
  }
  return undefined
}

/** undefined: the kind may be listed. */
function refusalOf(
  cluster: Pick<Cluster, 'request'>,
  type: ResourceType,
  signal: AbortSignal,
  at: Place,
): Promise<unknown> {
  return cluster
    .request({ method: 'GET', path: pathOf(type, at), query: { limit: 1 }, signal })
    .then(() => undefined)
    .catch((error: unknown) => error)
}
