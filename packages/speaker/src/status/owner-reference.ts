/** Who owns what a speaker writes: with it, it is deleted. */
import type { Node } from '@landfall/kube/model'

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
}

export function nodeReference({ meta: { name, uid } }: Node): OwnerReference {
  return { apiVersion: 'v1', kind: 'Node', name, uid }
}
