/**
 * What Envoys refused of Ingresses before this replica began, as Events tell it. In: an API server. What cannot be read
 * in time is not waited for: then such content is sent to Envoys once more.
 */
import { type Cluster, eventType } from '@landfall/kube'
import { describeError, type Logger } from '@landfall/telemetry'
import { fieldSelector, type RefusedOfIngress, refusedOf } from '../status/refusal-events.ts'

const withinMs = 2000
/** More Events of one place are not read. */
const most = 5000

/** @param namespaces empty: all @returns the newest last */
export async function toldRefusals(
  cluster: Pick<Cluster, 'pages'>,
  logger: Logger,
  namespaces: readonly string[],
  signal: AbortSignal,
): Promise<readonly RefusedOfIngress[]> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(withinMs)])
  const places = namespaces.length === 0 ? [{}] : namespaces.map((namespace) => ({ namespace }))
  const told: { readonly at: string; readonly refused: RefusedOfIngress }[] = []
  const read = async (place: { readonly namespace?: string }): Promise<void> => {
    let count = 0
    for await (const { items } of cluster.pages(eventType, { ...place, fieldSelector }, inTime)) {
      for (const item of items) {
        const refused = refusedOf(item)
        if (refused !== undefined) told.push({ at: String(item['lastTimestamp']), refused })
      }
      count += items.length
      if (count >= most) return
    }
  }
  const failed = (await Promise.allSettled(places.map(read))).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected' && !signal.aborted) {
    const advice = 'what Envoys refused of Ingresses may be sent to them once more: grant `list` of Events'
    logger.info('refusalsUnread', { error: describeError(failed.reason) }, advice)
  }
  return told.toSorted((a, b) => a.at.localeCompare(b.at)).map(({ refused }) => refused)
}
