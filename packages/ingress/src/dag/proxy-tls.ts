/**
 * `tls` of a root HTTPProxy: the certificate that it presents, which client certificates it takes and what of them
 * the backend is told; or that the stream is passed on as it is.
 */
import type { HTTPProxy, HTTPProxyTLS } from '@landfall/api'
import type { Lookups } from '../model/lookups.ts'
import type { DagOptions } from './options.ts'
import { ignored } from './policies/ignored-fields.ts'
import { error, type Problem, warning } from './problem.ts'
import { type ClientTrust, resolveTls, type Tls, versionProblem } from './tls-settings.ts'
import { resolveAuthority, resolveRevocation, type TrustResult } from './trust.ts'
import type { ForwardedCertificate } from './virtual-host.ts'

export type ProxyTls =
  | { readonly kind: 'none' | 'passthrough' }
  | { readonly kind: 'terminated'; readonly tls: Tls; readonly fallback: Tls | undefined }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

const field = 'spec.virtualhost.tls'

export function readProxyTls(root: HTTPProxy, lookups: Lookups, options: DagOptions): ProxyTls {
  const tls = root.spec.virtualhost?.tls
  if (tls === undefined) return { kind: 'none' }
  const problems: Problem[] = [...incompatibilities(root, tls)]
  const passthrough = tls.passthrough === true
  if (passthrough === Boolean(tls.secretName)) {
    const message = `${field}: exactly one of secretName and passthrough is needed`
    problems.push(error('TLSError', 'TLSConfigNotValid', message))
  }
  const fallback =
    tls.enableFallbackCertificate === true ? readFallback(root, lookups, options, problems) : undefined
  const clients = passthrough ? noClients : clientTrust(root, tls.clientValidation, lookups, problems)
  const terminated =
    tls.secretName && !passthrough ? terminate(root, tls, clients, lookups, options) : undefined
  if (terminated !== undefined && !terminated.ok) problems.push(...terminated.problems)
  if (problems.length > 0) return { kind: 'refused', problems }
  return terminated?.ok === true
    ? { kind: 'terminated', tls: terminated.value, fallback }
    : { kind: 'passthrough' }
}

/** The certificate that the configuration names, which must be the host's to use. */
function readFallback(
  { meta }: HTTPProxy,
  lookups: Lookups,
  options: DagOptions,
  problems: Problem[],
): Tls | undefined {
  const { fallbackCertificate: secretName } = options
  const at = `${field}.enableFallbackCertificate`
  if (secretName === undefined) {
    problems.push(error('TLSError', 'FallbackNotPresent', `${at}: no fallback certificate is configured`))
    return undefined
  }
  const request = { secretName, namespace: meta.namespace, minimum: '', maximum: '', field: at }
  const resolved = resolveTls(request, lookups, options.tls)
  if (resolved.ok) return resolved.value
  for (const { reason, message } of resolved.problems) {
    const isDelegation = reason === 'DelegationNotPermitted'
    problems.push(error('TLSError', isDelegation ? 'FallbackNotDelegated' : 'FallbackNotValid', message))
  }
  return undefined
}

function terminate(
  { meta }: HTTPProxy,
  tls: HTTPProxyTLS,
  clients: ClientTrust,
  lookups: Lookups,
  options: DagOptions,
) {
  const request = {
    secretName: tls.secretName ?? '',
    namespace: meta.namespace,
    minimum: tls.minimumProtocolVersion ?? '',
    maximum: tls.maximumProtocolVersion ?? '',
    field: `${field}.secretName`,
    clients,
  }
  return resolveTls(request, lookups, options.tls)
}

function incompatibilities({ spec }: HTTPProxy, tls: HTTPProxyTLS): readonly Problem[] {
  const { virtualhost } = spec
  const asked = {
    passthrough: tls.passthrough === true,
    enableFallbackCertificate: tls.enableFallbackCertificate === true,
    clientValidation: tls.clientValidation !== undefined,
    authorization: virtualhost?.authorization !== undefined,
    jwtProviders: (virtualhost?.jwtProviders ?? []).length > 0,
  }
  const pairs: readonly (readonly [keyof typeof asked, keyof typeof asked])[] = [
    ['passthrough', 'enableFallbackCertificate'],
    ['passthrough', 'clientValidation'],
    ['enableFallbackCertificate', 'clientValidation'],
    ['enableFallbackCertificate', 'authorization'],
    ['enableFallbackCertificate', 'jwtProviders'],
  ]
  return pairs
    .filter(([one, other]) => asked[one] && asked[other])
    .map(([one, other]) =>
      error('TLSError', 'TLSIncompatibleFeatures', `${field}: ${one} and ${other} exclude each other`),
    )
}

const noClients: ClientTrust = { validation: undefined, forward: undefined, trust: undefined }

function clientTrust(
  root: HTTPProxy,
  policy: HTTPProxyTLS['clientValidation'],
  lookups: Lookups,
  problems: Problem[],
): ClientTrust {
  if (policy === undefined) return noClients
  const { caSecret = '', crlSecret = '', skipClientCertValidation: skip = false } = policy
  const at = `${field}.clientValidation`
  const refuse = (reason: string, message: string): void => {
    problems.push(error('TLSError', reason, `${at}${message}`))
  }
  const forward = forwarded(policy.forwardClientCertificate)
  if (caSecret === '') {
    if (!skip) refuse('ClientValidationInvalid', ': caSecret is needed, or skipClientCertValidation')
    if (crlSecret !== '')
      refuse('ClientValidationInvalid', '.crlSecret: a list without caSecret revokes nothing')
    return {
      validation: { authority: undefined, verify: false, required: false, leafOnly: false },
      forward,
      trust: undefined,
    }
  }
  const { namespace } = root.meta
  const reference = { secretName: caSecret, namespace }
  const trust: TrustResult =
    crlSecret === ''
      ? resolveAuthority(reference, lookups)
      : resolveRevocation(reference, { secretName: crlSecret, namespace }, lookups)
  if (trust.kind !== 'found') {
    const reason = trust.kind === 'invalid' ? 'ClientValidationInvalid' : 'DelegationNotPermitted'
    refuse(reason, `: ${trust.why}`)
    return noClients
  }
  const { bundle } = trust
  const validation = {
    authority: bundle.name,
    verify: !skip,
    required: policy.optionalClientCertificate !== true,
    leafOnly: policy.crlOnlyVerifyLeafCert === true,
  }
  return { validation, forward, trust: bundle }
}

type Forwarded = NonNullable<HTTPProxyTLS['clientValidation']>['forwardClientCertificate']

function forwarded(policy: Forwarded): ForwardedCertificate | undefined {
  if (policy === undefined) return undefined
  const { subject = false, cert = false, chain = false, dns = false, uri = false } = policy
  return { subject, cert, chain, dns, uri }
}

const versionFields = ['minimumProtocolVersion', 'maximumProtocolVersion'] as const

/** Versions that are not served, of which older objects ask for some: the default holds, as with Contour. */
function versionWarnings(tls: HTTPProxyTLS): readonly Problem[] {
  return versionFields
    .map((name) => versionProblem(tls[name] ?? '', `${field}.${name}`))
    .filter((message) => message !== undefined)
    .map((message) => warning('TLSError', 'TLSConfigNotValid', `${message}; the default is used`))
}

export function tlsWarnings({ spec }: HTTPProxy): readonly Problem[] {
  const tls = spec.virtualhost?.tls
  if (tls === undefined) return []
  const idle = ignoredOfClients(tls.clientValidation)
  const versions = tls.passthrough === true ? versionFields.filter((name) => (tls[name] ?? '') !== '') : []
  return [
    ...versionWarnings(tls),
    ...versions.map((name) => ignored(`${field}.${name}: ignored, as passthrough ends no TLS`)),
    ...idle.map((text) => ignored(`${field}.clientValidation.${text}`)),
  ]
}

function ignoredOfClients(policy: HTTPProxyTLS['clientValidation']): readonly string[] {
  const { caSecret = '', crlSecret = '', skipClientCertValidation: skip = false } = policy ?? {}
  const isLeaf = policy?.crlOnlyVerifyLeafCert === true
  const isOptional = policy?.optionalClientCertificate === true
  return [
    ...(crlSecret !== '' && skip
      ? ['crlSecret: ignored, as skipClientCertValidation takes any certificate']
      : []),
    ...(isLeaf && crlSecret === '' ? ['crlOnlyVerifyLeafCert: ignored, as there is no crlSecret'] : []),
    ...(isOptional && caSecret === ''
      ? ['optionalClientCertificate: ignored, as no certificate is needed without caSecret']
      : []),
  ]
}
