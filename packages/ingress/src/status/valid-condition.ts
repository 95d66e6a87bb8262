/**
 * The condition `Valid`, with every error and warning as one of its own. The time of the last transition is kept while
 * the status stays.
 */
import type { DetailedCondition, SubCondition } from '@landfall/api'
import type { Problem } from '../dag/problem.ts'

/** The API's limit is 32,768. */
export const longest = 32_760
/** Of each severity: an object with its status is to stay below what the API server takes (1.5 MiB). */
export const mostListed = 100
const mostCharacters = 200_000
export const validType = 'Valid'

/**
 * @param current conditions that the object has
 * @param now RFC 3339, with whole seconds, as the API keeps it
 */
export function validCondition(
  current: readonly DetailedCondition[] | undefined,
  problems: readonly Problem[],
  messages: { readonly valid: string; readonly invalid: string },
  generation: number,
  now: string,
): DetailedCondition {
  const errors = subConditions(problems, 'error')
  const warnings = subConditions(problems, 'warning')
  const valid = errors.length === 0
  const status = valid ? 'True' : 'False'
  const before = current?.find(({ type }) => type === validType)
  return {
    type: validType,
    status,
    reason: valid ? 'Valid' : 'ErrorPresent',
    message: valid ? messages.valid : messages.invalid,
    lastTransitionTime: before?.status === status ? before.lastTransitionTime : now,
    observedGeneration: generation,
    ...(errors.length > 0 ? { errors } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
  }
}

function subConditions(problems: readonly Problem[], severity: Problem['severity']): SubCondition[] {
  const all = problems.filter((problem) => problem.severity === severity)
  const listed: SubCondition[] = []
  let characters = 0
  for (const problem of all) {
    const message = problem.message.slice(0, longest)
    characters += message.length
    if (listed.length === mostListed || characters > mostCharacters) {
      listed.push(entryOf(problem, `${all.length - listed.length} more are not listed`))
      break
    }
    listed.push(entryOf(problem, message))
  }
  return listed
}

function entryOf({ type, reason }: Problem, message: string): SubCondition {
  return { type, status: 'True', reason, message }
}
