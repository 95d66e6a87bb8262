/**
 * The status of a ConfigurationState: whether a component could use every object that concerns it. A function of
 * what it judged and of the status before, from which what others wrote is kept.
 */
import type { Condition } from '@landfall/api'
import type { Source } from '../legacy/source.ts'
import type { Refusal } from '../refusal.ts'
import type { Warning } from '../warnings.ts'
import { withCondition, withoutCondition } from './condition.ts'

export type Status = Readonly<Record<string, unknown>>

export interface ComponentState {
  /** The condition of this component: `poolReconcilerValid` or `configReconcilerValid`. */
  readonly type: string
  readonly refusals: readonly Refusal[]
  readonly warnings: readonly Warning[]
  readonly source: Source
  /** The one that does not rule is there too. */
  readonly both: boolean
  /** As `ConfigMap metallb-system/config`. */
  readonly configMap: string
  /** What is there and not read, for people. */
  readonly unread?: readonly string[]
}

export function componentState(old: Status, state: ComponentState, now: () => Date) {
  const { type, refusals, warnings } = state
  const errorSummary = textOf(refusals)
  const valid = refusals.length === 0
  const condition = {
    type,
    status: valid ? 'True' : 'False',
    reason: valid ? 'Reconciled' : 'ConfigurationError',
    message: errorSummary,
  } as const
  const judged = withCondition(old['conditions'], condition, now)
  const resolved = withUnresolved(judged, warnings, 'referencesResolved', now)
  return {
    ...old,
    result: valid ? 'Valid' : 'Invalid',
    errorSummary,
    conditions: withUnread(withSource(resolved, state, now), state, now),
  }
}

/** The condition is there for as long as something names what does not exist. */
export function withUnresolved(
  list: readonly object[],
  warnings: readonly Warning[],
  type: string,
  now: () => Date,
  more: Pick<Condition, 'observedGeneration'> = {},
): readonly object[] {
  const [first] = warnings
  if (first === undefined) return withoutCondition(list, type)
  const { reason } = first
  return withCondition(list, { type, status: 'False', reason, message: textOf(warnings), ...more }, now)
}

/** Which configuration rules, and why, wherever there could be a doubt. */
function withSource(
  list: readonly object[],
  { source, both, configMap }: ComponentState,
  now: () => Date,
): readonly object[] {
  const type = 'configurationSource'
  if (source === 'configMap') {
    const message = `${configMap} rules, since there is no usable IPAddressPool`
    return withCondition(list, { type, status: 'True', reason: 'ConfigMap', message }, now)
  }
  if (!both) return withoutCondition(list, type)
  const message = `the metallb.io objects rule, since there is an IPAddressPool; ${configMap} is not used`
  return withCondition(list, { type, status: 'True', reason: 'Objects', message }, now)
}

/** The condition is there for as long as something is not read. */
function withUnread(
  list: readonly object[],
  { unread = [] }: ComponentState,
  now: () => Date,
): readonly object[] {
  const type = 'everythingRead'
  if (unread.length === 0) return withoutCondition(list, type)
  return withCondition(list, { type, status: 'False', reason: 'NotRead', message: unread.join('\n') }, now)
}

export function textOf(found: readonly { readonly message: string }[]): string {
  return found.map(({ message }) => message).join('\n')
}
