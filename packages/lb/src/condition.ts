/** Setting one condition in a list that others write to as well. */
import type { Condition } from '@landfall/api'

const longestMessage = 32_000

/** The list with this condition in it; its time of transition moves only when its status does. */
export function withCondition(
  list: unknown,
  wanted: Omit<Condition, 'lastTransitionTime'>,
  now: () => Date = () => new Date(),
): readonly object[] {
  const conditions: readonly Partial<Condition>[] = Array.isArray(list) ? list : []
  const old = conditions.find((one) => one.type === wanted.type)
  const since = old?.status === wanted.status ? old.lastTransitionTime : undefined
  const condition = {
    ...wanted,
    message: wanted.message.slice(0, longestMessage),
    lastTransitionTime:
      since ??
      now()
        .toISOString()
        .replace(/\.\d+Z$/, 'Z'),
  }
  if (old === undefined) return [...conditions, condition]
  return conditions.map((one) => (one === old ? condition : one))
}
