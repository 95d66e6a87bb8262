/**
 * World → plan. Recomputes the Services whose inputs changed and puts the results together; the outcome is the same
 * as that of a planner that never saw another world.
 */
import { byAge, type EndpointSlice, type Key, type Service } from '@landfall/kube/model'
import type { Peer } from '@landfall/metallb'
import type { BgpPeerPlan, BgpPlan, BgpRoute } from './bgp-plan.ts'
import { mergeRoutes } from './bgp-routes.ts'
import { type Layer2Address, layer2Of } from './layer2-units.ts'
import { planService, type ServicePlan } from './service-plan.ts'
import type { NodeFacts, World } from './world.ts'

export interface Plan {
  /** Sorted by address text. */
  readonly layer2: readonly Layer2Address[]
  readonly bgp: BgpPlan
  readonly services: ReadonlyMap<Key, ServicePlan>
}

interface Remembered {
  readonly service: Service
  readonly slices: readonly EndpointSlice[]
  readonly config: World['config']
  readonly nodes: NodeFacts
  readonly shared: boolean
  readonly plan: ServicePlan
}

const noSlices: readonly EndpointSlice[] = []

export class Planner {
  #remembered = new Map<Key, Remembered>()

  plan(world: World): Plan {
    const shared = sharedAddresses(world.services)
    const remembered = new Map<Key, Remembered>()
    for (const [key, service] of world.services) {
      const inputs = {
        service,
        slices: world.slices.get(key) ?? noSlices,
        config: world.config,
        nodes: world.nodes,
        shared: service.ingress.some(({ ip }) => ip !== undefined && shared.has(ip)),
      }
      const known = this.#remembered.get(key)
      const plan =
        known !== undefined && sameInputs(known, inputs)
          ? known.plan
          : planService(service, inputs.slices, world, inputs.shared)
      remembered.set(key, { ...inputs, plan })
    }
    this.#remembered = remembered
    const services = new Map([...remembered].map(([key, { plan }]) => [key, plan]))
    const oldestFirst = [...services].toSorted(([, a], [, b]) => byAge(a.service, b.service))
    return {
      layer2: layer2Of(oldestFirst),
      bgp: bgpOf(
        oldestFirst.map(([, plan]) => plan),
        world,
      ),
      services,
    }
  }
}

function sameInputs(a: Remembered, b: Omit<Remembered, 'plan'>): boolean {
  return (
    a.service === b.service &&
    a.slices === b.slices &&
    a.config === b.config &&
    a.nodes === b.nodes &&
    a.shared === b.shared
  )
}

/** Address texts that more than one load balancer has. */
function sharedAddresses(services: ReadonlyMap<Key, Service>): ReadonlySet<string> {
  const seen = new Set<string>()
  const shared = new Set<string>()
  for (const { type, ingress } of services.values()) {
    if (type !== 'LoadBalancer') continue
    for (const { ip } of ingress) {
      if (ip === undefined) continue
      if (seen.has(ip)) shared.add(ip)
      seen.add(ip)
    }
  }
  return shared
}

function bgpOf(plans: readonly ServicePlan[], { config, node }: Pick<World, 'config' | 'node'>): BgpPlan {
  const routes = new Map<string, BgpRoute[]>()
  for (const { bgp } of plans) {
    if (bgp.kind === 'silent') continue
    for (const [peer, more] of bgp.routes) {
      const known = routes.get(peer)
      if (known === undefined) routes.set(peer, [...more])
      else known.push(...more)
    }
  }
  return {
    peers: config.peers
      .filter((peer) => peer.nodes.has(node))
      .map((peer) => peerPlan(peer, mergeRoutes(routes.get(peer.name) ?? []).routes)),
  }
}

function peerPlan(peer: Peer, routes: readonly BgpRoute[]): BgpPeerPlan {
  const { sourceAddress, routerID, password, nodes: _nodes, ...same } = peer
  return {
    ...same,
    ...(sourceAddress === undefined ? {} : { sourceAddress }),
    ...(routerID === undefined ? {} : { routerID }),
    ...(password === undefined ? {} : { password }),
    routes,
  }
}
