/** What translating a host says about an object. An object may hear from several hosts. */
import type { Key } from '@landfall/kube/model'
import type { Problem } from './problem.ts'

export interface Outcome {
  readonly kind: 'httpProxy' | 'ingress'
  readonly key: Key
  readonly problems: readonly Problem[]
}
