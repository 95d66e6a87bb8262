/** meta/v1 Condition, as every status of a custom resource carries it. */
import { int64, list, object, oneOf, optional, type Shape, text } from './build.ts'

const camelCase = '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$'
const qualifiedName =
  '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$'

export const conditionFields = {
  type: text('What the condition is about.', { maxLength: 316, pattern: qualifiedName }),
  status: oneOf(['True', 'False', 'Unknown']),
  reason: text('Stable code of why the status is what it is.', {
    minLength: 1,
    maxLength: 1024,
    pattern: camelCase,
  }),
  message: text('The same for people.', { maxLength: 32768 }),
  lastTransitionTime: text('When the status last changed.', { format: 'date-time' }),
  observedGeneration: optional(int64('The generation of the object that was judged.', { minimum: 0 })),
}

export const condition = object(conditionFields)
export type Condition = Shape<typeof condition>

export const conditions = list(condition, 'What is known about the object.', {
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
})

export const subCondition = object({
  type: conditionFields.type,
  status: conditionFields.status,
  reason: conditionFields.reason,
  message: conditionFields.message,
})
export type SubCondition = Shape<typeof subCondition>

/** A condition that lists each error and warning. */
export const detailedCondition = object({
  ...conditionFields,
  errors: optional(list(subCondition, 'Each error.')),
  warnings: optional(list(subCondition, 'Each warning.')),
})
export type DetailedCondition = Shape<typeof detailedCondition>

export const detailedConditions = list(detailedCondition, 'What is known about the object.', {
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
})
