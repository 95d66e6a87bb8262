/** What each ready Envoy says of itself. */
import type { Cluster } from '@landfall/kube'
import type { Key } from '@landfall/kube/model'
import type { EnvoyReading } from '../cluster-view.ts'
import type { PodFacts } from '../observed.ts'
import { figuresOf, statsFilter } from './figures.ts'
import { readPages } from './pages.ts'

/** @param port of `/stats` @param secure it is served over TLS */
export async function readEnvoys(
  cluster: Cluster,
  pods: readonly PodFacts[],
  port: number,
  secure: boolean,
): Promise<ReadonlyMap<Key, EnvoyReading>> {
  const page = { port, path: 'stats/prometheus', query: { filter: statsFilter }, secure }
  const pages = await readPages(cluster, pods, () => page)
  return new Map(
    [...pages].map(([key, one]) => [
      key,
      one.kind === 'text' ? { kind: 'figures', figures: figuresOf(one.text) } : one,
    ]),
  )
}
