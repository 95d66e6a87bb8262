import { makeAuthority, makeLeaf, privateKeyOf, validFor } from '@landfall/certificates'
import { beforeAll, expect, test } from 'vitest'
import { judge, type Material, secretData } from './material.ts'

const now = new Date('2026-06-01T00:00:00Z')
const later = (days: number) => new Date(now.getTime() + days * 24 * 3600 * 1000)
const names = ['metallb-webhook-service.metallb-system.svc']
let good: Material
let other: Material

async function make(): Promise<Material> {
  const authority = await makeAuthority('CN=ca', 'rsa-2048', validFor(3650, now))
  const leaf = await makeLeaf(authority, { subject: 'CN=x', names, usage: 'server' }, validFor(365, now))
  return { ca: authority.certificate, caKey: privateKeyOf(authority, authority.keys), ...leaf }
}

beforeAll(async () => {
  good = await make()
  other = await make()
})

const verdictOf = (material: Partial<Material>, days = 0, asked = names) => {
  const verdict = judge(secretData({ ...good, ...material }), asked, later(days))
  return verdict.kind === 'good' ? 'good' : `${verdict.kind} ${verdict.reason}`
}

test('a whole set is good, until a quarter of a year before its end', () => {
  expect(verdictOf({})).toBe('good')
  expect(verdictOf({}, 274)).toBe('good')
  expect(verdictOf({}, 276)).toBe('leaf Ending')
  expect(verdictOf({}, 3600)).toBe('all Ending')
  expect(verdictOf({}, -1)).toBe('all NotYetValid')
})

test('whatever is wrong with the certificate, its authority signs a new one', () => {
  expect(verdictOf({ certificate: '' })).toBe('leaf Missing')
  expect(verdictOf({ certificate: 'x' })).toBe('leaf Unreadable')
  expect(verdictOf({ key: other.key })).toBe('leaf KeyMismatch')
  expect(verdictOf({ certificate: other.certificate, key: other.key })).toBe('leaf NotSigned')
  expect(verdictOf({}, 0, ['other.svc'])).toBe('leaf WrongName')
})

test('an authority without its key is of no use', () => {
  expect(judge({}, names, now)).toEqual({ kind: 'all', reason: 'Missing' })
  expect(verdictOf({ caKey: '' })).toBe('all Missing')
  expect(verdictOf({ caKey: other.caKey })).toBe('all KeyMismatch')
  expect(verdictOf({ ca: 'x' })).toBe('all Unreadable')
})
