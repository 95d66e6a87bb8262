/** BGP peers and the session of each node with them. */
import { type SessionFact, sessionFacts, sessionKey } from '../facts/announcers.ts'
import { conditionOf, sentence } from '../facts/condition.ts'
import { rulingConfigMap } from '../facts/configuration.ts'
import { type PeerFact, peerFacts } from '../facts/peers.ts'
import { placeText, saidOf } from '../facts/place.ts'
import { adviceOnSession } from '../facts/session-advice.ts'
import type { Observed } from '../observed.ts'
import type { Finding } from './finding.ts'

export interface PeerRow {
  readonly name: string
  /** As `BGPPeer metallb-system/tor`, or `ConfigMap metallb-system/config peers[0]`; '' where it is not known. */
  readonly writtenIn: string
  /** Address, or the interface of an unnumbered peer. */
  readonly at: string
  /** [] where no speaker reports any. */
  readonly sessions: readonly SessionRow[]
}

export interface SessionRow extends SessionFact {
  /** `prefixes` is what the speaker says now; else it may be a minute old. */
  readonly counted: boolean
}

export function peerRows(observed: Observed): readonly PeerRow[] {
  const facts = sessionFacts(observed.sessions.items)
  const rows = peerFacts(observed).map(({ name, spec, place }) => ({
    name,
    writtenIn: placeText(place),
    at: spec.peerAddress ?? spec.interface ?? '',
    sessions: facts.filter(({ peer }) => peer === name),
  }))
  const others = [...strangers(observed)].map(([name, sessions]) => ({
    name,
    writtenIn: '',
    at: '',
    sessions,
  }))
  return [...rows, ...others]
    .map((row) => ({ ...row, sessions: row.sessions.map((one) => sessionRow(one, observed)) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function sessionRow(fact: SessionFact, observed: Observed): SessionRow {
  // Of one that is down there is nothing to count.
  return { ...fact, counted: !fact.established || observed.counted.has(sessionKey(fact)) }
}

/** Sessions of peers that stand in nothing that was read; but what a speaker left behind is not told. */
function strangers(observed: Observed): ReadonlyMap<string, readonly SessionFact[]> {
  const known = new Set(peerFacts(observed).map(({ name }) => name))
  const all = sessionFacts(observed.sessions.items)
  return Map.groupBy(
    all.filter(({ peer, unknown }) => !known.has(peer) && !unknown),
    ({ peer }) => peer,
  )
}

/** A finding for each peer and reason. */
export function sessionFindings(observed: Observed): readonly Finding[] {
  const facts = sessionFacts(observed.sessions.items)
  const known = peerFacts(observed).flatMap((fact) => {
    const sessions = facts.filter(({ peer }) => peer === fact.name)
    if (sessions.length === 0) return unreported(fact, observed)
    const { kind, name } = fact.place
    const at = fact.spec.peerAddress ?? ''
    const subject = [fact.name, at].filter((part) => part !== '').join(', ')
    return troubles(sessions, observed).map((one) => ({
      ...one,
      kind,
      name,
      message: saidOf(fact.place, subject, one.message),
    }))
  })
  const others = [...strangers(observed)].flatMap(([name, sessions]) =>
    troubles(sessions, observed).map((one) => ({ ...one, kind: 'Peer', name })),
  )
  return [...known, ...others]
}

type Trouble = Omit<Finding, 'kind' | 'name'>

function troubles(sessions: readonly SessionFact[], observed: Observed): readonly Trouble[] {
  const troubled = sessions.filter(({ established, reason }) => !established || reason !== '')
  const groups = Map.groupBy(troubled, ({ established, unknown, reason, message }) =>
    JSON.stringify([established, unknown, reason, message]),
  )
  return [...groups.values()].map((group): Trouble => {
    const [first] = group as [SessionFact, ...SessionFact[]]
    const { established, unknown, reason, message } = first
    const nodes = group.map(({ node }) => node).join(', ')
    const what = established ? 'up, but does not carry all' : unknown ? 'not known' : 'down'
    return {
      severity: established ? 'warning' : 'error',
      reason: reason === '' ? 'sessionDown' : reason,
      message: `session from ${nodes} is ${what}${message === '' ? '' : `: ${message}`}`,
      next: adviceOnSession(first, observed),
    }
  })
}

/** Where the reports may not be read, the peer's own condition says as much as it can. */
function unreported({ name: peer, place, object }: PeerFact, observed: Observed): readonly Finding[] {
  const { kind, name } = place
  const { sessions, pods, places } = observed
  const said = object && conditionOf(object, 'Established')
  if (said?.status === 'False')
    return [{ severity: 'error', kind, name, reason: said.reason, message: sentence(said), next: '' }]
  if (sessions.gap !== undefined || said !== undefined || pods.gap !== undefined) return []
  // Of a ConfigMap that is refused nothing comes into force.
  if (rulingConfigMap(observed)?.usable === false) return []
  const message = 'no speaker reports a session with it: it selects no node, or none runs a speaker'
  const next = `Look at ${place.field('spec.nodeSelectors')}, and at: kubectl -n ${places.system} get pods -l component=speaker -o wide`
  return [
    { severity: 'warning', kind, name, reason: 'noSession', message: saidOf(place, peer, message), next },
  ]
}
