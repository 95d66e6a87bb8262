/** meta/v1 LabelSelector. Between the items of a list of selectors there is an OR, inside one an AND. */
import { list, object, optional, rules, type Shape, text, textMap } from './build.ts'

/** What makes the rule below affordable, and more than anybody has. */
const mostSelectors = 500
const mostExpressions = 100

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const

export const labelSelector = object(
  {
    matchLabels: optional(textMap('Labels that must have these values.')),
    matchExpressions: optional(
      list(
        object(
          {
            key: text('Label that is looked at.'),
            operator: text('How the label is compared.', { enum: operators }),
            values: optional(
              list(text('A value.'), 'Values of In and NotIn.', { 'x-kubernetes-list-type': 'atomic' }),
            ),
          },
          rules({
            rule: "(self.operator == 'In' || self.operator == 'NotIn') == (has(self.values) && self.values.size() > 0)",
            message: 'the operators In and NotIn need values, Exists and DoesNotExist take none',
          }),
        ),
        'Requirements, all of which must hold.',
        { maxItems: mostExpressions, 'x-kubernetes-list-type': 'atomic' },
      ),
    ),
  },
  { 'x-kubernetes-map-type': 'atomic' },
)
export type LabelSelector = Shape<typeof labelSelector>

export function selectors(description: string) {
  return list(labelSelector, description, { maxItems: mostSelectors })
}
