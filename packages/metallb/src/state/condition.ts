/** Setting one condition in a list that others write to as well (pure: the time is passed in). */
import type { Condition } from '@landfall/api'

const longestMessage = 32_000

/**
 * The list with this condition in it; its time of transition moves only when its status does.
 * @param since when it became so, in milliseconds, where that is known better
 */
export function withCondition(
  list: unknown,
  wanted: Omit<Condition, 'lastTransitionTime'>,
  now: () => Date,
  since?: number,
): readonly object[] {
  const conditions = listOf(list)
  const old = conditions.find((one) => one.type === wanted.type)
  const kept = old?.status === wanted.status ? old.lastTransitionTime : undefined
  const condition = {
    ...wanted,
    message: wanted.message.slice(0, longestMessage),
    lastTransitionTime: since === undefined ? (kept ?? seconds(now())) : seconds(new Date(since)),
  }
  if (old === undefined) return [...conditions, condition]
  return conditions.map((one) => (one === old ? condition : one))
}

export function withoutCondition(list: unknown, type: string): readonly object[] {
  return listOf(list).filter((one) => one.type !== type)
}

function listOf(list: unknown): readonly Partial<Condition>[] {
  return Array.isArray(list) ? list : []
}

/** RFC 3339 without fractions, as the API server keeps it. */
function seconds(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z')
}
