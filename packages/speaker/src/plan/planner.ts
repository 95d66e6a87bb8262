/**
 * World → plan. Recomputes the Services whose inputs changed and puts the results together; the outcome is the same
 * as that of a planner that never saw another world.
 */
import { byAge, type EndpointSlice, type Key, type Service } from '@landfall/kube/model'
import type { Peer } from '@landfall/metallb'
import type { BgpPeerPlan, BgpPlan, Routes } from './bgp-plan.ts'
import { type Layer2Address, layer2Of } from './layer2-units.ts'
import { RouteTable } from './route-table.ts'
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
  readonly #routes = new RouteTable()
  readonly #remembered = new Map<Key, Remembered>()
  /** How many load balancers have an address, by its text. */
  readonly #holders = new Map<string, number>()
  /** Keys, the oldest Service first. */
  #order: readonly Key[] = []

  plan(world: World): Plan {
    const reordered = this.#follow(world.services)
    const services = new Map<Key, ServicePlan>()
    for (const [key, service] of world.services) services.set(key, this.#planOne(key, service, world))
    if (reordered) this.#order = orderOf(this.#order, world.services)
    const oldestFirst: (readonly [Key, ServicePlan])[] = []
    for (const key of this.#order) {
      const plan = services.get(key)
      if (plan !== undefined) oldestFirst.push([key, plan])
    }
    return { layer2: layer2Of(oldestFirst), bgp: bgpOf(this.#routes, world), services }
  }

  #planOne(key: Key, service: Service, world: World): ServicePlan {
    const known = this.#remembered.get(key)
    const slices = world.slices.get(key) ?? noSlices
    const shared = service.ingress.some(({ ip }) => ip !== undefined && (this.#holders.get(ip) ?? 0) > 1)
    const { config, nodes } = world
    const same =
      known?.service === service &&
      known.slices === slices &&
      known.config === config &&
      known.nodes === nodes &&
      known.shared === shared
    if (same) return known.plan
    const plan = planService(service, slices, world, shared)
    this.#remembered.set(key, { service, slices, config, nodes, shared, plan })
    this.#routes.set(key, plan)
    return plan
  }

  /** Forgets what is gone, and counts who has which address. Answers whether the order may be another. */
  #follow(services: ReadonlyMap<Key, Service>): boolean {
    let reordered = false
    for (const [key, { service }] of this.#remembered) {
      if (services.has(key)) continue
      reordered = true
      this.#count(service, -1)
      this.#remembered.delete(key)
      this.#routes.set(key, undefined)
    }
    for (const [key, service] of services) {
      const known = this.#remembered.get(key)?.service
      if (known === service) continue
      if (known?.meta.creationTimestamp !== service.meta.creationTimestamp) reordered = true
      if (known !== undefined) this.#count(known, -1)
      this.#count(service, 1)
    }
    return reordered
  }

  #count({ type, ingress }: Service, by: 1 | -1): void {
    if (type !== 'LoadBalancer') return
    for (const { ip } of ingress) {
      if (ip === undefined) continue
      const count = (this.#holders.get(ip) ?? 0) + by
      if (count === 0) this.#holders.delete(ip)
      else this.#holders.set(ip, count)
    }
  }
}

/** The order of before is nearly that of now, which is what makes sorting quick. */
function orderOf(before: readonly Key[], services: ReadonlyMap<Key, Service>): readonly Key[] {
  const known = new Set(before)
  const kept = before.filter((key) => services.has(key))
  const added = [...services.keys()].filter((key) => !known.has(key))
  return [...kept, ...added].toSorted((a, b) => {
    const [one, other] = [services.get(a), services.get(b)]
    return one === undefined || other === undefined ? 0 : byAge(one, other)
  })
}

function bgpOf(routes: RouteTable, { config, node }: Pick<World, 'config' | 'node'>): BgpPlan {
  const peers = config.peers.filter((peer) => peer.nodes.has(node))
  routes.keep(new Set(peers.map(({ name }) => name)))
  return { peers: peers.map((peer) => peerPlan(peer, routes.of(peer.name))) }
}

function peerPlan(peer: Peer, routes: Routes): BgpPeerPlan {
  const { sourceAddress, routerID, password, nodes: _nodes, ...same } = peer
  return {
    ...same,
    ...(sourceAddress === undefined ? {} : { sourceAddress }),
    ...(routerID === undefined ? {} : { routerID }),
    ...(password === undefined ? {} : { password }),
    routes,
  }
}
