/** A certificate authority and certificates signed by it, for HTTPS that is really verified. */
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  cryptoProvider,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
  X509CrlReason,
} from '@peculiar/x509'
import type { Manifest } from '../lab/index.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const day = 86_400_000

export interface Pair {
  /** PEM. */
  readonly cert: string
  readonly key: string
  readonly serial: string
}

export interface Authority {
  /** Its certificate, as PEM. */
  readonly pem: string
  pair(host: string): Promise<Pair>
  /** PEM of the list that takes back the certificates of these serial numbers. */
  revoke(serials: readonly string[]): Promise<string>
  /** The manifest of a Secret of type kubernetes.io/tls for the host. */
  issue(namespace: string, name: string, host: string): Promise<Manifest>
}

export async function makeAuthority(name = 'Landfall scenarios'): Promise<Authority> {
  cryptoProvider.set(webcrypto)
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 7 * day) }
  const authority = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(true, 0, true)],
    ...validity,
  })
  const pair = async (host: string): Promise<Pair> => {
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
    const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', own.privateKey), 'PRIVATE KEY')
    return { cert: certificate.toString('pem'), key, serial: certificate.serialNumber }
  }
  return {
    pem: authority.toString('pem'),
    pair,
    revoke: async (serials) => {
      const list = await X509CrlGenerator.create({
        issuer: authority.subject,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        thisUpdate: validity.notBefore,
        nextUpdate: validity.notAfter,
        entries: serials.map((serialNumber) => ({
          serialNumber,
          revocationDate: validity.notBefore,
          // Without any extension the library writes an empty list of them, which Envoy does not read.
          reason: X509CrlReason.keyCompromise,
        })),
      })
      return list.toString('pem').replaceAll(/(BEGIN|END) CRL/g, '$1 X509 CRL')
    },
    issue: async (namespace, name, host) => {
      const { cert, key } = await pair(host)
      return {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace },
        type: 'kubernetes.io/tls',
        data: { 'tls.crt': base64(cert), 'tls.key': base64(key) },
      }
    },
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
