/**
 * The rim: what ready pods say of themselves on a page of theirs, over the API server's proxy to pods. That takes the right
 * to `get` `pods/proxy`, and an API server that reaches pods; without, it is said.
 */
import { type Cluster, hasStatus } from '@landfall/kube'
import { type Key, keyOf } from '@landfall/kube/model'
import { describeError } from '@landfall/telemetry'
import type { PodFacts } from '../observed.ts'

export interface Page {
  readonly port: number
  /** Below the pod, as `stats/prometheus`. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** It is served over TLS. */
  readonly secure: boolean
}

export type PageReading =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly why: string }

const timeoutMs = 3000
/** More are asked about only by name: each is a request through the API server. */
const mostPods = 200
const atOnce = 16

export async function readPages(
  cluster: Pick<Cluster, 'open'>,
  pods: readonly PodFacts[],
  pageOf: (pod: PodFacts) => Page,
): Promise<ReadonlyMap<Key, PageReading>> {
  const asked = pods.filter(({ ready }) => ready).slice(0, mostPods)
  const readings = new Map<Key, PageReading>()
  for (let at = 0; at < asked.length; at += atOnce) {
    const some = asked.slice(at, at + atOnce)
    const answers = await Promise.all(some.map((pod) => readOne(cluster, pod, pageOf(pod))))
    for (const [index, answer] of answers.entries()) {
      const pod = some[index]
      if (pod !== undefined) readings.set(keyOf(pod.meta), answer)
    }
  }
  return readings
}

async function readOne(
  cluster: Pick<Cluster, 'open'>,
  { meta }: PodFacts,
  { port, path: below, query, secure }: Page,
): Promise<PageReading> {
  const target = `${secure ? 'https:' : ''}${meta.name}:${port}`
  const path = `/api/v1/namespaces/${meta.namespace}/pods/${target}/proxy/${below}`
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const answer = await cluster.open({ method: 'GET', path, query, signal, timeoutMs })
    let text = ''
    for await (const chunk of answer) text += String(chunk)
    return { kind: 'text', text }
  } catch (error) {
    const why = hasStatus(error, 403) ? 'forbidden: needs get on pods/proxy' : shortened(describeError(error))
    return { kind: 'unreadable', why }
  }
}

function shortened(message: string): string {
  return message.replace(/^GET \S+: /, '').slice(0, 100)
}
