/**
 * Secrets as far as a certificate is read from them. Every Secret of the cluster may come by, passwords among them:
 * of one that can be no certificate no value is kept, of the others only the two that make a key pair.
 */
import { type ResourceType, secretType } from '@landfall/kube'
import type { Secret } from '@landfall/kube/model'

const keyPair = ['tls.crt', 'tls.key']
const types = ['kubernetes.io/tls', 'Opaque', '']

export const tlsSecretType: ResourceType<Secret> = {
  ...secretType,
  project: (raw) => {
    const { type = '', data } = raw
    const held = typeof type === 'string' && types.includes(type) && typeof data === 'object' ? data : {}
    const kept = Object.entries(held ?? {}).filter(([name]) => keyPair.includes(name))
    const { meta, ...secret } = secretType.project({ ...raw, data: Object.fromEntries(kept) })
    return { ...secret, meta: { ...meta, labels: {}, annotations: {} } }
  },
}
