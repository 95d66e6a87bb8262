/**
 * How a server speaks TLS, as Kubernetes' flags name it: versions as `VersionTLS12`, cipher suites by their IANA
 * names, curves by Go's names or by their numbers. Out: what Node's TLS takes, or a sentence about what is wrong.
 */
import { createSecureContext, type SecureVersion } from 'node:tls'

/** A part of Node's SecureContextOptions. */
export interface TlsSettings {
  readonly minVersion: SecureVersion
  /** Of TLS 1.2 and below. */
  readonly ciphers?: string
  readonly ecdhCurve?: string
}

export const defaultTls: TlsSettings = { minVersion: 'TLSv1.3' }

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string }

const versions: Readonly<Record<string, SecureVersion>> = {
  VersionTLS10: 'TLSv1',
  VersionTLS11: 'TLSv1.1',
  VersionTLS12: 'TLSv1.2',
  VersionTLS13: 'TLSv1.3',
}

/** TLS_<exchange>_WITH_<cipher> of RFC 5246, 5289 and 7905, as OpenSSL calls it. */
const suites: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: 'ECDHE-ECDSA-AES128-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 'ECDHE-RSA-AES128-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_RSA_WITH_AES_128_CBC_SHA256: 'AES128-SHA256',
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
}

/** Those of TLS 1.3 are always on; named among the others they are let pass. */
const ofTls13 = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256'

const curves: Readonly<Record<string, string>> = {
  X25519: 'X25519',
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
  X25519MLKEM768: 'X25519MLKEM768',
  '23': 'P-256',
  '24': 'P-384',
  '25': 'P-521',
  '29': 'X25519',
  '4588': 'X25519MLKEM768',
}

export function parseTlsVersion(text: string): Parsed<SecureVersion> {
  const value = Object.hasOwn(versions, text) ? versions[text] : undefined
  return value === undefined ? oneOf(text, 'TLS version', versions) : { ok: true, value }
}

/** @param text IANA names between commas @returns OpenSSL's list */
export function parseCipherSuites(text: string): Parsed<string> {
  const known = ofTls13.split(':')
  const parsed = translate(
    namesIn(text).filter((name) => !known.includes(name)),
    'cipher suite',
    suites,
  )
  return parsed.ok
    ? { ok: true, value: [ofTls13, parsed.value].filter((part) => part !== '').join(':') }
    : parsed
}

/** @param text names or numbers between commas @returns OpenSSL's list */
export function parseCurves(text: string): Parsed<string> {
  const parsed = translate(namesIn(text), 'curve', curves)
  if (!parsed.ok) return parsed
  try {
    createSecureContext({ ecdhCurve: parsed.value })
    return parsed
  } catch {
    return { ok: false, message: `this build of OpenSSL has not all of the curves ${text}` }
  }
}

function namesIn(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

function translate(
  names: readonly string[],
  what: string,
  table: Readonly<Record<string, string>>,
): Parsed<string> {
  const unknown = names.filter((name) => !Object.hasOwn(table, name))
  if (unknown.length > 0) return oneOf(unknown.join(', '), what, table)
  return { ok: true, value: names.map((name) => table[name]).join(':') }
}

function oneOf(text: string, what: string, table: object): { readonly ok: false; readonly message: string } {
  return { ok: false, message: `${text} is no ${what} known here; use ${Object.keys(table).join(', ')}` }
}
