/** What to do about a session that is down: with the field and the number that its peer has, where these are the matter. */
import type { Observed } from '../observed.ts'
import { adviceOn, editing } from './advice.ts'
import { type SessionFact, sessionFacts } from './announcers.ts'
import { type PeerFact, peerFacts } from './peers.ts'
import { fieldText } from './place.ts'

export function adviceOnSession(
  { reason, message, peer, address }: Pick<SessionFact, 'reason' | 'message' | 'peer' | 'address'>,
  observed: Observed,
): string {
  // As metrics tell it.
  if (reason === '')
    return `Its speaker says why: kubectl -n ${observed.places.system} logs -l component=speaker --tail=-1 | grep '"peer":"${address}"'`
  const [, router, port] = /^\[?(.+?)\]?:(\d+)$/.exec(address) ?? []
  const fact = peerFacts(observed).find(({ name }) => name === peer)
  if (fact !== undefined && reason === 'badPeerAS') return adviceOnAS(fact, message, observed)
  const { kind, name } = fact?.place ?? { kind: 'BGPPeer', name: `${observed.places.system}/${peer}` }
  const advice = adviceOn(reason, { kind, name, places: observed.places })
  return router === undefined ? advice : advice.replaceAll('ROUTER', router).replaceAll('PORT', port ?? '')
}

/** Of all peers that have the same matter with the same number. */
function adviceOnAS(fact: PeerFact, message: string, observed: Observed): string {
  const { myASN, peerASN, dynamicASN } = fact.spec
  if (!message.startsWith('this node said'))
    return `The router expects another AS number of this node than ${fieldText(fact.place, 'spec.myASN')} says (${myASN}): correct the router's, or here: ${editing(fact.place.kind, fact.place.name)}`
  const concerned = new Set(
    sessionFacts(observed.sessions.items)
      .filter((one) => !one.established && one.message === message)
      .map(({ peer }) => peer),
  )
  const alike = peerFacts(observed).filter(
    ({ name, spec, place }) =>
      concerned.has(name) && spec.peerASN === peerASN && place.kind === fact.place.kind,
  )
  const [first = fact, ...others] = alike
  const fields = [fieldText(first.place, 'spec.peerASN'), ...others.map(({ name }) => name)].join(', ')
  const [, asn] = /the peer is AS (\d+)/.exec(message) ?? []
  if (asn === undefined || fact.object === undefined || peerASN === undefined)
    return `The router has another AS number than ${fields} says (${peerASN ?? dynamicASN}): correct the router's, or here: ${editing(first.place.kind, first.place.name)}`
  const names = alike.map(({ name }) => name).join(' ')
  const patch = `kubectl -n ${fact.object.meta.namespace} patch bgppeer ${names} --type=merge -p '{"spec":{"peerASN":${asn}}}'`
  return `The router is AS ${asn}, and ${fields} says ${peerASN}: correct the router's, or here: ${patch}`
}
