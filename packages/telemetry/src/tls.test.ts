import { createSecureContext } from 'node:tls'
import { expect, test } from 'vitest'
import { parseCipherSuites, parseCurves, parseTlsVersion } from './tls.ts'

test.each([
  ['VersionTLS10', 'TLSv1'],
  ['VersionTLS11', 'TLSv1.1'],
  ['VersionTLS12', 'TLSv1.2'],
  ['VersionTLS13', 'TLSv1.3'],
])('%s is %s', (text, value) => expect(parseTlsVersion(text)).toEqual({ ok: true, value }))

test.each(['', 'TLSv1.3', 'constructor', 'VersionTLS14'])('%j is no version', (text) =>
  expect(parseTlsVersion(text)).toMatchObject({
    ok: false,
    message: expect.stringContaining('VersionTLS13'),
  }),
)

test('OpenSSL takes every cipher suite that is known here, beside those of TLS 1.3', () => {
  const unknown = parseCipherSuites('RC4')
  const names = unknown.ok ? '' : unknown.message.replace(/^.*use /, '')
  expect(names.split(', ').length).toBe(19)
  const parsed = parseCipherSuites(`${names},TLS_AES_128_GCM_SHA256`)
  if (!parsed.ok) throw new Error(parsed.message)
  expect(parsed.value.split(':').length).toBe(3 + 19)
  for (const cipher of parsed.value.split(':').slice(3))
    expect(() => createSecureContext({ ciphers: cipher })).not.toThrow()
})

test('all that is wrong is named', () => {
  expect(parseCipherSuites('A, TLS_RSA_WITH_AES_128_GCM_SHA256 ,B')).toMatchObject({
    ok: false,
    message: expect.stringContaining('A, B is no cipher suite'),
  })
  expect(parseCurves('P256')).toMatchObject({ ok: false, message: expect.stringContaining('CurveP256') })
})

test.each([
  ['X25519,CurveP256', 'X25519:P-256'],
  ['29, 24', 'X25519:P-384'],
  ['CurveP521', 'P-521'],
])('curves %s are %s', (text, value) => expect(parseCurves(text)).toEqual({ ok: true, value }))
