/**
 * World → plan. Recomputes the Services whose inputs changed and puts the results together; the outcome is the same
 * as that of a planner that never saw another world. Told which may have changed, it looks at no others.
 */
import type { Key } from '@landfall/kube/model'
import type { Peer } from '@landfall/metallb'
import type { BgpPeerPlan, BgpPlan, Routes } from './bgp-plan.ts'
import { Holders } from './holders.ts'
import { Layer2Table } from './layer2-table.ts'
import type { Layer2Address } from './layer2-units.ts'
import { RouteTable } from './route-table.ts'
import { planService, type ServicePlan } from './service-plan.ts'
import { SharedParts } from './shared-parts.ts'
import type { EndpointSlice, NodeFacts, Service, World } from './world.ts'

export interface Plan {
  /** By address text, as they are now: the planner goes on changing it. */
  readonly layer2: ReadonlyMap<string, Layer2Address>
  /** Texts of addresses that may be different from the plan before, or gone; the others are as they were. */
  readonly changedAddresses: ReadonlySet<string>
  readonly bgp: BgpPlan
  /** As they are now: the planner goes on changing it. */
  readonly services: ReadonlyMap<Key, ServicePlan>
  /** Those of which it says something else than the plan before, or nothing any more. */
  readonly changed: ReadonlySet<Key>
}

interface Remembered {
  readonly service: Service
  readonly slices: readonly EndpointSlice[]
  readonly config: World['config']
  readonly nodes: NodeFacts
  readonly shared: boolean
}

const noSlices: readonly EndpointSlice[] = []

export class Planner {
  readonly #routes = new RouteTable()
  readonly #remembered = new Map<Key, Remembered>()
  readonly #plans = new Map<Key, ServicePlan>()
  readonly #holders = new Holders()
  readonly #layer2 = new Layer2Table()
  readonly #shared = new SharedParts()
  #changed = new Set<Key>()
  #last: Pick<World, 'config' | 'nodes'> | undefined

  /** @param changed Services that may have changed since the last world, or their endpoints; undefined: any */
  plan(world: World, changed?: ReadonlySet<Key>): Plan {
    const { config, nodes } = world
    const some = this.#last?.config === config && this.#last.nodes === nodes ? changed : undefined
    this.#last = { config, nodes }
    this.#changed = new Set()
    const keys = some ?? new Set([...world.services.keys(), ...this.#plans.keys()])
    const touched = this.#follow(keys, world.services)
    for (const key of keys) this.#planOne(key, world)
    if (some !== undefined) for (const key of touched) if (!some.has(key)) this.#planOne(key, world)
    return {
      changedAddresses: this.#layer2.follow(),
      layer2: this.#layer2.addresses,
      bgp: bgpOf(this.#routes, world),
      services: this.#plans,
      changed: this.#changed,
    }
  }

  /** Forgets what is gone, and keeps who has which address. Answers for whom that changed. */
  #follow(keys: ReadonlySet<Key>, services: ReadonlyMap<Key, Service>): ReadonlySet<Key> {
    const touched = new Set<Key>()
    for (const key of keys) {
      const [before, after] = [this.#remembered.get(key)?.service, services.get(key)]
      if (before === after) continue
      for (const other of this.#holders.replace(key, before, after)) touched.add(other)
      if (after !== undefined) continue
      this.#remembered.delete(key)
      if (this.#plans.delete(key)) this.#changed.add(key)
      this.#routes.set(key, undefined)
      this.#layer2.set(key, undefined)
    }
    return touched
  }

  #planOne(key: Key, world: World): void {
    const { config, nodes } = world
    const service = world.services.get(key)
    if (service === undefined) return
    const known = this.#remembered.get(key)
    const slices = world.slices.get(key) ?? noSlices
    const shared = service.ingress.some(({ ip }) => ip !== undefined && this.#holders.isShared(ip))
    const same =
      known?.service === service &&
      known.slices === slices &&
      known.config === config &&
      known.nodes === nodes &&
      known.shared === shared
    if (same) return
    const plan = this.#shared.share(planService(service, slices, world, shared))
    this.#remembered.set(key, { service, slices, config, nodes, shared })
    this.#plans.set(key, plan)
    this.#changed.add(key)
    this.#routes.set(key, plan)
    this.#layer2.set(key, plan)
  }
}

function bgpOf(
  routes: RouteTable,
  { config, node, nodes }: Pick<World, 'config' | 'node' | 'nodes'>,
): BgpPlan {
  const peers = config.peers.filter((peer) => peer.nodes.has(node))
  routes.keep(new Set(peers.map(({ name }) => name)))
  const { excluded = false, cordoned = false, networkUnavailable = false } = nodes.get(node) ?? {}
  return {
    peers: peers.map((peer) => peerPlan(peer, routes.of(peer.name))),
    retiring: excluded || cordoned || networkUnavailable,
  }
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
