/** The key of TCP MD5 (RFC 2385) of a BGPPeer: as written, or from the Secret that it names. */
import type { BGPPeer } from '@landfall/api'
import { type Key, keyOf, type Secret } from '@landfall/kube/model'
import type { Problems } from './refusal.ts'

/** What the kernel takes (TCP_MD5SIG_MAXKEYLEN). */
const longest = 80

/** undefined: none is wanted, or none is to be had, and then it was reported. */
export function readPassword(
  { meta, spec }: BGPPeer,
  secrets: ReadonlyMap<Key, Secret>,
  problems: Problems,
): string | undefined {
  const name = spec.passwordSecret?.name ?? ''
  const password = spec.password ?? ''
  if (name === '') {
    const length = new TextEncoder().encode(password).length
    if (length > longest) problems.report('spec.password', 'NotSupported', tooLong(length))
    return password === '' ? undefined : password
  }
  const field = 'spec.passwordSecret'
  if (password !== '') {
    problems.report(field, 'ConflictingFields', 'spec.password is set too')
    return undefined
  }
  const { namespace } = meta
  const elsewhere = spec.passwordSecret?.namespace ?? ''
  if (elsewhere !== '' && elsewhere !== namespace) {
    problems.report(`${field}.namespace`, 'WrongNamespace', `the Secret must be in namespace ${namespace}`)
    return undefined
  }
  const secret = secrets.get(keyOf({ namespace, name }))
  if (secret !== undefined) return readSecret(secret, field, problems)
  problems.report(field, 'SecretNotFound', `there is no Secret ${namespace}/${name}`)
  return undefined
}

function readSecret(secret: Secret, field: string, problems: Problems): string | undefined {
  const bytes = secret.data['password'] ?? new Uint8Array()
  const password = textOf(bytes)
  const problem = problemOf(secret, bytes, password)
  if (problem === undefined) return password
  problems.report(field, 'InvalidSecret', `Secret ${secret.meta.name}: ${problem}`)
  return undefined
}

function problemOf({ type }: Secret, bytes: Uint8Array, password: string | undefined): string | undefined {
  if (type !== 'kubernetes.io/basic-auth') return 'it is not of type kubernetes.io/basic-auth'
  if (bytes.length === 0) return 'it has no key password'
  if (bytes.length > longest) return tooLong(bytes.length)
  return password === undefined ? 'the password is no UTF-8 text' : undefined
}

function tooLong(length: number): string {
  return `a password of ${length} bytes: TCP MD5 takes at most ${longest}`
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
