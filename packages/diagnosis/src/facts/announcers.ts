/** Who announces a Service, as the speakers report it: nodes by layer 2, nodes and peers by BGP. */
import type { BGPSessionStatus, ServiceBGPStatus, ServiceL2Status } from '@landfall/api'
import type { Observed } from '../observed.ts'

export interface Layer2Announcer {
  readonly node: string
  readonly interfaces: readonly string[]
}

export interface BGPAnnouncer {
  readonly node: string
  /** Peers that it is meant for. */
  readonly peers: readonly PeerOfNode[]
}

export interface PeerOfNode {
  readonly name: string
  /** undefined: the speaker says nothing of it. */
  readonly session: SessionFact | undefined
}

export interface SessionFact {
  readonly node: string
  readonly peer: string
  readonly address: string
  readonly established: boolean
  /** Its speaker is not heard: nobody knows. */
  readonly unknown: boolean
  readonly since: string
  readonly prefixes: number
  readonly bfd: string
  readonly reason: string
  readonly message: string
}

/** Why it is not announced by one of the protocols. */
export interface Silence {
  readonly protocol: 'layer 2' | 'BGP'
  readonly reason: string
  readonly message: string
}

export interface Announcers {
  readonly layer2: readonly Layer2Announcer[]
  readonly bgp: readonly BGPAnnouncer[]
  readonly silences: readonly Silence[]
}

type Reported = Pick<Observed, 'layer2Reports' | 'bgpReports' | 'sessions'>

export function announcersOf(
  observed: Reported,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Announcers {
  const about = ({ meta, status }: ServiceL2Status | ServiceBGPStatus) =>
    (meta.labels['metallb.io/service-name'] ?? status?.serviceName) === name &&
    (meta.labels['metallb.io/service-namespace'] ?? status?.serviceNamespace) === namespace
  const layer2 = observed.layer2Reports.items.filter(about)
  const bgp = observed.bgpReports.items.filter(about)
  const sessions = sessionFacts(observed.sessions.items)
  return {
    layer2: layer2.filter(announces).map(({ status }) => ({
      node: status?.node ?? '',
      interfaces: (status?.interfaces ?? []).flatMap((one) => one.name ?? []),
    })),
    bgp: bgp
      .filter(announces)
      .map(({ status }) => ({ node: status?.node ?? '', peers: status?.peers ?? [] }))
      .map(({ node, peers }) => ({ node, peers: peers.map((peer) => ofPeer(sessions, node, peer)) }))
      .toSorted((a, b) => (a.node < b.node ? -1 : 1)),
    silences: [...silencesIn('layer 2', layer2), ...silencesIn('BGP', bgp)],
  }
}

/** The speakers' word on each session, by node and peer. */
export function sessionFacts(all: readonly BGPSessionStatus[]): readonly SessionFact[] {
  return all
    .map(({ status = {} }) => ({
      node: status.node ?? '',
      peer: status.peer ?? '',
      address: status.address ?? '',
      established: status.bgpStatus === 'Established',
      unknown: status.bgpStatus === 'Unknown',
      since: status.since ?? '',
      prefixes: status.prefixes ?? 0,
      bfd: status.bfdStatus ?? '',
      ...named(status.reason ?? '', status.message ?? ''),
    }))
    .toSorted((a, b) => (`${a.peer} ${a.node}` < `${b.peer} ${b.node}` ? -1 : 1))
}

/** A NOTIFICATION that has a remedy of its own is called by what it says. */
function named(reason: string, message: string): Pick<SessionFact, 'reason' | 'message'> {
  return message.includes('badPeerAS') ? { reason: 'badPeerAS', message } : { reason, message }
}

/** Of one node with one peer. */
export function sessionKey({ node, peer }: { readonly node?: string; readonly peer?: string }): string {
  return `${node ?? ''} ${peer ?? ''}`
}

function ofPeer(sessions: readonly SessionFact[], node: string, name: string): PeerOfNode {
  return { name, session: sessions.find((one) => one.node === node && one.peer === name) }
}

function announces({ status }: ServiceL2Status | ServiceBGPStatus): boolean {
  return (status?.node ?? '') !== '' && (status?.reason ?? '') === ''
}

function silencesIn(
  protocol: Silence['protocol'],
  reports: readonly (ServiceL2Status | ServiceBGPStatus)[],
): readonly Silence[] {
  return reports.flatMap(({ status }) => {
    const { reason = '', message = '' } = status ?? {}
    return reason === '' ? [] : [{ protocol, reason, message }]
  })
}
