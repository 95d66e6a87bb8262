/**
 * Secrets as far as a certificate is read from them. Every Secret of the cluster may come by, passwords among them:
 * of one that can be no certificate no value is kept, of the others only
 * those that make a key pair, an authority, a list of revoked certificates, or a set of keys of tokens.
 */
import { type ResourceType, secretType } from '@landfall/kube'
import type { Secret } from '@landfall/kube/model'
import { isKeySet } from '../dag/key-set.ts'

/** Under these names; sets of keys stand under any. */
const names = ['tls.crt', 'tls.key', 'ca.crt', 'crl.pem']
const types = ['kubernetes.io/tls', 'Opaque', '']

export const tlsSecretType: ResourceType<Secret> = {
  ...secretType,
  project: (raw) => {
    const { type = '', data } = raw
    const held = typeof type === 'string' && types.includes(type) && typeof data === 'object' ? data : {}
    const kept = Object.entries(held ?? {}).filter(
      ([name, value]) => names.includes(name) || isKeySet(Buffer.from(String(value), 'base64')),
    )
    const { meta, ...secret } = secretType.project({ ...raw, data: Object.fromEntries(kept) })
    return { ...secret, meta: { ...meta, labels: {}, annotations: {} } }
  },
}
