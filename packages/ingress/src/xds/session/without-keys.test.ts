import { expect, test } from 'vitest'
import { withoutKeys } from './without-keys.ts'

const line = 'MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgCg/B2h5hO52RtdE8'
const key = `-----BEGIN EC PRIVATE KEY-----\n${line}\n${line}\nhAEt=\n-----END EC PRIVATE KEY-----\n`

test.each([
  [`no: ${key} is no key`, 'no: (left out)\n is no key'],
  [`no: ${JSON.stringify(key)} is no key`, 'no: "(left out)\\n" is no key'],
  [`inline_bytes: ${JSON.stringify(key).slice(0, 60)}`, 'inline_bytes: "(left out)'],
  [`${line}\\n${line}\\nhAEt=\\n, cut off`, '(left out)\\n, cut off'],
  [`in JSON "${Buffer.from(key).toString('base64')}"`, 'in JSON "(left out)"'],
])('what is cited of a key is left out: %#', (words, expected) => {
  expect(withoutKeys(words)).toBe(expected)
})

test.each([
  'Failed to load private key from <inline>, Cause: error:0900006e:PEM routines:OPENSSL_internal:NO_START_LINE',
  'Proto constraint validation failed (TlsCertificateValidationError.PrivateKey: value is required)',
  'Secret web/a-name-that-is-as-long-as-names-in-some-clusters-are is refused',
])('other words stay: %s', (words) => {
  expect(withoutKeys(words)).toBe(words)
})
