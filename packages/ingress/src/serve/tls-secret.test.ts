import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { tlsSecretType } from './tls-secret.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const project = (type: string | undefined, data: Readonly<Record<string, string>> | null) =>
  tlsSecretType.project({
    metadata: { name: 'one', namespace: 'ns', uid: 'u', annotations: { note: 'hunter2' } },
    ...(type === undefined ? {} : { type }),
    data,
  })

test('of a certificate its values are kept, and nothing beside them', () => {
  const data = { 'tls.crt': base64('CRT'), 'tls.key': base64('KEY'), password: base64('hunter2') }
  const authority = { 'ca.crt': base64('CA'), 'crl.pem': base64('CRL') }
  for (const type of ['kubernetes.io/tls', 'Opaque', undefined]) {
    const secret = project(type, data)
    expect(Object.keys(project(type, authority).data)).toEqual(['ca.crt', 'crl.pem'])
    expect(Object.keys(secret.data)).toEqual(['tls.crt', 'tls.key'])
    expect(Buffer.from(secret.data['tls.key'] ?? []).toString()).toBe('KEY')
    expect(secret.type).toBe(type ?? '')
    expect(inspect(secret, { depth: null })).not.toMatch(/hunter2|aHVudGVyMg/)
  }
})

test('of what can be no certificate no value is kept', () => {
  const secret = project('kubernetes.io/basic-auth', { password: base64('x'), 'tls.key': base64('KEY') })
  expect(secret).toMatchObject({
    type: 'kubernetes.io/basic-auth',
    meta: { name: 'one', uid: 'u' },
    data: {},
  })
  expect(project('Opaque', null).data).toEqual({})
})

test('sets of keys of tokens are kept under any name', () => {
  const secret = project('Opaque', {
    'keys.json': base64(' {"keys": []}'),
    'other.json': base64('{"password": "hunter2"}'),
    password: base64('{"keys'),
  })
  expect(Object.keys(secret.data)).toEqual(['keys.json'])
})
