/** What the API server answers to a look at a kind, once it means it: one that has just started refuses everybody. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError, type Cluster, pathOf, type ResourceType } from '@landfall/kube'

const againMs = 250
/** So many refusals in a row are meant, where it does not say whether it is ready. */
const meantRefusals = 4
/** After this time they are meant, whatever it says. */
const longestMs = 20_000

/** @returns the HTTP status; 0 without an answer */
export async function lookAt(
  cluster: Cluster,
  type: ResourceType,
  where: { readonly namespace?: string },
): Promise<number> {
  const end = performance.now() + longestMs
  let refusals = 0
  for (;;) {
    const status = await statusOf(cluster, pathOf(type, where), { limit: 1 })
    if (status !== 403 || performance.now() > end) return status
    const ready = await statusOf(cluster, '/readyz')
    if (ready === 403) refusals++
    if (ready === 200 || refusals >= meantRefusals) return status
    await sleep(againMs)
  }
}

async function statusOf(
  cluster: Cluster,
  path: string,
  query: Readonly<Record<string, number>> = {},
): Promise<number> {
  try {
    const answer = await cluster.open({ method: 'GET', path, query, signal: AbortSignal.timeout(4000) })
    answer.resume()
    return 200
  } catch (error) {
    if (error instanceof ApiError) return error.status
    throw error
  }
}
