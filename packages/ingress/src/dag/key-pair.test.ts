import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { emptyMeta, type Secret } from '@landfall/kube/model'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { readKeyPair } from './key-pair.ts'

const testdata = new URL('../golden/testdata/ingress-tls.yaml', import.meta.url)
const written =
  readFileSync(testdata, 'utf8')
    .split('\n---\n')
    .find((text) => text.includes('kind: Secret')) ?? ''
const { stringData } = parse(written) as { stringData: Record<string, string> }
const certificate = stringData['tls.crt'] ?? ''
const key = stringData['tls.key'] ?? ''

function secret(data: Readonly<Record<string, string>>, type = 'kubernetes.io/tls'): Secret {
  return {
    meta: { ...emptyMeta, namespace: 'web', name: 'cert' },
    type,
    data: Object.fromEntries(Object.entries(data).map(([name, text]) => [name, Buffer.from(text)])),
  }
}

function pem(type: 'rsa' | 'ec' | 'ed25519', size = 2048): string {
  const options = { modulusLength: size, namedCurve: 'prime256v1' }
  const pair =
    type === 'rsa'
      ? generateKeyPairSync('rsa', options)
      : type === 'ec'
        ? generateKeyPairSync('ec', options)
        : generateKeyPairSync('ed25519')
  return pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

test('a certificate and its key', () => {
  const result = readKeyPair(secret({ 'tls.crt': certificate, 'tls.key': key }))
  expect(result).toMatchObject({ ok: true, keyPair: { secret: 'web/cert' } })
})

test('a chain, and a key with its curve in front', () => {
  const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'
  const result = readKeyPair(
    secret({ 'tls.crt': certificate + certificate, 'tls.key': parameters + key }, 'Opaque'),
  )
  expect(result.ok).toBe(true)
})

const refusals: readonly (readonly [string, Secret, RegExp])[] = [
  ['no key', secret({ 'tls.crt': certificate }), /"web\/cert".*"tls.key" is missing/],
  ['nothing at all', secret({}), /"tls.crt" is missing.*"tls.key" is missing/],
  [
    'another type',
    secret({ 'tls.crt': certificate, 'tls.key': key }, 'kubernetes.io/basic-auth'),
    /basic-auth/,
  ],
  ['text that is no PEM', secret({ 'tls.crt': 'hello', 'tls.key': key }), /"tls.crt": no PEM block/],
  [
    'garbage in a block of the chain',
    secret({
      'tls.crt': `${certificate}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`,
      'tls.key': key,
    }),
    /certificate 2 cannot be parsed/,
  ],
  [
    'a key in the place of the certificate',
    secret({ 'tls.crt': key, 'tls.key': key }),
    /unexpected PEM block/,
  ],
  ['two keys', secret({ 'tls.crt': certificate, 'tls.key': key + key }), /exactly one private key/],
  ['the key of another', secret({ 'tls.crt': certificate, 'tls.key': pem('ec') }), /not the key of/],
  ['a certificate for a key', secret({ 'tls.crt': certificate, 'tls.key': certificate }), /no private key/],
  [
    'garbage for a key',
    secret({
      'tls.crt': certificate,
      'tls.key': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----',
    }),
    /cannot be parsed/,
  ],
]

test.each(refusals)('refuses %s', (_, given, why) => {
  const result = readKeyPair(given)
  expect(result.ok ? '' : result.why).toMatch(why)
})
