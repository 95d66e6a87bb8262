/** The BGP peers that there are: BGPPeer objects, or those of the ConfigMap where that rules. */
import type { BGPPeer } from '@landfall/api'
import type { Observed } from '../observed.ts'
import { rulingConfigMap } from './configuration.ts'
import { type Place, placeInConfigMap, placeOfObject } from './place.ts'

export interface PeerFact {
  /** By which speakers report it. */
  readonly name: string
  readonly spec: BGPPeer['spec']
  readonly place: Place
  /** Of a peer that is an object of its own. */
  readonly object: BGPPeer | undefined
}

export function peerFacts(observed: Observed): readonly PeerFact[] {
  const legacy = rulingConfigMap(observed)
  if (legacy === undefined)
    return observed.peers.items.map((object) => ({
      name: object.meta.name,
      spec: object.spec,
      place: placeOfObject('BGPPeer', object),
      object,
    }))
  const inForce = new Set(legacy.config.peers.map(({ name }) => name))
  return legacy.peers
    .filter(({ object }) => inForce.has(object.meta.name))
    .map((made) => ({
      name: made.object.meta.name,
      spec: made.object.spec,
      place: placeInConfigMap(legacy, made),
      object: undefined,
    }))
}
