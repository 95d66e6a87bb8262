/** What a translation says about an object. An object may hear from several hosts. */
import type { Key } from '@landfall/kube/model'
import type { Problem } from './problem.ts'

export type JudgedKind = 'httpProxy' | 'ingress' | 'extensionService'

export interface Outcome {
  readonly kind: JudgedKind
  readonly key: Key
  readonly problems: readonly Problem[]
}
