/** A plan as JSON can carry it: addresses and prefixes as text. */
import type { BgpPeerPlan, BgpRoute } from '../../plan/bgp-plan.ts'

export interface RouteText extends Omit<BgpRoute, 'prefix'> {
  readonly prefix: string
}

export interface PeerText extends Omit<BgpPeerPlan, 'address' | 'sourceAddress' | 'routerID' | 'routes'> {
  readonly address?: string
  /** An address, a prefix, or the name of an interface. */
  readonly sourceAddress?: string
  readonly routerID?: string
  readonly routes: readonly RouteText[]
}

export interface PlanText {
  readonly peers: readonly PeerText[]
  /** The node is being taken out: what goes says so for a few seconds. */
  readonly retiring?: boolean
  /** From now on a stop takes that long. */
  readonly drainMs?: number
  /** The main thread is blocked for so many milliseconds, at once and then again and again. */
  readonly busy?: number
}

/** A peer of the lab's router, on the lab's addresses. */
export function peerText(more: Partial<PeerText> = {}): PeerText {
  return {
    name: 'tor',
    address: '10.77.0.1',
    port: 179,
    myASN: 65000,
    peerASN: 65530,
    holdTimeSeconds: 90,
    ebgpMultiHop: false,
    routes: [],
    ...more,
  }
}

export function routeText(prefix: string, more: Partial<RouteText> = {}): RouteText {
  return { prefix, communities: [], ...more }
}
