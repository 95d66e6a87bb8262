/** projectcontour.io/v1 TLSCertificateDelegation: which other namespaces may use a Secret of its own one. */
import type { KubeObject } from '@landfall/kube/model'
import { list, object, optional, type Shape, text } from '../schema/build.ts'
import { detailedConditions } from '../schema/condition.ts'

export const tlsCertificateDelegationSpec = object({
  delegations: list(
    object({
      secretName: text('Name of the Secret.'),
      targetNamespaces: list(text('A namespace, or `*` for all.'), 'Who may use it.'),
    }),
    'Which Secret may be used by whom.',
  ),
})
export type TLSCertificateDelegationSpec = Shape<typeof tlsCertificateDelegationSpec>

export const tlsCertificateDelegationStatus = object({ conditions: optional(detailedConditions) })
export type TLSCertificateDelegationStatus = Shape<typeof tlsCertificateDelegationStatus>

export interface TLSCertificateDelegation extends KubeObject {
  readonly spec: TLSCertificateDelegationSpec
  readonly status?: TLSCertificateDelegationStatus
}
