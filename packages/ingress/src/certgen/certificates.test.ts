import { createPrivateKey, X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { makeCertificates } from './certificates.ts'

test('both certificates are signed by the CA, fit their keys, and carry the names of their Services', async () => {
  const now = new Date('2026-01-01T00:00:00Z')
  const { ca, server, client } = await makeCertificates({ namespace: 'ns', lifetimeDays: 365, now })
  const authority = new X509Certificate(ca)
  expect(authority.ca).toBe(true)
  for (const [pair, name, usage] of [
    [server, 'contour', '1.3.6.1.5.5.7.3.1'],
    [client, 'envoy', '1.3.6.1.5.5.7.3.2'],
  ] as const) {
    const leaf = new X509Certificate(pair.certificate)
    expect(leaf.verify(authority.publicKey)).toBe(true)
    expect(leaf.checkIssued(authority)).toBe(true)
    expect(leaf.checkPrivateKey(createPrivateKey(pair.key))).toBe(true)
    expect(leaf.checkHost(`${name}.ns.svc.cluster.local`)).toBeDefined()
    expect(leaf.checkHost(name)).toBeDefined()
    expect(leaf.checkHost('other')).toBeUndefined()
    expect(leaf.keyUsage).toEqual([usage])
    expect(leaf.validToDate).toEqual(new Date('2027-01-01T00:00:00Z'))
  }
})
