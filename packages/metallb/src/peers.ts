/** BGPPeer objects → peers. Fields that no speaker honours are refused, never ignored. */
import type { BFDProfile, BGPPeer, BGPPeerSpec } from '@landfall/api'
import type { Key, Node, Secret } from '@landfall/kube/model'
import { formatIP, type IP } from '@landfall/netip'
import type { Peer } from './config.ts'
import { formatSource, readAddress, readEndpoint } from './peer-ends.ts'
import { readPassword } from './peer-password.ts'
import { readSession } from './peer-session.ts'
import { readTimers } from './peer-timers.ts'
import { type Problems, problemsOf, type Refusal } from './refusal.ts'
import { reportSelectors, selectNames } from './selectors.ts'

export interface PeerSurroundings {
  readonly nodes: readonly Node[]
  readonly secrets: ReadonlyMap<Key, Secret>
  readonly bfdProfiles: readonly BFDProfile[]
}

/** `objects`: oldest first. The result keeps that order. */
export function readPeers(
  objects: readonly BGPPeer[],
  around: PeerSurroundings,
): { peers: readonly Peer[]; refusals: readonly Refusal[] } {
  const peers: Peer[] = []
  const refusals: Refusal[] = []
  for (const object of objects) {
    const problems = problemsOf('BGPPeer', object)
    const peer = readPeer(object, around, problems)
    const twin = peer && peers.find((other) => sameSession(other, peer))
    if (twin !== undefined) {
      const text = `the older peer ${twin.name} has the same address, port and source on a common node`
      problems.report('spec.peerAddress', 'DuplicatePeer', text)
    }
    if (peer !== undefined && problems.found.length === 0) peers.push(peer)
    refusals.push(...problems.found)
  }
  return { peers, refusals }
}

function readPeer(object: BGPPeer, around: PeerSurroundings, problems: Problems): Peer | undefined {
  const { meta, spec } = object
  const asns = readASNs(spec, problems)
  const address = readPeerAddress(spec, problems)
  const session = readSession(object, address, around.bfdProfiles, problems)
  const timers = readTimers(spec, problems)
  reportSelectors(problems, 'spec.nodeSelectors', spec.nodeSelectors ?? [])
  const password = readPassword(object, around.secrets, problems)
  const routerID = readRouterID(spec, problems)
  if ((address === undefined) !== (session.interface !== undefined) || asns === undefined) return undefined
  return {
    name: meta.name,
    ...asns,
    address,
    port: spec.peerPort || 179,
    ...timers,
    ...session,
    routerID,
    password,
    nodes: selectNames(spec.nodeSelectors ?? [], around.nodes),
  }
}

/** The AS numbers of the session, when they make sense together. */
function readASNs(spec: BGPPeerSpec, problems: Problems): Pick<Peer, 'myASN' | 'peerASN'> | undefined {
  const { peerASN = 0, dynamicASN } = spec
  const myASN = spec.localASN ?? spec.myASN
  const isDynamic = (dynamicASN ?? '') !== ''
  if (spec.myASN === 0) problems.report('spec.myASN', 'InvalidValue', '0 is no AS number')
  if (peerASN === 0 && !isDynamic) {
    problems.report('spec.peerASN', 'MissingField', 'a peer needs an AS number')
  }
  if (peerASN !== 0 && isDynamic) {
    problems.report('spec.dynamicASN', 'ConflictingFields', 'spec.peerASN is set too')
  }
  if (spec.ebgpMultiHop === true && (peerASN === myASN || dynamicASN === 'internal')) {
    const text = 'it is for external sessions, but both ends are in the same AS'
    problems.report('spec.ebgpMultiHop', 'ConflictingFields', text)
  }
  if (isDynamic) return { myASN, peerASN: dynamicASN === 'internal' ? myASN : 'external' }
  return peerASN === 0 ? undefined : { myASN, peerASN }
}

function readPeerAddress(spec: BGPPeerSpec, problems: Problems): IP | undefined {
  const isUnnumbered = (spec.interface ?? '') !== ''
  const text = spec.peerAddress ?? ''
  if (text === '') {
    if (!isUnnumbered) problems.report('spec.peerAddress', 'MissingField', 'a peer needs an address')
    return undefined
  }
  if (isUnnumbered) problems.report('spec.interface', 'ConflictingFields', 'spec.peerAddress is set too')
  return readEndpoint('spec.peerAddress', text, problems)
}

function readRouterID(spec: BGPPeerSpec, problems: Problems): IP | undefined {
  const ip = readAddress('spec.routerID', spec.routerID, problems)
  if (ip === undefined || (ip.family === 4 && ip.value !== 0n)) return ip
  problems.report('spec.routerID', 'InvalidAddress', `${formatIP(ip)} is no IPv4 address of a router`)
  return undefined
}

function sameSession(a: Peer, b: Peer): boolean {
  const end = (peer: Peer) => (peer.address === undefined ? `%${peer.interface}` : formatIP(peer.address))
  return (
    end(a) === end(b) &&
    a.port === b.port &&
    a.vrf === b.vrf &&
    formatSource(a.sourceAddress) === formatSource(b.sourceAddress) &&
    [...a.nodes].some((node) => b.nodes.has(node))
  )
}
