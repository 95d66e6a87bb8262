/** What of the node's addresses counts for one session (pure): its router ID and its next hops. */
import type { Interface } from '@landfall/net'
import { equalIP, type Family, type IP } from '@landfall/netip'
import type { BgpPeerPlan } from '../plan/bgp-plan.ts'
import { type Agreed, chooseRouterID } from './fsm/index.ts'
import { chooseNextHop, type SessionFacts } from './rib/index.ts'

/** `local`: the connection's own address. */
export function routerIDOf(
  peer: BgpPeerPlan,
  local: IP | undefined,
  interfaces: readonly Interface[],
  nodeName: string,
): number {
  const addresses = local === undefined ? [] : [local, ...besideOf(peer, local, interfaces)]
  return chooseRouterID({ configured: peer.routerID, addresses, nodeName })
}

export function factsOf(
  peer: BgpPeerPlan,
  agreed: Agreed,
  local: IP,
  interfaces: readonly Interface[],
  draining: boolean,
): SessionFacts {
  const sources = {
    session: local,
    beside: besideOf(peer, local, interfaces),
    extended: agreed.extendedNextHop,
    unnumbered: peer.interface !== undefined,
  }
  const nextHop = (family: Family) => chooseNextHop(family, sources)
  return {
    localASN: peer.myASN,
    internal: agreed.context.internal,
    fourOctetAS: agreed.context.fourOctetAS,
    families: agreed.families,
    nextHops: { 4: nextHop(4), 6: nextHop(6) },
    draining,
  }
}

/** The addresses of the interface that has the session's; link-local ones are not unique, so it may be named. */
function besideOf(peer: BgpPeerPlan, local: IP, interfaces: readonly Interface[]): readonly IP[] {
  const home = interfaces.find(({ name, addresses }) =>
    peer.interface === undefined ? addresses.some(({ ip }) => equalIP(ip, local)) : name === peer.interface,
  )
  return home?.addresses.flatMap(({ ip, tentative }) => (tentative ? [] : [ip])) ?? []
}
