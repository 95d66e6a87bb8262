import { createPrivateKey, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { makeAuthority, makeLeaf, privateKeyOf, readAuthority, validFor } from './index.ts'

const names = ['a.b.svc', '127.0.0.1', '::1']

describe.each(['ecdsa-p256', 'rsa-2048'] as const)('with %s', (algorithm) => {
  it('an authority that was kept as PEM signs again', async () => {
    const validity = validFor(10, new Date('2026-01-01T00:00:00Z'))
    const made = await makeAuthority('CN=x, O=y', algorithm, validity)
    const key = privateKeyOf(made, made.keys)
    const read = await readAuthority({ certificate: made.certificate, key })
    const authority = new X509Certificate(made.certificate)
    for (const one of [made, read]) {
      const pair = await makeLeaf(one, { subject: 'CN=leaf', names, usage: 'server' })
      const leaf = new X509Certificate(pair.certificate)
      expect(leaf.verify(authority.publicKey) && leaf.checkIssued(authority)).toBe(true)
      expect(leaf.checkPrivateKey(createPrivateKey(pair.key))).toBe(true)
      expect([leaf.checkHost('a.b.svc'), leaf.checkHost('b.svc')]).toEqual(['a.b.svc', undefined])
      expect([leaf.checkIP('127.0.0.1'), leaf.checkIP('::1'), leaf.checkIP('127.0.0.2')]).toEqual([
        '127.0.0.1',
        '::1',
        undefined,
      ])
      expect(leaf.validToDate).toEqual(new Date('2026-01-11T00:00:00Z'))
    }
    const wanted = algorithm === 'rsa-2048' ? 'BEGIN RSA PRIVATE KEY' : 'BEGIN PRIVATE KEY'
    expect(key).toContain(wanted)
  })
})
