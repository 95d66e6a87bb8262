/**
 * How far each Envoy of this replica is with resources: by what it acknowledged and refused, not by what was sent. In: what
 * is asked about, by layout. Out: a standing of each resource that is wanted.
 */
import type { Hubs } from './hubs.ts'
import { type Layout, layouts } from './layout.ts'
import type { ResourceName } from './programming.ts'
import type { Client } from './session/client.ts'
import type { Hub } from './session/hub.ts'

/** `held`: in the version wanted; `behind`: in an older one; `missing`: in none. */
export interface Standing extends ResourceName {
  readonly state: 'held' | 'behind' | 'missing' | 'refused'
  /** Envoy's words, where it refused it and they are known. */
  readonly words: string
}

export interface EnvoyStanding {
  /** Its id, which is the name of its pod. */
  readonly node: string
  readonly build: string
  /** Its layout is published; until then it is sent nothing. */
  readonly published: boolean
  readonly resources: readonly Standing[]
}

export function standingsOf(
  hubs: Pick<Hubs, 'get' | 'isPublished'>,
  wanted: (layout: Layout) => readonly ResourceName[],
): readonly EnvoyStanding[] {
  return layouts.flatMap((layout) => {
    const hub = hubs.get(layout)
    if (hub === undefined) return []
    // On Contour's bootstrap an Envoy has a stream for each thing.
    const envoys = Map.groupBy(hub.clients, ({ node }) => node.id)
    return [...envoys]
      .filter(([, clients]) => isEnvoy(clients))
      .map(([node, clients]) => ({
        node,
        build: clients[0]?.node.build ?? '',
        published: hubs.isPublished(layout),
        resources: wanted(layout).flatMap((one) => standingOf(hub, clients, one)),
      }))
  })
}

/** Others, such as `landfall cli`, follow one thing. */
function isEnvoy(clients: readonly Client[]): boolean {
  const follows = (type: 'listeners' | 'clusters') =>
    clients.some(({ subscriptions }) => subscriptions[type].started)
  return follows('listeners') && follows('clusters')
}

function standingOf(hub: Hub, clients: readonly Client[], { type, name }: ResourceName): readonly Standing[] {
  const resource = hub.store.get(type, name)
  if (resource === undefined) return []
  const asking = clients.filter(({ subscriptions }) => subscriptions[type].covers(name))
  // A certificate may be fetched at the handshake.
  if (asking.length === 0 && type === 'secrets') return []
  const versions = asking.map(({ subscriptions }) => subscriptions[type].held.get(name)?.version)
  if (versions.includes(resource.version)) return [{ type, name, state: 'held', words: '' }]
  const words = clients.flatMap(({ node }) => hub.refusals.words(type, resource, node.build) ?? [])
  const refused = asking.some(({ subscriptions }) => subscriptions[type].hasRefused(name, resource.version))
  if (refused || words.length > 0) return [{ type, name, state: 'refused', words: words[0] ?? '' }]
  const older = versions.some((version) => version !== undefined)
  return [{ type, name, state: older ? 'behind' : 'missing', words: '' }]
}
