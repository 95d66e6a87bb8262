/**
 * One Service → what is announced of it, or why not, by each protocol. The unit of planning: it reads its Service,
 * the Service's EndpointSlices, the configuration, the nodes, and whether another Service has one of its addresses.
 */
import {
  allocatedFromPool,
  type BGPAdvertisement,
  heldPool,
  type L2Advertisement,
  matchesAny,
  type Pool,
  readRouteAttributes,
} from '@landfall/metallb'
import { formatIP, type IP, parseIP } from '@landfall/netip'
import { type Candidate, lastChoice } from '../layer2/core/placement.ts'
import type { BgpRoute } from './bgp-plan.ts'
import { routesOf } from './bgp-routes.ts'
import { type UsableEndpoints, usableEndpoints } from './endpoints.ts'
import { isRoutedUncordoned, nodesFor, whyNoRoute } from './nowhere.ts'
import { type Silence, silent } from './reasons.ts'
import type { EndpointSlice, Service, World } from './world.ts'

export interface ServicePlan {
  readonly service: Service
  readonly layer2: Layer2Part | Silence
  readonly bgp: BgpPart | Silence
  readonly nowhere: Nowhere
}

/** Why no node at all announces it; undefined: some may, or the Service is none that could be announced so. */
export interface Nowhere {
  readonly layer2: Silence | undefined
  readonly bgp: Silence | undefined
}

export interface Layer2Part {
  readonly kind: 'announced'
  readonly addresses: readonly Layer2Choice[]
  /** Why this node is no candidate, or the last to be one; undefined: it is. */
  readonly notHere: Silence | undefined
  /** The other addresses, which no node may announce, but for those that BGP is to announce alone. */
  readonly left: readonly LeftAddress[]
}

export interface LeftAddress {
  readonly ip: IP
  readonly why: Silence
}

export interface Layer2Choice {
  readonly ip: IP
  /** Sorted by node; not empty. */
  readonly candidates: readonly Candidate[]
  /** Interfaces of this node; []: all. */
  readonly interfaces: readonly string[]
}

export interface BgpPart {
  readonly kind: 'announced'
  /** The addresses that some peer gets a route to. */
  readonly ips: readonly IP[]
  /** By peer name; peers without a route are absent. */
  readonly routes: ReadonlyMap<string, readonly BgpRoute[]>
}

interface Address {
  readonly ip: IP
  readonly pool: Pool
}

/** `shared`: another Service has one of its addresses too. */
export function planService(
  service: Service,
  slices: readonly EndpointSlice[],
  world: Pick<World, 'node' | 'loadBalancerClass' | 'config' | 'nodes'>,
  shared: boolean,
): ServicePlan {
  const addresses = addressesOf(service, world)
  if ('kind' in addresses) {
    const isAllocated = addresses.reason === 'invalidIP' || addresses.reason === 'ipNotAllowed'
    const nowhere = { layer2: isAllocated ? addresses : undefined, bgp: undefined }
    return { service, layer2: addresses, bgp: addresses, nowhere }
  }
  const endpoints = usableEndpoints(slices)
  const layer2 = planLayer2(service, addresses, endpoints, world, shared)
  const bgp = planBgp(service, addresses, endpoints, world)
  return { service, layer2, bgp, nowhere: nowhereOf({ service, layer2, bgp }, addresses, endpoints, world) }
}

function nowhereOf(
  { service, layer2, bgp }: Omit<ServicePlan, 'nowhere'>,
  addresses: readonly Address[],
  endpoints: UsableEndpoints,
  world: Pick<World, 'nodes' | 'config'>,
): Nowhere {
  const routed = addresses.flatMap(({ ip, pool }) => matchingOf(pool.bgp, service).map((ad) => ({ ip, ad })))
  const ads = addresses.flatMap(({ pool }) => matchingOf(pool.l2, service))
  const noRoute = bgp.kind === 'announced' || routed.length === 0
  const nowhere = { bgp: noRoute ? undefined : whyNoRoute(service, routed, endpoints, world) }
  // What MetalLB's speaker announces it reports itself.
  if (layer2.kind === 'announced' || layer2.reason === 'foreignSpeaker')
    return { ...nowhere, layer2: undefined }
  if (ads.length === 0) {
    const message = whyUnadvertised(addresses.map(({ pool }) => pool))
    // A cluster that announces by BGP need not announce by layer 2 as well.
    return { ...nowhere, layer2: routed.length > 0 ? undefined : { ...layer2, message } }
  }
  if (layer2.reason === 'sharedIPWithServiceSelector') return { ...nowhere, layer2 }
  const nodes = nodesFor(service, ads, endpoints, world)
  return { ...nowhere, layer2: 'kind' in nodes ? nodes : layer2 }
}

function addressesOf(
  service: Service,
  world: Pick<World, 'loadBalancerClass' | 'config'>,
): readonly Address[] | Silence {
  if (service.type !== 'LoadBalancer') return silent('notLoadBalancer', `the type is ${service.type}`)
  if (service.loadBalancerClass !== world.loadBalancerClass)
    return silent('otherLoadBalancerClass', `the class is "${service.loadBalancerClass}"`)
  const texts = service.ingress.flatMap(({ ip }) => (ip === undefined ? [] : [ip]))
  if (texts.length === 0) return silent('noIPAllocated', 'no address is allocated yet')
  const ips: IP[] = []
  for (const text of texts) {
    const ip = parseIP(text)
    if (ip === undefined) return silent('invalidIP', `"${text}" is no IP address`)
    ips.push(ip)
  }
  // What the status holds is announced, be its pool refused or gone: it is the controller that takes it away.
  const allocation = { ips, allocatedFrom: service.meta.annotations[allocatedFromPool] ?? '' }
  const addresses: Address[] = []
  for (const ip of ips) {
    const pool = heldPool(world.config, ip, allocation)
    if (pool === undefined) return silent('ipNotAllowed', `${formatIP(ip)} is in no pool`)
    addresses.push({ ip, pool })
  }
  return addresses
}

function planLayer2(
  service: Service,
  addresses: readonly Address[],
  endpoints: UsableEndpoints,
  world: Pick<World, 'node' | 'nodes'>,
  shared: boolean,
): Layer2Part | Silence {
  const matching = addresses.map(({ ip, pool }) => ({ ip, pool, ads: matchingOf(pool.l2, service) }))
  const announced = matching.filter(({ ads }) => ads.length > 0)
  if (announced.length === 0)
    return silent(
      'noMatchingAdvertisement',
      `no L2Advertisement of ${poolNames(addresses.map(({ pool }) => pool))} selects the Service`,
    )
  if (shared && announced.some(({ ads }) => ads.some((ad) => ad.serviceSelectors.length > 0)))
    return silent(
      'sharedIPWithServiceSelector',
      'the address is shared and an L2Advertisement selects Services',
    )
  if (!endpoints.any) return silent('noEndpoints', 'no endpoint is ready or serving')
  let foreign: string | undefined
  const choices = announced.flatMap(({ ip, ads }) => {
    const candidates = candidatesOf(service, ads, endpoints, world)
    foreign ??= candidates.find(({ node }) => world.nodes.get(node)?.foreignSpeaker === true)?.node
    // MetalLB's speaker does not mind the taint.
    const inService = candidates.filter(({ node }) => world.nodes.get(node)?.outOfService !== true)
    return inService.length === 0 || foreign !== undefined
      ? []
      : [{ ip, candidates: inService, interfaces: interfacesOf(ads, world.node) }]
  })
  const notHere = whyNotHere(
    service,
    announced.flatMap(({ ads }) => ads),
    endpoints,
    world,
  )
  // Two kinds of speakers do not agree who owns an address: the one that was there first keeps all it may have.
  if (foreign !== undefined)
    return silent('foreignSpeaker', `the MetalLB speaker on node ${foreign} announces it while it is ready`)
  if (choices.length === 0) return notHere ?? silent('notOwner', 'no node is eligible')
  const left = matching
    .filter(({ ip }) => !choices.some((choice) => choice.ip === ip))
    .flatMap((address) => whyLeft(service, address, endpoints, world))
  return { kind: 'announced', addresses: choices, notHere: notHere ?? whyLast(choices, world), left }
}

function whyLeft(
  service: Service,
  { ip, pool, ads }: Address & { readonly ads: readonly L2Advertisement[] },
  endpoints: UsableEndpoints,
  world: Pick<World, 'nodes'>,
): readonly LeftAddress[] {
  if (ads.length > 0) {
    const nodes = nodesFor(service, ads, endpoints, world)
    return 'kind' in nodes ? [{ ip, why: nodes }] : []
  }
  if (matchingOf(pool.bgp, service).length > 0) return []
  return [{ ip, why: silent('noMatchingAdvertisement', whyUnadvertised([pool])) }]
}

function whyUnadvertised(pools: readonly Pool[]): string {
  return `no L2Advertisement and no BGPAdvertisement of ${poolNames(pools)} selects the Service`
}

/** A cordoned node is a candidate for what no other node can announce. */
function whyLast(
  choices: readonly Layer2Choice[],
  world: Pick<World, 'node' | 'nodes'>,
): Silence | undefined {
  if (!isCordoned(world, world.node)) return undefined
  const others = choices.every(({ candidates }) => candidates.some((one) => !isCordoned(world, one.node)))
  return others ? cordoned(world.node) : undefined
}

function planBgp(
  service: Service,
  addresses: readonly Address[],
  endpoints: UsableEndpoints,
  world: Pick<World, 'node' | 'nodes' | 'config'>,
): BgpPart | Silence {
  const ads = addresses.flatMap(({ pool }) => matchingOf(pool.bgp, service))
  if (ads.length === 0)
    return silent(
      'noMatchingAdvertisement',
      `no BGPAdvertisement of ${poolNames(addresses.map(({ pool }) => pool))} selects the Service`,
    )
  const notHere = whyNotHere(service, ads, endpoints, world)
  if (notHere !== undefined) return notHere
  const own = {
    ...readRouteAttributes(service.meta.annotations, world.config.communities),
    endpoints: service.externalTrafficPolicy === 'Local' ? endpoints.nodes.get(world.node) : undefined,
  }
  const wanted = addresses.flatMap(({ ip, pool }) =>
    matchingOf(pool.bgp, service)
      .filter((ad) => ad.nodes.has(world.node))
      .map((ad: BGPAdvertisement) => ({ ip, ad, own })),
  )
  const routes = routesOf(wanted, world.config.peers, world.node)
  if ('kind' in routes) return routes
  if (routes.byPeer.size === 0) {
    const any = world.config.peers.some((peer) => peer.nodes.has(world.node))
    const carries = "that takes its addresses: see dualStackAddressFamily and the advertisements' peers"
    return silent(
      'notOwner',
      any ? `node ${world.node} has no BGPPeer ${carries}` : `no BGPPeer selects node ${world.node}`,
    )
  }
  const all = addresses.flatMap(({ ip, pool }) => matchingOf(pool.bgp, service).map((ad) => ({ ip, ad })))
  if (isCordoned(world, world.node) && isRoutedUncordoned(service, all, endpoints, world))
    return cordoned(world.node)
  return { kind: 'announced', ips: routes.ips, routes: routes.byPeer }
}

function isCordoned({ nodes }: Pick<World, 'nodes'>, node: string): boolean {
  return nodes.get(node)?.cordoned === true
}

function cordoned(node: string): Silence {
  return silent('nodeCordoned', `node ${node} is cordoned, and others may announce instead`)
}

/** The first thing that keeps this node from announcing; undefined: nothing does. */
function whyNotHere(
  service: Service,
  ads: readonly (L2Advertisement | BGPAdvertisement)[],
  endpoints: UsableEndpoints,
  { node, nodes }: Pick<World, 'node' | 'nodes'>,
): Silence | undefined {
  const fact = nodes.get(node)
  if (!ads.some((ad) => ad.nodes.has(node)))
    return silent('notOwner', `the advertisements do not select node ${node}`)
  if (fact?.networkUnavailable === true)
    return silent('nodeNetworkUnavailable', `the network of node ${node} is not available`)
  if (fact?.excluded === true)
    return silent('nodeLabeledExcludeBalancers', `node ${node} is excluded from load balancers by its label`)
  if (fact?.outOfService === true)
    return silent('nodeOutOfService', `node ${node} is tainted as out of service`)
  if (!endpoints.any) return silent('noEndpoints', 'no endpoint is ready or serving')
  if (service.externalTrafficPolicy === 'Local' && !endpoints.nodes.has(node))
    return silent('noLocalEndpoints', `no endpoint on node ${node} is ready or serving`)
  return undefined
}

/** Nodes that may announce, the taint aside; each with the weights of the advertisements that select it. */
function candidatesOf(
  service: Service,
  ads: readonly L2Advertisement[],
  endpoints: UsableEndpoints,
  { nodes }: Pick<World, 'nodes'>,
): readonly Candidate[] {
  const candidates: Candidate[] = []
  for (const [node, fact] of nodes) {
    if (fact.networkUnavailable || fact.excluded) continue
    if (service.externalTrafficPolicy === 'Local' && !endpoints.nodes.has(node)) continue
    const here = ads.filter((ad) => ad.nodes.has(node))
    if (here.length === 0) continue
    const base = fact.cordoned ? lastChoice : 0
    candidates.push({ node, weight: here.reduce((sum, ad) => sum + (ad.weights.get(node) ?? 0), base) })
  }
  return candidates.toSorted((a, b) => (a.node < b.node ? -1 : 1))
}

/** The union over the advertisements that select the node; one that names no interface means all. */
function interfacesOf(ads: readonly L2Advertisement[], node: string): readonly string[] {
  const here = ads.filter((ad) => ad.nodes.has(node))
  if (here.some((ad) => ad.interfaces.length === 0)) return []
  return [...new Set(here.flatMap((ad) => ad.interfaces))].toSorted()
}

function matchingOf<A extends L2Advertisement | BGPAdvertisement>(
  ads: readonly A[],
  service: Service,
): readonly A[] {
  return ads.filter((ad) => matchesAny(ad.serviceSelectors, service.meta.labels))
}

function poolNames(pools: readonly Pool[]): string {
  return [...new Set(pools.map(({ name }) => `pool ${name}`))].join(' and ')
}
