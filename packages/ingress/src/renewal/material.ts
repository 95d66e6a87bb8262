/** What the two Secrets of the xDS channel hold, as far as renewal goes. */
import { X509Certificate } from 'node:crypto'
import { nextCertificate } from '../certgen/secrets.ts'

/** In PEM. */
export interface Pair {
  readonly certificate: string
  readonly key: string
}

export interface Held extends Pair {
  /** Authorities, the newest last; each in PEM. */
  readonly authorities: readonly string[]
  /** What is shown next, once it is trusted everywhere. */
  readonly next: Pair | undefined
}

/** Keys of the Secret's data. */
export const keys = {
  authorities: 'ca.crt',
  certificate: 'tls.crt',
  key: 'tls.key',
  nextCertificate,
  nextKey: 'next.key',
} as const

export type SecretData = Readonly<Record<string, string>>

/** @param data texts, decoded @returns undefined when it is no such Secret */
export function readHeld(data: SecretData): Held | undefined {
  const certificate = data[keys.certificate]
  const key = data[keys.key]
  const authorities = splitPem(data[keys.authorities] ?? '')
  if (certificate === undefined || key === undefined || authorities.length === 0) return undefined
  if (![certificate, ...authorities].every(isCertificate)) return undefined
  const waiting = data[keys.nextCertificate]
  const waitingKey = data[keys.nextKey]
  const next =
    waiting === undefined || waitingKey === undefined || !isCertificate(waiting)
      ? undefined
      : { certificate: waiting, key: waitingKey }
  return { certificate, key, authorities, next }
}

export function writeHeld({ certificate, key, authorities, next }: Held): SecretData {
  return {
    [keys.authorities]: authorities.join(''),
    [keys.certificate]: certificate,
    [keys.key]: key,
    ...(next === undefined ? {} : { [keys.nextCertificate]: next.certificate, [keys.nextKey]: next.key }),
  }
}

export function splitPem(text: string): readonly string[] {
  return (text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []).map(
    (pem) => `${pem}\n`,
  )
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).fingerprint256 !== ''
  } catch {
    return false
  }
}

/** As TLS shows it: SHA-256, in hex with colons. */
export function fingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256
}

export function isSignedBy(certificate: string, authority: string): boolean {
  return new X509Certificate(certificate).verify(new X509Certificate(authority).publicKey)
}

export interface Life {
  readonly from: number
  readonly to: number
}

/** Milliseconds since 1970. */
export function lifeOf(certificate: string): Life {
  const { validFromDate, validToDate } = new X509Certificate(certificate)
  return { from: validFromDate.getTime(), to: validToDate.getTime() }
}
