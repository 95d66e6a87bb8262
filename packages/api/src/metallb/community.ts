/** metallb.io/v1beta1 Community: names for BGP communities. */
import type { KubeObject } from '@landfall/kube/model'
import { list, object, optional, rules, type Shape, text } from '../schema/build.ts'
import { conditions } from '../schema/condition.ts'

const standard =
  "self.value.matches('^[0-9]{1,5}:[0-9]{1,5}$') && self.value.split(':').all(part, int(part) <= 65535)"
const large =
  "self.value.matches('^large(:[0-9]{1,10}){3}$') && " +
  "self.value.substring(6).split(':').all(part, int(part) <= 4294967295)"

const alias = object(
  {
    name: optional(text('Alias, unique over all Community objects.', { maxLength: 253 })),
    value: optional(text('`n:n` of 16 bits each, or `large:n:n:n` of 32 bits each.', { maxLength: 64 })),
  },
  rules(
    { rule: "has(self.name) && self.name != ''", message: 'give the community a name' },
    {
      rule: `has(self.value) && (${standard} || ${large})`,
      message:
        'write the value as 64500:100 (numbers up to 65535) or large:64500:1:2 (numbers up to 4294967295)',
    },
  ),
)

export const communitySpec = object({
  communities: optional(list(alias, 'Aliases and what they stand for.', { maxItems: 1000 })),
})
export type CommunitySpec = Shape<typeof communitySpec>

export const communityStatus = object({ conditions: optional(conditions) })

export interface Community extends KubeObject {
  readonly spec?: CommunitySpec
  readonly status?: Shape<typeof communityStatus>
}
