/** What the state machine has to know of a peer. */
import type { BgpPeerPlan } from '../plan/bgp-plan.ts'
import type { PeerSettings } from './fsm/index.ts'

/** How long the peer keeps our routes while we are away: a pod's restart with room to spare. */
export const restartSeconds = 120

export function settingsOf(peer: BgpPeerPlan): PeerSettings {
  const { keepaliveSeconds, connectSeconds } = peer
  const isV6 = peer.interface !== undefined || peer.address?.family === 6
  const families = peer.families ?? [4, 6]
  return {
    localASN: peer.myASN,
    peerASN: peer.peerASN,
    families,
    multiprotocol: peer.disableMP !== true,
    extendedNextHop: isV6 && families.includes(4),
    restartSeconds: peer.gracefulRestart === true ? restartSeconds : undefined,
    passive: peer.passive ?? false,
    holdSeconds: peer.holdTimeSeconds,
    ...(keepaliveSeconds === undefined ? {} : { keepaliveSeconds }),
    ...(connectSeconds === undefined ? {} : { connectSeconds }),
    random: Math.random,
  }
}
