/** One step on the way of a request, and what was found there. */

export const stepNames = [
  'address',
  'pool',
  'announcement',
  'entry',
  'listener',
  'virtual host',
  'route',
  'cluster',
  'endpoints',
  'pods',
  'request',
] as const
export type StepName = (typeof stepNames)[number]

export interface Step {
  readonly name: StepName
  /** `unknown`: it cannot be told from here; `skipped`: it does not come to that. */
  readonly state: 'ok' | 'warning' | 'broken' | 'unknown' | 'skipped'
  readonly message: string
  /** More of the same, a line each. */
  readonly details: readonly string[]
  /** Stable code; '' where all is well. */
  readonly reason: string
  /** What to do; '' for nothing. */
  readonly next: string
}

type More = Partial<Pick<Step, 'details' | 'next'>>

export function fine(name: StepName, message: string, details: readonly string[] = []): Step {
  return { name, state: 'ok', message, details, reason: '', next: '' }
}

export function broken(name: StepName, reason: string, message: string, more: More = {}): Step {
  return { name, state: 'broken', message, details: [], reason, next: '', ...more }
}

/** It works, and something is not as it should be. */
export function doubtful(name: StepName, reason: string, message: string, more: More = {}): Step {
  return { name, state: 'warning', message, details: [], reason, next: '', ...more }
}

export function unknown(name: StepName, reason: string, message: string, more: More = {}): Step {
  return { name, state: 'unknown', message, details: [], reason, next: '', ...more }
}

export function skipped(name: StepName, message: string): Step {
  return { name, state: 'skipped', message, details: [], reason: '', next: '' }
}
