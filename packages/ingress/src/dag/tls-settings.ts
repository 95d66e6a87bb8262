/**
 * The certificate that a host presents: the Secret by name, whether the asking namespace may use it
 * (TLSCertificateDelegation), and the range of protocol versions.
 */
import type { Key, Secret } from '@landfall/kube/model'
import type { Lookups } from '../model/lookups.ts'
import { type KeyPairResult, readKeyPair } from './key-pair.ts'
import { type Checked, error, ok, refused } from './problem.ts'
import { mayUse, type SecretReference, secretKey } from './secret-reference.ts'
import type { Certified, KeyPair, TlsSettings, TlsVersion } from './virtual-host.ts'

export interface TlsRequest extends SecretReference {
  /** '' for the default, which an unknown one (`versionProblem`) gets too. */
  readonly minimum: string
  readonly maximum: string
  /** The field that names the Secret, for messages. */
  readonly field: string
  /** undefined: none are asked for. */
  readonly clients?: ClientTrust
}

export interface TlsDefaults {
  readonly minimum: TlsVersion
  readonly maximum: TlsVersion
}

export type Tls = Certified

/** Which certificates of clients are taken. */
export interface ClientTrust {
  readonly validation: TlsSettings['clients']
  readonly forward: TlsSettings['forward']
  readonly trust: Certified['trust']
}

export function resolveTls(request: TlsRequest, lookups: Lookups, defaults: TlsDefaults): Checked<Tls> {
  const key = secretKey(request)
  const pair = secretFor(request, key, lookups)
  if (!pair.ok) return pair
  const minimum = later(defaults.minimum, versionOf(request.minimum) ?? '1.2')
  const maximum = earlier(defaults.maximum, versionOf(request.maximum) ?? '1.3')
  if (minimum > maximum) {
    const message = `the minimum protocol version ${minimum} is above the maximum ${maximum}`
    return refused(
      error('TLSError', 'TLSConfigNotValid', `${request.field.replace(/\.secretName$/, '')}: ${message}`),
    )
  }
  const { validation: clients, forward, trust } = request.clients ?? {}
  return ok({ settings: { secret: key, minimum, maximum, clients, forward }, keyPair: pair.value, trust })
}

function secretFor(request: TlsRequest, key: string, lookups: Lookups): Checked<KeyPair> {
  const invalid = (why: string) =>
    refused(
      error('TLSError', 'SecretNotValid', `${request.field} "${request.secretName}" is invalid: ${why}`),
    )
  const secret = lookups.secret(key)
  if (!mayUse(key, request.namespace, lookups)) {
    const message = `${request.field} Secret "${key}": certificate delegation not permitted`
    return refused(error('TLSError', 'DelegationNotPermitted', message))
  }
  if (secret === undefined) return invalid(`Secret "${key}" not found`)
  const pair = keyPairOf(secret)
  return pair.ok ? ok(pair.keyPair) : invalid(pair.why)
}

/** A Secret is read by many hosts; its observed object never changes, so it is checked once. */
const checked = new WeakMap<Secret, KeyPairResult>()

export function keyPairOf(secret: Secret): KeyPairResult {
  const found = checked.get(secret) ?? readKeyPair(secret)
  checked.set(secret, found)
  return found
}

/** Why it is no certificate with its key; undefined when it is. */
export function pairProblem(key: Key, lookups: Lookups): string | undefined {
  const secret = lookups.secret(key)
  if (secret === undefined) return `Secret "${key}" not found`
  const pair = keyPairOf(secret)
  return pair.ok ? undefined : pair.why
}

/** What is wrong with a version that is asked for; undefined when it is served, or '' for the default. */
export function versionProblem(text: string, field: string): string | undefined {
  if (text === '' || versionOf(text) !== undefined) return undefined
  return `${field}: "${text}" is no TLS version that is served, which are "1.2" and "1.3"`
}

function versionOf(text: string): TlsVersion | undefined {
  return text === '1.2' || text === '1.3' ? text : undefined
}

function later(a: TlsVersion, b: TlsVersion): TlsVersion {
  return a > b ? a : b
}

function earlier(a: TlsVersion, b: TlsVersion): TlsVersion {
  return a < b ? a : b
}
