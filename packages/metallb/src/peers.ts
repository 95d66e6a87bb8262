/** BGPPeer objects → peers. Fields that no speaker honours are refused, never ignored. */
import type { BGPPeer, BGPPeerSpec } from '@landfall/api'
import { type Key, keyOf, type Node, type Secret } from '@landfall/kube/model'
import { formatIP, type IP, parseIP } from '@landfall/netip'
import type { Peer } from './config.ts'
import { parseGoDuration } from './go-duration.ts'
import { type Problems, problemsOf, type Refusal } from './refusal.ts'
import { reportSelectors, selectNames } from './selectors.ts'

const defaultHoldSeconds = 90
const defaultConnectSeconds = 10
const largest = 65535

/** `objects`: oldest first. The result keeps that order. */
export function readPeers(
  objects: readonly BGPPeer[],
  nodes: readonly Node[],
  secrets: ReadonlyMap<Key, Secret>,
): { peers: readonly Peer[]; refusals: readonly Refusal[] } {
  const peers: Peer[] = []
  const refusals: Refusal[] = []
  for (const object of objects) {
    const problems = problemsOf('BGPPeer', object)
    const peer = readPeer(object, nodes, secrets, problems)
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

function readPeer(
  { meta, spec }: BGPPeer,
  nodes: readonly Node[],
  secrets: ReadonlyMap<Key, Secret>,
  problems: Problems,
): Peer | undefined {
  reportUnsupported(spec, problems)
  const peerASN = readASNs(spec, problems)
  const address = readAddress('spec.peerAddress', spec.peerAddress, problems)
  if (address === undefined && (spec.peerAddress ?? '') === '') {
    problems.report('spec.peerAddress', 'MissingField', 'a peer needs an address')
  }
  const { holdTimeSeconds, keepaliveSeconds } = readTimers(spec, problems)
  const connectSeconds = readSeconds('spec.connectTime', spec.connectTime, problems) ?? defaultConnectSeconds
  if (connectSeconds < 1 || connectSeconds > largest) {
    problems.report('spec.connectTime', 'InvalidValue', `it must be between 1s and ${largest}s`)
  }
  reportSelectors(problems, 'spec.nodeSelectors', spec.nodeSelectors ?? [])
  const sourceAddress = readAddress('spec.sourceAddress', spec.sourceAddress, problems)
  if (sourceAddress && address && sourceAddress.family !== address.family) {
    problems.report('spec.sourceAddress', 'ConflictingFields', 'it is not of the family of spec.peerAddress')
  }
  const password = readPassword(meta.namespace, spec, secrets, problems)
  const routerID = readRouterID(spec, problems)
  if (address === undefined || peerASN === undefined) return undefined
  return {
    name: meta.name,
    myASN: spec.myASN,
    peerASN,
    address,
    port: spec.peerPort || 179,
    holdTimeSeconds,
    keepaliveSeconds,
    connectSeconds,
    sourceAddress,
    routerID,
    ebgpMultiHop: spec.ebgpMultiHop ?? false,
    password,
    nodes: selectNames(spec.nodeSelectors ?? [], nodes),
  }
}

function reportUnsupported(spec: BGPPeerSpec, problems: Problems): void {
  const asked: readonly (readonly [keyof BGPPeerSpec, boolean])[] = [
    ['localASN', spec.localASN !== undefined],
    ['dynamicASN', spec.dynamicASN !== undefined],
    ['interface', (spec.interface ?? '') !== ''],
    ['bfdProfile', (spec.bfdProfile ?? '') !== ''],
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
  if (spec.myASN === 0) problems.report('spec.myASN', 'InvalidValue', '0 is no AS number')
  if ((spec.peerASN ?? 0) === 0) {
    if (spec.dynamicASN === undefined)
      problems.report('spec.peerASN', 'MissingField', 'a peer needs an AS number')
    return undefined
  }
  if (spec.ebgpMultiHop === true && spec.peerASN === spec.myASN) {
    const text = 'it is for external sessions, but spec.myASN and spec.peerASN are equal'
    problems.report('spec.ebgpMultiHop', 'ConflictingFields', text)
  }
  return spec.peerASN
}

function readTimers(spec: BGPPeerSpec, problems: Problems) {
  const hold = readSeconds('spec.holdTime', spec.holdTime, problems)
  const keepalive = readSeconds('spec.keepaliveTime', spec.keepaliveTime, problems)
  const holdTimeSeconds = hold ?? (keepalive === undefined ? defaultHoldSeconds : 3 * keepalive)
  const keepaliveSeconds = keepalive ?? Math.floor(holdTimeSeconds / 3)
  if ((holdTimeSeconds > 0 && holdTimeSeconds < 3) || holdTimeSeconds > largest) {
    problems.report('spec.holdTime', 'InvalidValue', `it must be 0 or between 3s and ${largest}s`)
  }
  if (keepaliveSeconds > holdTimeSeconds) {
    problems.report('spec.keepaliveTime', 'ConflictingFields', 'it is longer than spec.holdTime')
  }
  return { holdTimeSeconds, keepaliveSeconds }
}

/** Whole seconds, fractions cut off. */
function readSeconds(field: string, text: string | undefined, problems: Problems): number | undefined {
  if (text === undefined || text === '') return undefined
  const seconds = parseGoDuration(text)
  if (seconds === undefined || seconds < 0) {
    problems.report(field, 'InvalidValue', `${JSON.stringify(text)} is no duration such as 90s`)
    return undefined
  }
  return Math.trunc(seconds)
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

function readPassword(
  namespace: string,
  spec: BGPPeerSpec,
  secrets: ReadonlyMap<Key, Secret>,
  problems: Problems,
): string | undefined {
  const name = spec.passwordSecret?.name ?? ''
  const password = spec.password ?? ''
  if (name === '') return password === '' ? undefined : password
  const field = 'spec.passwordSecret'
  if (password !== '') {
    problems.report(field, 'ConflictingFields', 'spec.password is set too')
    return undefined
  }
  const elsewhere = spec.passwordSecret?.namespace ?? ''
  if (elsewhere !== '' && elsewhere !== namespace) {
    problems.report(`${field}.namespace`, 'WrongNamespace', `the Secret must be in namespace ${namespace}`)
    return undefined
  }
  const secret = secrets.get(keyOf({ namespace, name }))
  if (secret === undefined) {
    problems.report(field, 'SecretNotFound', `there is no Secret ${namespace}/${name}`)
    return undefined
  }
  const bytes = secret.data['password']
  if (secret.type !== 'kubernetes.io/basic-auth') {
    problems.report(field, 'InvalidSecret', `Secret ${name} is not of type kubernetes.io/basic-auth`)
  } else if (bytes === undefined || bytes.length === 0) {
    problems.report(field, 'InvalidSecret', `Secret ${name} has no key password`)
  } else return new TextDecoder().decode(bytes)
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
