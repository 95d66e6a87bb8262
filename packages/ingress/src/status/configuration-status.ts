/** What became of a ContourConfiguration → its conditions: `Valid`, and `Applied` while something waits for a restart. */
import type { ContourConfigurationStatus } from '@landfall/api'

type Condition = NonNullable<ContourConfigurationStatus['conditions']>[number]

export interface ConfigurationVerdict {
  /** Each with its path; not empty: the configuration before holds. */
  readonly problems: readonly string[]
  /** Paths of what holds only after a restart. */
  readonly needRestart: readonly string[]
}

const longest = 32_760

/** @param now RFC 3339, with whole seconds */
export function configurationStatus(
  current: ContourConfigurationStatus | undefined,
  { problems, needRestart }: ConfigurationVerdict,
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
  const foreign = before.filter(({ type }) => type !== 'Valid' && type !== 'Applied')
  return { conditions: [errors.length > 0 ? { ...valid, errors } : valid, applied, ...foreign] }
}
