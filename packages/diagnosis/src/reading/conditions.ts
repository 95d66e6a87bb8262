/** Conditions as they are written in a status, whoever wrote them. */
import type { RawObject } from '@landfall/kube'
import type { Condition, SubCondition } from '../observed.ts'
import { entriesOf, fieldsOf, textOf } from './fields.ts'

export function conditionsOf(raw: RawObject): readonly Condition[] {
  return entriesOf(fieldsOf(raw['status'])['conditions']).map((one) => ({
    ...saidIn(one),
    status: textOf(one['status']),
    errors: entriesOf(one['errors']).map(saidIn),
    warnings: entriesOf(one['warnings']).map(saidIn),
  }))
}

function saidIn(one: Readonly<Record<string, unknown>>): SubCondition {
  return { type: textOf(one['type']), reason: textOf(one['reason']), message: textOf(one['message']) }
}
