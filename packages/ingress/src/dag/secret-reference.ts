/** A field that names a Secret: which one is meant, and whether the asking namespace may use it. */
import type { Key } from '@landfall/kube/model'
import type { Lookups } from '../model/lookups.ts'

export interface SecretReference {
  /** `name`, or `namespace/name` for one of another namespace. */
  readonly secretName: string
  /** Of the object that asks. */
  readonly namespace: string
}

export function secretKey({ secretName, namespace }: SecretReference): Key {
  return secretName.includes('/') ? secretName : `${namespace}/${secretName}`
}

/** Its own namespace's, or delegated to it by a TLSCertificateDelegation. */
export function mayUse(key: Key, namespace: string, lookups: Lookups): boolean {
  if (key.startsWith(`${namespace}/`)) return true
  const slash = key.indexOf('/')
  const name = key.slice(slash + 1)
  return lookups
    .delegations(key.slice(0, slash))
    .flatMap((delegation) => delegation.spec.delegations)
    .some(
      (entry) =>
        entry.secretName === name &&
        entry.targetNamespaces.some((target) => target === '*' || target === namespace),
    )
}
