/** metallb.io/v1beta1 ConfigurationState: whether a component could use every object of the configuration. */
import type { KubeObject } from '@landfall/kube/model'
import { object, oneOf, optional, type Shape, text } from '../schema/build.ts'
import { conditions } from '../schema/condition.ts'

export const configurationStateStatus = object({
  result: optional(oneOf(['Valid', 'Invalid', 'Unknown'])),
  errorSummary: optional(text('Every refusal, one a line.')),
  conditions: optional(conditions),
})
export type ConfigurationStateStatus = Shape<typeof configurationStateStatus>

export interface ConfigurationState extends KubeObject {
  readonly status?: ConfigurationStateStatus
}
