/**
 * JSON Web Key Sets (RFC 7517) in Secrets. Envoy refuses a listener, everybody's, for one key that it cannot read: so
 * it gets the keys that it surely takes, and of those what verifies tokens and no more.
 */
import { createPublicKey, type JsonWebKey } from 'node:crypto'

/** A value that may be one. Most values of Secrets are not. */
export function isKeySet(bytes: Uint8Array): boolean {
  return keysOf(bytes) !== undefined
}

const read = new WeakMap<Uint8Array, string>()

/** The set as Envoy gets it; undefined when no key of it is of use. A value is read by many hosts, and once. */
export function readKeySet(bytes: Uint8Array): string | undefined {
  const known = read.get(bytes)
  if (known !== undefined) return known
  const keys = (keysOf(bytes) ?? []).flatMap((key) => usable(key) ?? [])
  if (keys.length === 0) return undefined
  const text = JSON.stringify({ keys })
  read.set(bytes, text)
  return text
}

function keysOf(bytes: Uint8Array): readonly unknown[] | undefined {
  if (!/^\s*\{/.test(new TextDecoder().decode(bytes.subarray(0, 64)))) return undefined
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof value !== 'object' || value === null || !('keys' in value)) return undefined
    return Array.isArray(value.keys) ? value.keys : undefined
  } catch {
    return undefined
  }
}

const curves: Readonly<Record<string, string>> = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' }

function usable(key: unknown): object | undefined {
  if (typeof key !== 'object' || key === null) return undefined
  const { kty, alg, kid, crv, k } = key as JsonWebKey
  if (!isName(alg) || !isName(kid)) return undefined
  const named = { ...(alg === undefined ? {} : { alg }), ...(kid === undefined ? {} : { kid }) }
  const may = (pattern: RegExp): boolean => alg === undefined || pattern.test(alg)
  if (kty === 'oct') {
    const secret = typeof k === 'string' && /^[\w-]+$/.test(k) && may(/^HS(256|384|512)$/)
    return secret ? { kty, k, ...named } : undefined
  }
  const made = publicKey(key as JsonWebKey)
  if (made === undefined) return undefined
  const takes =
    kty === 'RSA'
      ? may(/^[RP]S(256|384|512)$/) && (made.e === 'AQAB' || made.e === 'Aw') && isLongEnough(made)
      : kty === 'EC'
        ? curves[crv ?? ''] !== undefined && (alg === undefined || alg === curves[crv ?? ''])
        : kty === 'OKP' && crv === 'Ed25519' && may(/^EdDSA$/)
  return takes ? { ...made, ...named } : undefined
}

/** Shorter ones Envoy takes for no key at all. */
function isLongEnough({ n = '' }: JsonWebKey): boolean {
  return Buffer.from(n, 'base64url').length >= 64
}

function isName(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

function publicKey(key: JsonWebKey): JsonWebKey | undefined {
  try {
    return createPublicKey({ key, format: 'jwk' }).export({ format: 'jwk' })
  } catch {
    return undefined
  }
}
