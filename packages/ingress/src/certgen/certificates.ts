/**
 * The certificates of the control plane and of Envoy: a CA made for the two and thrown away with its key, a server
 * and a client certificate. ECDSA P-256. In: names and a lifetime. Out: PEM.
 */
import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

export interface CertificateSet {
  readonly ca: string
  /** What `serve` shows to Envoy. */
  readonly server: KeyPair
  /** What Envoy shows to `serve`. */
  readonly client: KeyPair
}

export interface CertificateOptions {
  readonly namespace: string
  readonly lifetimeDays: number
  /** The Services by whose names the two are known; `contour` and `envoy`. */
  readonly serverName?: string
  readonly clientName?: string
  readonly now?: Date
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const dayMs = 24 * 3600 * 1000
/** Clocks of machines differ. */
const leewayMs = 5 * 60 * 1000

type Keys = webcrypto.CryptoKeyPair

interface Authority {
  readonly name: string
  readonly keys: Keys
  readonly notBefore: Date
  readonly notAfter: Date
}

export async function makeCertificates(options: CertificateOptions): Promise<CertificateSet> {
  const now = options.now ?? new Date()
  const authority: Authority = {
    name: 'CN=Landfall, O=Landfall',
    keys: await makeKeys(),
    notBefore: new Date(now.getTime() - leewayMs),
    notAfter: new Date(now.getTime() + options.lifetimeDays * dayMs),
  }
  const { serverName = 'contour', clientName = 'envoy', namespace } = options
  const certificate = await X509CertificateGenerator.create({
    ...validity(authority),
    subject: authority.name,
    issuer: authority.name,
    publicKey: authority.keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(authority.keys.publicKey, false, webcrypto),
    ],
  })
  return {
    ca: pem(certificate.toString('pem')),
    server: await makeLeaf(authority, serverName, namespace, ExtendedKeyUsage.serverAuth),
    client: await makeLeaf(authority, clientName, namespace, ExtendedKeyUsage.clientAuth),
  }
}

/** The names by which a Service is called in its cluster. */
export function serviceNames(service: string, namespace: string): readonly string[] {
  return [
    service,
    `${service}.${namespace}`,
    `${service}.${namespace}.svc`,
    `${service}.${namespace}.svc.cluster.local`,
  ]
}

async function makeLeaf(
  authority: Authority,
  service: string,
  namespace: string,
  usage: ExtendedKeyUsage,
): Promise<KeyPair> {
  const keys = await makeKeys()
  const names = serviceNames(service, namespace).map((value) => ({ type: 'dns' as const, value }))
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([usage], false),
    new SubjectAlternativeNameExtension(names),
    await AuthorityKeyIdentifierExtension.create(authority.keys.publicKey, false, webcrypto),
  ]
  const certificate = await X509CertificateGenerator.create({
    ...validity(authority),
    subject: `CN=${service}`,
    issuer: authority.name,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: algorithm,
    extensions,
  })
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { certificate: pem(certificate.toString('pem')), key: privateKeyPem(Buffer.from(key)) }
}

function validity({ notBefore, notAfter }: Authority) {
  // The first bit clear: a serial number is positive.
  const serial = randomBytes(16)
  serial[0] = (serial[0] ?? 0) & 0x7f
  return { serialNumber: serial.toString('hex'), notBefore, notAfter }
}

async function makeKeys(): Promise<Keys> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  return keys
}

function pem(text: string): string {
  return `${text.trim()}\n`
}

function privateKeyPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n')
}
