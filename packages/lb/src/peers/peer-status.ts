/**
 * What the status of a BGPPeer says of its sessions (pure): how many of them are up, and of which nodes they are not,
 * with the reason.
 */
import { withCondition, withoutCondition } from '@landfall/metallb/state'

export type Status = Readonly<Record<string, unknown>>

/** One node's session, as its speaker reports it. */
export interface PeerSession {
  readonly node: string
  readonly established: boolean
  /** '' when all is well. */
  readonly reason: string
  readonly message: string
}

const type = 'Established'
const nodesShown = 10

/** `sessions`: undefined while they are not known; [] where no speaker says anything, and then nothing is said here. */
export function peerStatus(
  old: Status,
  sessions: readonly PeerSession[] | undefined,
  observedGeneration: number,
  now: () => Date,
): Status {
  if (sessions === undefined) return old
  if (sessions.length === 0) {
    const { sessions: _sessions, ...rest } = old
    return { ...rest, conditions: withoutCondition(old['conditions'], type) }
  }
  const down = sessions.filter(({ established }) => !established)
  const condition = {
    type,
    status: down.length === 0 ? 'True' : 'False',
    reason: down.length === 0 ? 'AllUp' : down.length === sessions.length ? 'NoneUp' : 'SomeDown',
    message: messageOf(down),
    observedGeneration,
  } as const
  const conditions = withCondition(old['conditions'], condition, now)
  return { ...old, sessions: `${sessions.length - down.length}/${sessions.length}`, conditions }
}

/** `n2, n3: connectFailed: connect ECONNREFUSED 192.0.2.1:179; n4: …` */
function messageOf(down: readonly PeerSession[]): string {
  const shown = down.toSorted((a, b) => (a.node < b.node ? -1 : 1)).slice(0, nodesShown)
  const why = ({ reason, message }: PeerSession) => [reason, message].filter((part) => part !== '').join(': ')
  const texts = [...Map.groupBy(shown, why)].map(([text, of]) => {
    const nodes = of.map(({ node }) => node).join(', ')
    return text === '' ? nodes : `${nodes}: ${text}`
  })
  const more = down.length - shown.length
  return [...texts, ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
}
