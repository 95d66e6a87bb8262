/**
 * Secrets with authorities (`ca.crt`) and revocation lists (`crl.pem`) → what Envoy checks certificates against, or
 * what is wrong. Every block must parse: Envoy refuses a bundle with garbage in it.
 */
import { X509Certificate } from 'node:crypto'
import type { Key, Secret } from '@landfall/kube/model'
import type { Lookups } from '../model/lookups.ts'
import type { TrustBundle } from './cluster.ts'
import { readKeySet } from './key-set.ts'
import { type PemBlock, pemBlocks } from './pem.ts'
import { isRevocationList } from './revocation-list.ts'
import { mayUse, type SecretReference, secretKey } from './secret-reference.ts'

export type TrustResult =
  | { readonly kind: 'found'; readonly bundle: TrustBundle }
  | { readonly kind: 'invalid' | 'notDelegated'; readonly why: string }

export type DataResult =
  | { readonly kind: 'found'; readonly key: Key; readonly secret: Secret; readonly bytes: Uint8Array }
  | { readonly kind: 'invalid' | 'notDelegated'; readonly why: string }

export function resolveAuthority(reference: SecretReference, lookups: Lookups): TrustResult {
  const found = dataOf(reference, 'ca.crt', lookups)
  return found.kind === 'found' ? { kind: 'found', bundle: bundleOf(found) } : found
}

/** With the list of what the authorities of the other Secret took back. */
export function resolveRevocation(
  authority: SecretReference,
  revocation: SecretReference,
  lookups: Lookups,
): TrustResult {
  const found = dataOf(authority, 'ca.crt', lookups)
  if (found.kind !== 'found') return found
  const list = dataOf(revocation, 'crl.pem', lookups)
  return list.kind === 'found' ? { kind: 'found', bundle: bundleOf(found, list) } : list
}

type Found = Extract<DataResult, { readonly kind: 'found' }>

interface Made {
  readonly list: Secret | undefined
  readonly bundle: TrustBundle
}

/** One value for the same Secrets, so that what is made of it is made once; by name. */
const made = new WeakMap<Secret, Map<string, Made>>()

function bundleOf(authority: Found, list?: Found): TrustBundle {
  const name = `${authority.key}/ca.crt${list === undefined ? '' : `+${list.key}/crl.pem`}`
  const known = made.get(authority.secret) ?? new Map<string, Made>()
  made.set(authority.secret, known)
  const found = known.get(name)
  if (found !== undefined && found.list === list?.secret) return found.bundle
  const bundle: TrustBundle = { name, authorities: authority.bytes, revocation: list?.bytes }
  known.set(name, { list: list?.secret, bundle })
  return bundle
}

type DataName = 'ca.crt' | 'crl.pem'

function dataOf(reference: SecretReference, name: DataName, lookups: Lookups): DataResult {
  const key = secretKey(reference)
  const secret = lookups.secret(key)
  if (!mayUse(key, reference.namespace, lookups))
    return { kind: 'notDelegated', why: `Secret "${key}": certificate delegation not permitted` }
  if (secret === undefined) return { kind: 'invalid', why: `Secret "${key}" not found` }
  const bytes = secret.data[name]
  const why =
    bytes === undefined || bytes.length === 0 ? 'is missing or empty' : problemOf(secret, name, bytes)
  if (bytes === undefined || why !== undefined)
    return { kind: 'invalid', why: `Secret "${key}": key "${name}" ${why}` }
  return { kind: 'found', key, secret, bytes }
}

export type KeySetResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly why: string }

/** A JSON Web Key Set in a Secret, under any name. */
export function resolveKeySet(key: Key, name: string, lookups: Lookups): KeySetResult {
  const secret = lookups.secret(key)
  if (secret === undefined) return { ok: false, why: `Secret "${key}" not found` }
  const bytes = secret.data[name]
  const text = bytes === undefined ? undefined : readKeySet(bytes)
  return text === undefined
    ? { ok: false, why: `Secret "${key}": key "${name}" holds no set with a key that verifies tokens` }
    : { ok: true, text }
}

const checked = new WeakMap<Secret, Map<DataName, string | undefined>>()

/** A Secret is read by many hosts, and checked once. */
function problemOf(secret: Secret, name: DataName, bytes: Uint8Array): string | undefined {
  const known = checked.get(secret) ?? new Map<DataName, string | undefined>()
  checked.set(secret, known)
  if (!known.has(name)) known.set(name, blocksProblem(name, bytes))
  return known.get(name)
}

const labels: Readonly<Record<DataName, string>> = { 'ca.crt': 'CERTIFICATE', 'crl.pem': 'X509 CRL' }

function blocksProblem(name: DataName, bytes: Uint8Array): string | undefined {
  const blocks = pemBlocks(bytes)
  if (blocks.length === 0) return 'has no PEM block'
  const foreign = blocks.find(({ label }) => label !== labels[name])
  if (foreign !== undefined) return `has an unexpected PEM block "${foreign.label}"`
  const bad = blocks.findIndex(
    (block) => !(name === 'ca.crt' ? isCertificate(block) : isRevocationList(block)),
  )
  return bad === -1 ? undefined : `has a block that cannot be parsed, its ${bad + 1}.`
}

function isCertificate({ text }: PemBlock): boolean {
  try {
    return new X509Certificate(text).raw.length > 0
  } catch {
    return false
  }
}
