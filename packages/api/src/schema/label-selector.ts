/** meta/v1 LabelSelector. Between the items of a list of selectors there is an OR, inside one an AND. */
import { list, object, optional, type Shape, text, textMap } from './build.ts'

export const labelSelector = object(
  {
    matchLabels: optional(textMap('Labels that must have these values.')),
    matchExpressions: optional(
      list(
        object({
          key: text('Label that is looked at.'),
          operator: text('In, NotIn, Exists or DoesNotExist.'),
          values: optional(
            list(text('A value.'), 'Values of In and NotIn.', { 'x-kubernetes-list-type': 'atomic' }),
          ),
        }),
        'Requirements, all of which must hold.',
        { 'x-kubernetes-list-type': 'atomic' },
      ),
    ),
  },
  { 'x-kubernetes-map-type': 'atomic' },
)
export type LabelSelector = Shape<typeof labelSelector>

export function selectors(description: string) {
  return list(labelSelector, description)
}
