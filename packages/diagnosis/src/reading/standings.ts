/** What each Envoy has of a host, asked of the replicas of `serve`, over the API server's proxy to pods. */
import { setTimeout as sleep } from 'node:timers/promises'
import { namesOf, requestOf } from '@landfall/ingress/routing'
import type { Cluster } from '@landfall/kube'
import type { Key } from '@landfall/kube/model'
import type { ClusterView } from '../cluster-view.ts'
import { podsOf } from '../status/programs.ts'
import type { EnvoyStanding, Standings } from '../trace/standings.ts'
import type { Target } from '../trace/target.ts'
import { entriesOf, textOf } from './fields.ts'
import { type PageReading, readPages } from './pages.ts'

/** What has just changed is in force a moment later: then they are asked once more. */
const momentMs = 1000

export async function readStandings(
  cluster: Pick<Cluster, 'open'>,
  { observed, serving }: Pick<ClusterView, 'observed' | 'serving'>,
  target: Target,
  pauseMs = momentMs,
): Promise<Standings> {
  const { mergeSlashes } = serving.options.listeners
  const hosts = namesOf(requestOf(target, { mergeSlashes })).join(',')
  const page = { ...serving.page, path: 'envoys', query: { hosts } }
  const ask = async () => standingsIn(await readPages(cluster, podsOf(observed, 'contour'), () => page))
  const first = await ask()
  if (!isUnderWay(first)) return first
  await sleep(pauseMs)
  return await ask()
}

function isUnderWay(standings: Standings): boolean {
  if (standings.kind !== 'known') return false
  const envoys = [...standings.byHost.values()].flat()
  const resources = envoys.flatMap((one) => one.resources)
  return (
    envoys.some(({ published }) => !published) ||
    resources.some(({ state }) => state === 'behind' || state === 'missing')
  )
}

/** Of all replicas, as each Envoy follows one of them. */
export function standingsIn(pages: ReadonlyMap<Key, PageReading>): Standings {
  const byHost = new Map<string, readonly EnvoyStanding[]>()
  for (const page of pages.values()) {
    if (page.kind !== 'text') continue
    for (const one of parsed(page.text)) {
      const host = textOf(one['host'])
      byHost.set(host, [...(byHost.get(host) ?? []), ...entriesOf(one['envoys']).map(envoyOf)])
    }
  }
  if (byHost.size > 0) return { kind: 'known', byHost }
  const why = [...pages.values()].flatMap((page) => (page.kind === 'unreadable' ? [page.why] : []))[0]
  return { kind: 'unreadable', why: why ?? 'no replica of it is ready' }
}

function parsed(text: string) {
  try {
    return entriesOf(JSON.parse(text))
  } catch {
    return []
  }
}

function envoyOf(one: Readonly<Record<string, unknown>>): EnvoyStanding {
  return {
    node: textOf(one['node']),
    // Releases that did not say it yet.
    published: one['published'] !== false,
    resources: entriesOf(one['resources']).map((resource) => ({
      type: textOf(resource['type']),
      name: textOf(resource['name']),
      state: stateOf(textOf(resource['state'])),
      words: textOf(resource['words']),
    })),
  }
}

function stateOf(text: string) {
  return (['held', 'behind', 'refused'] as const).find((state) => state === text) ?? 'missing'
}
