/** BGPPeer objects → peers. Fields that no speaker honours are refused, never ignored. */
import type { BFDProfile, BGPPeer, BGPPeerSpec } from '@landfall/api'
import type { Key, Node, Secret } from '@landfall/kube/model'
import { formatIP, type IP, isLinkLocal, parseIP } from '@landfall/netip'
import type { Peer } from './config.ts'
import { readPassword } from './peer-password.ts'
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
  reportUnsupported(spec, around.bfdProfiles, problems)
  const peerASN = readASNs(spec, problems)
  const address = readPeerAddress(spec, problems)
  const timers = readTimers(spec, problems)
  reportSelectors(problems, 'spec.nodeSelectors', spec.nodeSelectors ?? [])
  const sourceAddress = readEndpoint('spec.sourceAddress', spec.sourceAddress, problems)
  if (sourceAddress && address && sourceAddress.family !== address.family) {
    problems.report('spec.sourceAddress', 'ConflictingFields', 'it is not of the family of spec.peerAddress')
  }
  const password = readPassword(object, around.secrets, problems)
  const routerID = readRouterID(spec, problems)
  if (address === undefined || peerASN === undefined) return undefined
  return {
    name: meta.name,
    myASN: spec.myASN,
    peerASN,
    address,
    port: spec.peerPort || 179,
    ...timers,
    sourceAddress,
    routerID,
    ebgpMultiHop: spec.ebgpMultiHop ?? false,
    password,
    nodes: selectNames(spec.nodeSelectors ?? [], around.nodes),
  }
}

function reportUnsupported(spec: BGPPeerSpec, profiles: readonly BFDProfile[], problems: Problems): void {
  const profile = spec.bfdProfile ?? ''
  if (profile !== '' && !profiles.some(({ meta }) => meta.name === profile)) {
    problems.report(
      'spec.bfdProfile',
      'UnknownBFDProfile',
      `there is no BFDProfile ${JSON.stringify(profile)}`,
    )
  }
  const asked: readonly (readonly [keyof BGPPeerSpec, boolean])[] = [
    ['localASN', spec.localASN !== undefined],
    ['dynamicASN', (spec.dynamicASN ?? '') !== ''],
    ['interface', (spec.interface ?? '') !== ''],
    ['bfdProfile', profile !== ''],
    ['enableGracefulRestart', spec.enableGracefulRestart === true],
    ['vrf', (spec.vrf ?? '') !== ''],
    ['disableMP', spec.disableMP === true],
    ['dualStackAddressFamily', spec.dualStackAddressFamily === true],
  ]
  for (const [field, isAsked] of asked) {
    if (isAsked) problems.report(`spec.${field}`, 'NotSupported', 'this field is not supported')
  }
}

/** The peer's AS number, when the numbers make sense together. */
function readASNs(spec: BGPPeerSpec, problems: Problems): number | undefined {
  const { myASN, peerASN = 0 } = spec
  const isDynamic = (spec.dynamicASN ?? '') !== ''
  if (myASN === 0) problems.report('spec.myASN', 'InvalidValue', '0 is no AS number')
  if (peerASN === 0 && !isDynamic) {
    problems.report('spec.peerASN', 'MissingField', 'a peer needs an AS number')
  }
  if (peerASN !== 0 && isDynamic) {
    problems.report('spec.dynamicASN', 'ConflictingFields', 'spec.peerASN is set too')
  }
  if (spec.ebgpMultiHop === true && peerASN === myASN) {
    const text = 'it is for external sessions, but spec.myASN and spec.peerASN are equal'
    problems.report('spec.ebgpMultiHop', 'ConflictingFields', text)
  }
  return peerASN === 0 ? undefined : peerASN
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

/** An end of the session. What MetalLB takes, though it never works, is not supported rather than invalid. */
function readEndpoint(field: string, text: string | undefined, problems: Problems): IP | undefined {
  const ip = readAddress(field, text, problems)
  if (ip === undefined) return undefined
  if (ip.family === 6 && isLinkLocal(ip)) {
    const problem = `${formatIP(ip)} is link-local, and means nothing without an interface: use another address`
    problems.report(field, 'NotSupported', problem)
  } else if (!isUnicast(ip)) {
    problems.report(field, 'NotSupported', `${formatIP(ip)} is no address of one host`)
  }
  return ip
}

function isUnicast({ family, value }: IP): boolean {
  return value !== 0n && (family === 4 ? value >> 28n < 0xen : value >> 120n !== 0xffn)
}

function readAddress(field: string, text: string | undefined, problems: Problems): IP | undefined {
  if (text === undefined || text === '') return undefined
  const ip = parseIP(text)
  if (ip === undefined) problems.report(field, 'InvalidAddress', `${JSON.stringify(text)} is no IP address`)
  return ip
}

function readRouterID(spec: BGPPeerSpec, problems: Problems): IP | undefined {
  const ip = readAddress('spec.routerID', spec.routerID, problems)
  if (ip === undefined || (ip.family === 4 && ip.value !== 0n)) return ip
  problems.report('spec.routerID', 'InvalidAddress', `${formatIP(ip)} is no IPv4 address of a router`)
  return undefined
}

function sameSession(a: Peer, b: Peer): boolean {
  const source = (peer: Peer) => (peer.sourceAddress === undefined ? '' : formatIP(peer.sourceAddress))
  return (
    formatIP(a.address) === formatIP(b.address) &&
    a.port === b.port &&
    source(a) === source(b) &&
    [...a.nodes].some((node) => b.nodes.has(node))
  )
}
