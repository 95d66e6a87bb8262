/** metallb.io/v1beta1 Community: names for BGP communities. */
import type { KubeObject } from '@landfall/kube/model'
import { list, object, optional, type Shape, text } from '../schema/build.ts'
import { conditions } from '../schema/condition.ts'

export const communitySpec = object({
  communities: optional(
    list(
      object({
        name: optional(text('Alias, unique over all Community objects.')),
        value: optional(text('`n:n` of 16 bits each, or `large:n:n:n` of 32 bits each.')),
      }),
      'Aliases and what they stand for.',
    ),
  ),
})
export type CommunitySpec = Shape<typeof communitySpec>

export const communityStatus = object({ conditions: optional(conditions) })

export interface Community extends KubeObject {
  readonly spec?: CommunitySpec
  readonly status?: Shape<typeof communityStatus>
}
