/**
 * What Envoys have and refuse of an HTTPProxy → its condition `Programmed`. What they refuse it tells for people in the
 * message and for a replica that starts in one error each: which content, and which build of Envoy refused it. And back
 * again.
 */
import type { DetailedCondition, HTTPProxyStatus } from '@landfall/api'
import type { RefusedIn } from '../engine/refusals.ts'
import type { Programmed } from '../xds/programming.ts'
import { readRefused, written } from './refused-content.ts'
import { longest, validType } from './valid-condition.ts'

export const programmedType = 'Programmed'

/** Said in a status, of the object as it was then. */
export interface Told extends RefusedIn {
  readonly generation: number
}

/** So many contents of one object are remembered. */
const most = 32

type Conditions = readonly DetailedCondition[]

/** The conditions with `Programmed` as it should be behind `Valid`, or without it. */
export function withProgrammed(
  conditions: Conditions,
  programmed: DetailedCondition | undefined,
): DetailedCondition[] {
  const foreign = conditions.filter(({ type }) => type !== validType && type !== programmedType)
  const valid = conditions.filter(({ type }) => type === validType)
  return [...valid, ...(programmed === undefined ? [] : [programmed]), ...foreign]
}

/**
 * Of a host of which nothing is refused. What Envoys acknowledged of the same generation stays said while one of them is
 * behind, or all are away for a moment.
 * @param now RFC 3339, with whole seconds, as the API keeps it
 */
export function acknowledgedCondition(
  current: HTTPProxyStatus | undefined,
  state: Programmed,
  generation: number,
  now: string,
): DetailedCondition {
  const before = current?.conditions?.find(({ type }) => type === programmedType)
  const holds = before?.status === 'True' && before.observedGeneration === generation
  if (holds && state !== 'none') return before
  const words = sayings[state]
  const lastTransitionTime = before?.status === words.status ? before.lastTransitionTime : now
  return { type: programmedType, ...words, lastTransitionTime, observedGeneration: generation }
}

export const absentReason = 'NoEnvoy'

const alone = {
  status: 'Unknown',
  reason: absentReason,
  message: 'no Envoy is connected to the replica that writes this status',
} as const

const sayings: Readonly<Record<Programmed, Pick<DetailedCondition, 'status' | 'reason' | 'message'>>> = {
  acknowledged: {
    status: 'True',
    reason: 'Programmed',
    message: 'every connected Envoy has acknowledged it',
  },
  pending: {
    status: 'Unknown',
    reason: 'Pending',
    message: 'not every connected Envoy has acknowledged it yet',
  },
  absent: alone,
  none: alone,
}

/** @param now RFC 3339, with whole seconds, as the API keeps it */
export function refusedCondition(
  current: HTTPProxyStatus | undefined,
  host: string,
  refused: readonly RefusedIn[],
  generation: number,
  now: string,
): DetailedCondition | undefined {
  if (refused.length === 0) return undefined
  const before = current?.conditions?.find(({ type }) => type === programmedType)
  const sentences = refused.map(({ type, name, message }) => `host "${host}": ${type} "${name}": ${message}`)
  return {
    type: programmedType,
    status: 'False',
    reason: 'EnvoyRefused',
    message: [...new Set(sentences)].join('; ').slice(0, longest),
    lastTransitionTime: before?.status === 'False' ? before.lastTransitionTime : now,
    // Another replica may have seen a newer object already.
    observedGeneration: Math.max(generation, before?.observedGeneration ?? 0),
    errors: refused.slice(0, most).map((one) => ({
      type: 'RefusedContent',
      status: 'True',
      reason: 'EnvoyRefused',
      message: written(one),
    })),
  }
}

/** What the status says; nothing of what was written in other words. */
export function refusalsTold(status: HTTPProxyStatus | undefined): readonly Told[] {
  const condition = status?.conditions?.find(({ type }) => type === programmedType)
  if (condition?.status !== 'False') return []
  return (condition.errors ?? []).flatMap((error) => {
    const refused = readRefused(error.message)
    return refused === undefined ? [] : [{ ...refused, generation: condition.observedGeneration ?? 0 }]
  })
}
