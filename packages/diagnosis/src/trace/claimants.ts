/** The objects that name a host, whoever is to serve them. */
import type { Meta } from '@landfall/kube/model'
import type { ClusterView } from '../cluster-view.ts'

export interface Claimant {
  readonly kind: 'HTTPProxy' | 'Ingress'
  readonly meta: Meta
  /** `spec.ingressClassName`. */
  readonly field: string
}

export function claimantsOf({ observed }: ClusterView, host: string): readonly Claimant[] {
  return observed.changes.flatMap((change): readonly Claimant[] => {
    if (change.kind === 'httpProxy' && change.after !== undefined) {
      const { meta, spec } = change.after
      if (spec.virtualhost?.fqdn.toLowerCase() !== host.toLowerCase()) return []
      return [{ kind: 'HTTPProxy', meta, field: spec.ingressClassName ?? '' }]
    }
    if (change.kind === 'ingress' && change.after !== undefined) {
      const { meta, rules, ingressClassName: field } = change.after
      return rules.some((rule) => rule.host.toLowerCase() === host.toLowerCase())
        ? [{ kind: 'Ingress', meta, field }]
        : []
    }
    return []
  })
}
