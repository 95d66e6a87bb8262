/** A Service with what its conditions say, and who wrote its addresses. */
import { type RawObject, serviceType } from '@landfall/kube'
import type { BalancedService } from '../observed.ts'
import { conditionsOf } from './conditions.ts'
import { entriesOf, fieldsOf, textOf } from './fields.ts'

export function balancedService(raw: RawObject): BalancedService {
  return { ...serviceType.project(raw), conditions: conditionsOf(raw), addressWriters: writersOf(raw) }
}

function writersOf(raw: RawObject): readonly string[] {
  return entriesOf(raw.metadata['managedFields'])
    .filter(({ fieldsV1 }) => 'f:loadBalancer' in fieldsOf(fieldsOf(fieldsV1)['f:status']))
    .toSorted((a, b) => (textOf(a['time']) < textOf(b['time']) ? -1 : 1))
    .map(({ manager }) => textOf(manager))
}
