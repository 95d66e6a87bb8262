/** The whole picture: what there is, and all that is wrong with it. Pure. */
import type { ClusterView } from '../cluster-view.ts'
import type { Gap } from '../observed.ts'
import { type EnvoyRow, envoyFindings, envoyRows } from './envoys.ts'
import type { Finding } from './finding.ts'
import { objectFindings } from './objects.ts'
import { type PoolRow, poolFindings, poolRows } from './pools.ts'
import { type ProgramRow, programFindings, programRows } from './programs.ts'
import { type ServiceRow, serviceFindings, serviceRows } from './services.ts'
import { type PeerRow, peerRows, sessionFindings } from './sessions.ts'
import { translationFindings } from './translation.ts'

export interface Status {
  /** No error; warnings there may be. */
  readonly ok: boolean
  readonly programs: readonly ProgramRow[]
  readonly pools: readonly PoolRow[]
  readonly services: readonly ServiceRow[]
  readonly peers: readonly PeerRow[]
  readonly envoys: readonly EnvoyRow[]
  /** Errors first. */
  readonly findings: readonly Finding[]
  /** Kinds that could not be read. */
  readonly gaps: readonly (Gap & { readonly kind: string })[]
}

export function statusOf(view: ClusterView): Status {
  const { observed } = view
  const all = toldOnce([
    ...programFindings(observed),
    ...serviceFindings(observed),
    ...poolFindings(observed),
    ...sessionFindings(observed),
    ...envoyFindings(view),
    ...objectFindings(view),
    ...translationFindings(view),
  ])
  const findings = idleBecause(all)
  const gaps = [...observed.gaps].map(([kind, gap]) => ({ kind, ...gap }))
  return {
    ok: findings.every(({ severity }) => severity !== 'error'),
    programs: programRows(observed),
    pools: poolRows(observed),
    services: serviceRows(observed),
    peers: peerRows(observed),
    envoys: envoyRows(view),
    findings: findings.toSorted((a, b) => rank(a) - rank(b)),
    gaps: gaps.toSorted((a, b) => (a.kind < b.kind ? -1 : 1)),
  }
}

function rank({ severity }: Finding): number {
  return severity === 'error' ? 0 : 1
}

/** Each thing once: what has one remedy follows from what is nearest to the cause, and no warning comes on top of an error. */
function toldOnce(all: readonly Finding[]): readonly Finding[] {
  const identity = ({ kind, name, reason, message }: Finding) => [kind, name, reason, message].join('\0')
  const findings = [...new Map(all.map((one) => [identity(one), one])).values()]
  const errors = findings.filter(({ severity, next }) => severity === 'error' && next !== '')
  return findings.flatMap((one) => {
    const same = errors.filter(({ kind, next }) => kind !== one.kind && next === one.next)
    if (one.severity === 'warning') return same.some((error) => tells(error, one)) ? [] : [one]
    const cause = one.kind === 'Service' ? same[0] : undefined
    return [cause === undefined ? one : following(one, cause)]
  })
}

/** Why is said of the cause. */
function following(one: Finding, { kind, name, reason }: Finding): Finding {
  const [message = ''] = one.message.split(/[:;] /)
  return { ...one, message, next: '', cause: { kind, name, reason } }
}

/** That Envoy serves nothing follows from what is wrong with all that it might serve. */
function idleBecause(findings: readonly Finding[]): readonly Finding[] {
  const cause = findings.find(
    ({ severity, kind }) => severity === 'error' && (kind === 'HTTPProxy' || kind === 'Ingress'),
  )
  if (cause === undefined) return findings
  return findings.map((one) => (one.reason === 'noVirtualHost' ? following(one, cause) : one))
}

function tells({ kind, message, next }: Finding, { name }: Finding): boolean {
  const [own = ''] = name.split('/').toReversed()
  return kind === 'Service' && `${message} ${next}`.split(/[^\w.-]+/).includes(own)
}
