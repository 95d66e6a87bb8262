import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { isKeySet, readKeySet } from './key-set.ts'

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
const edwards = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
const rsaPublic = rsa.publicKey.export({ format: 'jwk' })
const read = (...keys: readonly unknown[]): unknown => {
  const text = readKeySet(bytes({ keys }))
  return text === undefined ? [] : JSON.parse(text).keys
}

test('keys of every kind that Envoy verifies by are kept', () => {
  const keys = [
    { ...rsaPublic, alg: 'RS256', kid: 'a' },
    { ...ec, alg: 'ES256' },
    edwards,
    { kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' },
  ]
  expect(read(...keys)).toEqual(keys)
})

test('what is private, or of no use to Envoy, is left out', () => {
  const key = { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'a', use: 'sig', x5c: ['MII'] }
  expect(read(key)).toEqual([{ ...rsaPublic, kid: 'a' }])
})

test('keys that Envoy might refuse are left out, and a set without others is none', () => {
  const bad = [
    { ...rsaPublic, alg: 'RSA-OAEP' },
    { ...rsaPublic, e: 'AQ' },
    { ...rsaPublic, kid: 1 },
    { ...ec, alg: 'ES384' },
    { ...ec, x: 'AAAA' },
    { kty: 'EC' },
    { kty: 'oct', k: '' },
    { kty: 'oct', k: '!' },
    {},
    null,
    'key',
  ]
  for (const one of bad) expect([one, read(one)]).toEqual([one, []])
  expect(read(...bad, ec)).toEqual([ec])
})

test('a value is looked at as a set when it is an object with a list of keys', () => {
  expect(isKeySet(bytes({ keys: [] }))).toBe(true)
  for (const value of [{ keys: {} }, [], 'keys', { key: [] }, null])
    expect(isKeySet(bytes(value))).toBe(false)
  expect(isKeySet(new TextEncoder().encode('{"keys": ['))).toBe(false)
})
