/**
 * Why no node of the cluster announces a Service: the first thing that leaves none. Every speaker comes to the same
 * answer, and what keeps only some of the nodes is no answer.
 */
import type { BGPAdvertisement, L2Advertisement } from '@landfall/metallb'
import { type AdvertisedAddress, routesOf } from './bgp-routes.ts'
import type { UsableEndpoints } from './endpoints.ts'
import { type Silence, silent } from './reasons.ts'
import type { Service, World } from './world.ts'

/** Names of the nodes that may announce. */
export function nodesFor(
  service: Service,
  ads: readonly (L2Advertisement | BGPAdvertisement)[],
  endpoints: UsableEndpoints,
  { nodes }: Pick<World, 'nodes'>,
): readonly string[] | Silence {
  const selected = [...nodes].filter(([name]) => ads.some((ad) => ad.nodes.has(name)))
  if (selected.length === 0) return silent('notOwner', 'the advertisements select no node')
  const connected = selected.filter(([, fact]) => !fact.networkUnavailable)
  if (connected.length === 0)
    return silent('nodeNetworkUnavailable', `the network of ${named(selected)} is not available`)
  const allowed = connected.filter(([, fact]) => !fact.excluded)
  if (allowed.length === 0)
    return silent('nodeLabeledExcludeBalancers', `excluded from load balancers by label: ${named(connected)}`)
  const serving = allowed.filter(([, fact]) => !fact.outOfService)
  if (serving.length === 0) return silent('nodeOutOfService', `tainted as out of service: ${named(allowed)}`)
  if (!endpoints.any) return silent('noEndpoints', 'no endpoint is ready or serving')
  const able = serving.filter(
    ([name]) => service.externalTrafficPolicy !== 'Local' || endpoints.nodes.has(name),
  )
  if (able.length === 0)
    return silent('noLocalEndpoints', `no endpoint on ${named(serving)} is ready or serving`)
  return able.map(([name]) => name)
}

/** undefined: some node has a route of it. */
export function whyNoRoute(
  service: Service,
  wanted: readonly AdvertisedAddress[],
  endpoints: UsableEndpoints,
  world: Pick<World, 'nodes' | 'config'>,
): Silence | undefined {
  const nodes = nodesFor(
    service,
    wanted.map(({ ad }) => ad),
    endpoints,
    world,
  )
  if ('kind' in nodes) return nodes
  const { peers } = world.config
  let conflict: Silence | undefined
  for (const node of nodes) {
    const here = wanted.filter(({ ad }) => ad.nodes.has(node))
    const routes = routesOf(here, peers, node)
    if ('kind' in routes) conflict ??= routes
    else if (routes.byPeer.size > 0) return undefined
  }
  return conflict ?? silent('notOwner', 'no BGPPeer selects a node that may announce')
}

/** Whether a node that is not cordoned has a route of it. */
export function isRoutedUncordoned(
  service: Service,
  wanted: readonly AdvertisedAddress[],
  endpoints: UsableEndpoints,
  { nodes, config }: Pick<World, 'nodes' | 'config'>,
): boolean {
  const uncordoned = new Map([...nodes].filter(([, fact]) => !fact.cordoned))
  return whyNoRoute(service, wanted, endpoints, { nodes: uncordoned, config }) === undefined
}

const mostNames = 4

function named(nodes: readonly (readonly [string, unknown])[]): string {
  const names = nodes.map(([name]) => name).toSorted()
  const [first = ''] = names
  if (names.length === 1) return `node ${first}`
  if (names.length <= mostNames) return `nodes ${names.join(', ')}`
  return `${names.length} nodes (${names.slice(0, mostNames).join(', ')} …)`
}
