/**
 * Secrets as far as a certificate is read from them. Every Secret of the cluster may come by, passwords among them:
 * of one that can be no certificate no value is kept, of the others only
 * those that make a key pair, an authority or a list of revoked certificates.
 */
import { type ResourceType, secretType } from '@landfall/kube'
import type { Secret } from '@landfall/kube/model'

const names = ['tls.crt', 'tls.key', 'ca.crt', 'crl.pem']
const types = ['kubernetes.io/tls', 'Opaque', '']

export const tlsSecretType: ResourceType<Secret> = {
  ...secretType,
  project: (raw) => {
    const { type = '', data } = raw
    const held = typeof type === 'string' && types.includes(type) && typeof data === 'object' ? data : {}
    const kept = Object.entries(held ?? {}).filter(([name]) => names.includes(name))
    const { meta, ...secret } = secretType.project({ ...raw, data: Object.fromEntries(kept) })
    return { ...secret, meta: { ...meta, labels: {}, annotations: {} } }
  },
}
