/** A verdict → the status of an ExtensionService: the condition `Valid`. Conditions of others are kept. */
import type { ExtensionServiceStatus } from '@landfall/api'
import type { Verdict } from '../engine/verdicts.ts'
import { validCondition, validType } from './valid-condition.ts'

const messages = {
  valid: 'Valid ExtensionService',
  invalid: 'At least one error present, see Errors for details',
}

/** @param now RFC 3339, with whole seconds, as the API keeps it */
export function extensionStatus(
  current: ExtensionServiceStatus | undefined,
  { problems }: Verdict,
  generation: number,
  now: string,
): ExtensionServiceStatus {
  const own = validCondition(current?.conditions, problems, messages, generation, now)
  const foreign = current?.conditions?.filter(({ type }) => type !== validType) ?? []
  return { conditions: [own, ...foreign] }
}
