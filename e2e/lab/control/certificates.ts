// The cluster's certificate authority, the API server's certificate and the key that signs service
// account tokens. Made anew for each lab, valid for a month.
import 'reflect-metadata'
import { generateKeyPairSync, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

export interface ClusterCertificates {
  readonly ca: string
  readonly serverCertificate: string
  readonly serverKey: string
  readonly serviceAccountKey: string
  readonly serviceAccountPublicKey: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const days = 24 * 3600 * 1000

export async function makeCertificates(o: {
  readonly addresses: readonly string[]
  readonly names: readonly string[]
}): Promise<ClusterCertificates> {
  x509.cryptoProvider.set(webcrypto)
  const notBefore = new Date(Date.now() - 3600 * 1000)
  const notAfter = new Date(Date.now() + 30 * days)
  const caKeys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=landfall-lab-ca',
    notBefore,
    notAfter,
    signingAlgorithm: algorithm,
    keys: caKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  })
  const serverKeys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const server = await x509.X509CertificateGenerator.create({
    serialNumber: '02',
    subject: 'CN=kube-apiserver',
    issuer: ca.subject,
    notBefore,
    notAfter,
    signingAlgorithm: algorithm,
    publicKey: serverKeys.publicKey,
    signingKey: caKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension([
        ...o.names.map((value) => ({ type: 'dns' as const, value })),
        ...o.addresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  })
  const accounts = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const serverKey = await webcrypto.subtle.exportKey('pkcs8', serverKeys.privateKey)
  return {
    ca: `${ca.toString('pem')}\n`,
    serverCertificate: `${server.toString('pem')}\n`,
    serverKey: `${x509.PemConverter.encode(serverKey, 'PRIVATE KEY')}\n`,
    serviceAccountKey: accounts.privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    serviceAccountPublicKey: accounts.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}
