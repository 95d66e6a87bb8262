/** BGPSessionStatus as this speaker writes it: its node's session with one peer. */
import { createHash } from 'node:crypto'
import * as api from '@landfall/api'
import { customType, type RawObject } from '@landfall/kube'
import { describeUnsent, type SessionStatus } from '../bgp/index.ts'
import type { OwnerReference } from './owner-reference.ts'
import { nodeLabel } from './report-object.ts'

export const sessionType = customType<api.BGPSessionStatus>(api.bgpSessionStatus)

const nodeLabelName = 'metallb.io/node'
const routesShown = 5

export type Session = SessionStatus
export type SessionText = Omit<api.BGPSessionStatusStatus, 'node' | 'peer'>

/** Selects the objects of the node: of one whose name is longer than a label may be, by its digest. */
export function labelsOf(node: string): Readonly<Record<string, string>> {
  const label = nodeLabel(nodeLabelName, node)
  return nodeLabelName in label ? label : { [nodeLabelName]: digest(node, 40) }
}

/** The same after a restart. */
export function sessionName(node: string, peer: string): string {
  return `session-${digest(`${node}#${peer}`, 10)}`
}

export function sessionObject(
  at: { readonly namespace: string; readonly node: string; readonly peer: string },
  owner: OwnerReference | undefined,
): RawObject {
  const { namespace, node, peer } = at
  const metadata = {
    name: sessionName(node, peer),
    namespace,
    labels: labelsOf(node),
    ...(owner === undefined ? {} : { ownerReferences: [owner] }),
  }
  return { apiVersion: sessionType.apiVersion, kind: sessionType.kind, metadata, spec: {} }
}

/** What is to be said of it. While it is down, one attempt is as good as another: their states are not told. */
export function sessionText(session: Session): SessionText {
  const { state, since, address, vrf, announced, bfd, lastEnding } = session
  const isUp = state === 'established'
  return {
    address,
    ...(vrf === undefined ? {} : { vrf }),
    bgpStatus: isUp ? 'Established' : 'Down',
    ...(bfd === undefined ? {} : { bfdStatus: bfd.obstacle === undefined ? bfd.state : 'unavailable' }),
    since: new Date(since).toISOString().replace(/\.\d+Z$/, 'Z'),
    prefixes: isUp ? announced : 0,
    ...whyNot(session),
    // While it is down, it is what `reason` and `message` say.
    ...(isUp && lastEnding !== undefined ? { lastError: `${lastEnding.reason}: ${lastEnding.message}` } : {}),
  }
}

function whyNot({
  state,
  lastEnding,
  held,
  passive,
  unsent,
  bfd,
  fastBfd,
}: Session): Pick<SessionText, 'reason' | 'message'> {
  if (state === 'established') {
    const [first] = unsent
    if (first !== undefined) return { reason: first.reason, message: textOfUnsent(unsent) }
    if (bfd?.obstacle !== undefined)
      return { reason: bfd.obstacle, message: 'BFD does not watch the session' }
    return fastBfd === undefined ? {} : { reason: 'fastBFD', message: fastBfd }
  }
  if (held) return { reason: 'bfdDown', message: 'BFD lost the peer: no session before it is found again' }
  if (passive === 'notListening')
    return {
      reason: 'notListening',
      message: 'the peer has to dial, and this speaker runs without --bgp-listen',
    }
  if (lastEnding !== undefined) return lastEnding
  return passive
    ? { reason: 'waitingForPeer', message: 'the peer has not dialled' }
    : { reason: 'connecting', message: 'the first attempt is under way' }
}

function textOfUnsent(unsent: Session['unsent']): string {
  const shown = unsent.slice(0, routesShown).map(describeUnsent)
  const more = unsent.length - shown.length
  return `not sent: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length)
}
