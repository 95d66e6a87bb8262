/** A certificate authority and certificates signed by it, for HTTPS that is really verified. */
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BasicConstraintsExtension,
  cryptoProvider,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import type { Manifest } from '../lab/index.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const day = 86_400_000

export interface Authority {
  /** Path of its certificate, for curl. */
  readonly file: string
  /** The manifest of a Secret of type kubernetes.io/tls for the host. */
  issue(namespace: string, name: string, host: string): Promise<Manifest>
}

export async function makeAuthority(): Promise<Authority> {
  cryptoProvider.set(webcrypto)
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 7 * day) }
  const authority = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Landfall scenarios',
    keys,
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(true, 0, true)],
    ...validity,
  })
  const file = join(mkdtempSync(join(tmpdir(), 'landfall-ca-')), 'ca.crt')
  writeFileSync(file, authority.toString('pem'))
  return {
    file,
    issue: async (namespace, name, host) => {
      const own = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
      const certificate = await X509CertificateGenerator.create({
        subject: `CN=${host}`,
        issuer: authority.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: host }])],
        ...validity,
      })
      const key = PemConverter.encode(
        await webcrypto.subtle.exportKey('pkcs8', own.privateKey),
        'PRIVATE KEY',
      )
      return {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace },
        type: 'kubernetes.io/tls',
        data: { 'tls.crt': base64(certificate.toString('pem')), 'tls.key': base64(key) },
      }
    },
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
