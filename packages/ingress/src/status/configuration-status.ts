/**
 * What became of a ContourConfiguration → its conditions: `Valid`, `Applied` (not while something waits for a restart),
 * `ResolvedRefs` (what it names for all hosts can be used) and `Programmed` (Envoys take the listeners).
 */
import type { ContourConfigurationStatus } from '@landfall/api'
import { noFacts, type SharedFacts } from './shared-state.ts'

type Condition = NonNullable<ContourConfigurationStatus['conditions']>[number]

export interface ConfigurationVerdict {
  /** Each with its path; not empty: the configuration before holds. */
  readonly problems: readonly string[]
  /** Paths of what holds only after a restart. */
  readonly needRestart: readonly string[]
  /** Of the configuration that holds. */
  readonly facts?: SharedFacts
}

const own = ['Valid', 'Applied', 'ResolvedRefs', 'Programmed']
const longest = 32_760

/** @param now RFC 3339, with whole seconds */
export function configurationStatus(
  current: ContourConfigurationStatus | undefined,
  { problems, needRestart, facts = noFacts }: ConfigurationVerdict,
  generation: number,
  now: string,
): ContourConfigurationStatus {
  const before = current?.conditions ?? []
  const make = (type: string, status: 'True' | 'False', reason: string, message: string): Condition => {
    const known = before.find((one) => one.type === type)
    const lastTransitionTime = known?.status === status ? known.lastTransitionTime : now
    return {
      type,
      status,
      reason,
      message: message.slice(0, longest),
      lastTransitionTime,
      observedGeneration: generation,
    }
  }
  const errors = problems.map((message) => ({
    type: 'ConfigurationError',
    status: 'True' as const,
    reason: 'InvalidSetting',
    message: message.slice(0, longest),
  }))
  const valid = make(
    'Valid',
    errors.length > 0 ? 'False' : 'True',
    errors.length > 0 ? 'ErrorPresent' : 'Valid',
    errors.length > 0 ? 'At least one error present, see Errors for details' : 'Valid ContourConfiguration',
  )
  const applied =
    errors.length > 0
      ? make('Applied', 'False', 'Invalid', 'the configuration before holds')
      : needRestart.length > 0
        ? make('Applied', 'False', 'RestartNeeded', `needs a restart: ${needRestart.join(', ')}`)
        : make('Applied', 'True', 'Applied', 'all of it is in force')
  const { unresolved, refused } = facts
  const told = unresolved.map(({ type, reason, message }) => ({
    type,
    status: 'True' as const,
    reason,
    message,
  }))
  const references =
    unresolved.length > 0
      ? make(
          'ResolvedRefs',
          'False',
          unresolved[0]?.reason ?? '',
          unresolved.map(({ message }) => message).join('; '),
        )
      : make('ResolvedRefs', 'True', 'ResolvedRefs', 'all that it names for all hosts can be used')
  const words = refused.map(({ name, message }) => `listener "${name}": ${message}`).join('; ')
  const programmed =
    refused.length > 0
      ? make('Programmed', 'False', 'EnvoyRefused', words)
      : make('Programmed', 'True', 'Programmed', 'no Envoy refuses a listener')
  const foreign = before.filter(({ type }) => !own.includes(type))
  return {
    conditions: [
      errors.length > 0 ? { ...valid, errors } : valid,
      applied,
      unresolved.length > 0 ? { ...references, errors: told } : references,
      programmed,
      ...foreign,
    ],
  }
}
