/** Looking for one condition. */
import type { Condition } from '../observed.ts'

export function conditionIn(conditions: readonly Condition[], type: string): Condition | undefined {
  return conditions.find((one) => one.type === type)
}

/** The conditions of a custom resource's status, whatever else they hold. */
export function conditionOf(
  { status }: { readonly status?: { readonly conditions?: readonly Said[] | undefined } },
  type: string,
): Said | undefined {
  return status?.conditions?.find((one) => one.type === type)
}

export interface Said {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** `reason: message`, or the one that there is. */
export function sentence({ reason, message }: { readonly reason: string; readonly message: string }): string {
  return [reason, message].filter((part) => part !== '').join(': ')
}
