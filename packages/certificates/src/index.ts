/**
 * Makes certificates: an authority that signs itself, and leaves that it signs. In: names, a lifetime, an algorithm.
 * Out: PEM. Loads 10 MB of library, so programs that run on import it only when they make a certificate.
 */
import 'reflect-metadata'
import { createPrivateKey, KeyObject, randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
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
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** Each in PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

export interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
}

export type Algorithm = 'ecdsa-p256' | 'rsa-2048'

export interface Authority extends Validity {
  readonly name: string
  readonly algorithm: Algorithm
  readonly certificate: string
  readonly keys: webcrypto.CryptoKeyPair
}

export interface LeafRequest {
  readonly subject: string
  /** DNS names and IP addresses. */
  readonly names: readonly string[]
  readonly usage: 'server' | 'client'
}

const dayMs = 24 * 3600 * 1000
/** Clocks of machines differ. */
const leewayMs = 5 * 60 * 1000
const usages = { server: ExtendedKeyUsage.serverAuth, client: ExtendedKeyUsage.clientAuth } as const

export function validFor(days: number, now: Date = new Date()): Validity {
  return { notBefore: new Date(now.getTime() - leewayMs), notAfter: new Date(now.getTime() + days * dayMs) }
}

/** @param name the whole subject, as `CN=Landfall, O=Landfall` */
export async function makeAuthority(
  name: string,
  algorithm: Algorithm,
  validity: Validity,
): Promise<Authority> {
  const keys = await makeKeys(algorithm)
  const certificate = await X509CertificateGenerator.create({
    ...validity,
    serialNumber: makeSerial(),
    subject: name,
    issuer: name,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: signing[algorithm],
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
    ],
  })
  return { ...validity, name, algorithm, certificate: pem(certificate.toString('pem')), keys }
}

/** An authority kept as PEM, to sign with it again. @throws when the two cannot be read, or the key is of no kind known here */
export async function readAuthority(pair: KeyPair): Promise<Authority> {
  const certificate = new X509Certificate(pair.certificate)
  const key = createPrivateKey(pair.key)
  const algorithm = key.asymmetricKeyType === 'rsa' ? 'rsa-2048' : 'ecdsa-p256'
  const der = key.export({ type: 'pkcs8', format: 'der' })
  const { notBefore, notAfter, subject: name } = certificate
  return {
    name,
    algorithm,
    notBefore,
    notAfter,
    certificate: pair.certificate,
    keys: {
      privateKey: await webcrypto.subtle.importKey('pkcs8', der, signing[algorithm], false, ['sign']),
      publicKey: await certificate.publicKey.export(signing[algorithm], ['verify'], webcrypto),
    },
  }
}

/** @returns the key of an ECDSA pair as PKCS #8, that of an RSA pair as PKCS #1 */
export async function makeLeaf(
  authority: Authority,
  { subject, names, usage }: LeafRequest,
  validity: Validity = authority,
): Promise<KeyPair> {
  const keys = await makeKeys(authority.algorithm)
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(leafUsage[authority.algorithm], true),
    new ExtendedKeyUsageExtension([usages[usage]], false),
    new SubjectAlternativeNameExtension(
      names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
    ),
    await AuthorityKeyIdentifierExtension.create(authority.keys.publicKey, false, webcrypto),
  ]
  const certificate = await X509CertificateGenerator.create({
    notBefore: validity.notBefore,
    notAfter: validity.notAfter,
    serialNumber: makeSerial(),
    subject,
    issuer: authority.name,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: signing[authority.algorithm],
    extensions,
  })
  return { certificate: pem(certificate.toString('pem')), key: privateKeyOf(authority, keys) }
}

/** The authority's own key in PEM, for those who keep it. */
export function privateKeyOf(
  { algorithm }: Pick<Authority, 'algorithm'>,
  keys: webcrypto.CryptoKeyPair,
): string {
  const key = KeyObject.from(keys.privateKey)
  const type = algorithm === 'rsa-2048' ? 'pkcs1' : 'pkcs8'
  return pem(key.export({ type, format: 'pem' }).toString())
}

const signing = {
  'ecdsa-p256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'rsa-2048': {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  },
} as const

const leafUsage: Readonly<Record<Algorithm, KeyUsageFlags>> = {
  'ecdsa-p256': KeyUsageFlags.digitalSignature,
  'rsa-2048': KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment,
}

async function makeKeys(algorithm: Algorithm): Promise<webcrypto.CryptoKeyPair> {
  const keys = await webcrypto.subtle.generateKey(signing[algorithm], true, ['sign', 'verify'])
  return keys
}

/** The first bit clear: a serial number is positive. */
function makeSerial(): string {
  const serial = randomBytes(16)
  serial[0] = (serial[0] ?? 0) & 0x7f
  return serial.toString('hex')
}

function pem(text: string): string {
  return `${text.trim()}\n`
}
