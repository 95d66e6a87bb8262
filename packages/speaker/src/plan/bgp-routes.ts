/** Addresses under BGP advertisements → the routes of each peer of this node; equal prefixes are merged. */
import type { BGPAdvertisement, BGPCommunity, Peer, RouteAttributes } from '@landfall/metallb'
import { bitsOf, formatPrefix, type IP, type Prefix, prefixOf } from '@landfall/netip'
import type { BgpRoute, Community } from './bgp-plan.ts'
import { type Silence, silent } from './reasons.ts'

export interface AdvertisedAddress {
  readonly ip: IP
  readonly ad: BGPAdvertisement
  /** What its Service asks for besides, of a route of its own. */
  readonly own?: OwnAttributes
}

export interface OwnAttributes extends Pick<RouteAttributes, 'communities' | 'med' | 'prepend'> {
  /** Usable endpoints on this node; undefined: they do not say how much comes here. */
  readonly endpoints: number | undefined
}

/** A Gbit/s in bytes: what an endpoint counts for, since some routers read whole Gbit/s. */
const bandwidthOfEndpoint = 125_000_000

export type RoutesByPeer = ReadonlyMap<string, readonly BgpRoute[]>

/** A Service whose advertisements give one prefix two LOCAL_PREFs at one peer is not announced at all. `ips`: what has a route. */
export function routesOf(
  addresses: readonly AdvertisedAddress[],
  peers: readonly Peer[],
  node: string,
): { readonly byPeer: RoutesByPeer; readonly ips: readonly IP[] } | Silence {
  const ips = new Set<IP>()
  const byPeer = new Map<string, readonly BgpRoute[]>()
  for (const peer of peers.filter((peer) => peer.nodes.has(node))) {
    const routed = addresses.filter(
      ({ ip, ad }) =>
        peer.families.includes(ip.family) && (ad.peers.length === 0 || ad.peers.includes(peer.name)),
    )
    const routes = routed.map(routeOf)
    if (routes.length === 0) continue
    const merged = mergeRoutes(routes)
    if (merged.conflict !== undefined)
      return silent(
        'conflictingAdvertisements',
        `the advertisements differ in localPref for ${merged.conflict} at peer ${peer.name}`,
      )
    byPeer.set(peer.name, merged.routes)
    for (const { ip } of routed) ips.add(ip)
  }
  return { byPeer, ips: [...ips] }
}

/**
 * Each prefix once, with the communities of all and the highest LOCAL_PREF; sorted by prefix text.
 * `conflict`: a prefix whose LOCAL_PREFs differed.
 */
export function mergeRoutes(routes: readonly BgpRoute[]): {
  readonly routes: readonly BgpRoute[]
  readonly conflict: string | undefined
} {
  const merged = new Map<string, BgpRoute>()
  let conflict: string | undefined
  for (const route of routes) {
    const key = formatPrefix(route.prefix)
    const known = merged.get(key)
    if (known !== undefined && known.localPref !== route.localPref) conflict ??= key
    merged.set(key, known === undefined ? route : union(known, route))
  }
  return { routes: [...merged].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, route]) => route), conflict }
}

/** One route of several for the same prefix; undefined of none. Their order does not matter. */
export function unionOf(routes: readonly BgpRoute[]): BgpRoute | undefined {
  const [first, ...others] = routes
  return first && others.reduce(union, first)
}

/** What a Service asks for holds for its own routes; an aggregate is also that of others. */
function routeOf({ ip, ad, own }: AdvertisedAddress): BgpRoute {
  const prefix = prefixOf(ip, ip.family === 4 ? ad.aggregationLength : ad.aggregationLengthV6)
  const { communities = [], med, prepend, endpoints } = (isHost(prefix) ? own : undefined) ?? {}
  return {
    prefix,
    ...(ad.localPref === 0 ? {} : { localPref: ad.localPref }),
    ...(med === undefined ? {} : { med }),
    ...(prepend === undefined ? {} : { prepend }),
    ...(ad.weighted && endpoints !== undefined ? { bandwidth: endpoints * bandwidthOfEndpoint } : {}),
    communities: sortCommunities([...ad.communities, ...communities].map(communityOf)),
  }
}

function isHost({ ip, length }: Prefix): boolean {
  return length === bitsOf(ip.family)
}

/** Of what both give the preferred one: the highest LOCAL_PREF, the lowest MED, the shortest path, the widest link. */
function union(a: BgpRoute, b: BgpRoute): BgpRoute {
  const [localPref, med] = [preferred(Math.max, a.localPref, b.localPref), preferred(Math.min, a.med, b.med)]
  const prepend = preferred(Math.min, a.prepend, b.prepend)
  const bandwidth = preferred(Math.max, a.bandwidth, b.bandwidth)
  return {
    prefix: a.prefix,
    ...(localPref === undefined ? {} : { localPref }),
    ...(med === undefined ? {} : { med }),
    ...(prepend === undefined ? {} : { prepend }),
    ...(bandwidth === undefined ? {} : { bandwidth }),
    communities: sortCommunities([...a.communities, ...b.communities]),
  }
}

function preferred(
  choose: (a: number, b: number) => number,
  a: number | undefined,
  b: number | undefined,
): number | undefined {
  return a === undefined ? b : b === undefined ? a : choose(a, b)
}

function communityOf(community: BGPCommunity): Community {
  if (community.kind === 'standard')
    return { kind: 'standard', high: community.value >>> 16, low: community.value & 0xffff }
  const [global, local1, local2] = community.value
  return { kind: 'large', global, local1, local2 }
}

function sortCommunities(communities: readonly Community[]): readonly Community[] {
  const numbers = (c: Community): readonly number[] =>
    c.kind === 'standard' ? [0, c.high, c.low, 0] : [1, c.global, c.local1, c.local2]
  const compare = (a: Community, b: Community): number => {
    const [x, y] = [numbers(a), numbers(b)]
    return x.map((value, i) => value - (y[i] ?? 0)).find((difference) => difference !== 0) ?? 0
  }
  return communities.toSorted(compare).filter((c, i, all) => {
    const before = all[i - 1]
    return before === undefined || compare(before, c) !== 0
  })
}
