/** `remoteJWKS` of a provider of tokens: where Envoy fetches its keys, and whose certificate it takes there. */
import type { JWTProvider } from '@landfall/api'
import type { Lookups } from '../../model/lookups.ts'
import type { JwtProvider } from '../access.ts'
import type { DnsCluster } from '../cluster.ts'
import type { DagOptions } from '../options.ts'
import { type Checked, error, ok, type Problem, refused } from '../problem.ts'
import { resolveAuthority } from '../trust.ts'
import { readLimit } from './durations.ts'
import { isServerName } from './header-limits.ts'
import { namesOf } from './upstream-validation.ts'

type Remote = NonNullable<JWTProvider['remoteJWKS']>
type Refuse = (reason: string, message: string) => void

export function readRemoteKeys(
  at: string,
  remote: Remote,
  namespace: string,
  lookups: Lookups,
  { dnsLookupFamily }: DagOptions,
): Checked<JwtProvider['keys']> {
  const problems: Problem[] = []
  const refuse: Refuse = (reason, message) => {
    problems.push(error('JWTVerificationError', reason, `${at}${message}`))
  }
  const place = placeOf(remote.uri, refuse)
  const timeoutMs = duration(remote.timeout)
  if (timeoutMs === 'invalid')
    refuse('RemoteJWKSTimeoutInvalid', `.timeout: "${remote.timeout}" is no duration such as 1s`)
  const cacheMs = duration(remote.cacheDuration)
  if (cacheMs === 'invalid')
    refuse(
      'RemoteJWKSCacheDurationInvalid',
      `.cacheDuration: "${remote.cacheDuration}" is no duration such as 5m`,
    )
  const trust = trustOf(remote, place, namespace, lookups, refuse)
  if (problems.length > 0 || place === undefined || timeoutMs === 'invalid' || cacheMs === 'invalid')
    return refused(...problems)
  const cluster: DnsCluster = {
    kind: 'dns',
    ...place,
    family: remote.dnsLookupFamily ?? dnsLookupFamily,
    ...trust,
  }
  return ok({ kind: 'remote', uri: remote.uri, cluster, timeoutMs: timeoutMs ?? 1000, cacheMs })
}

type Place = Pick<DnsCluster, 'host' | 'port' | 'secure'>

function placeOf(uri: string, refuse: Refuse): Place | undefined {
  const [, written] = /^[a-z]+:\/\/[^/?#]*:(\d*)(?:[/?#]|$)/i.exec(uri) ?? []
  const port = written === undefined || written === '' ? undefined : Number(written)
  if (port !== undefined && (port < 1 || port > 65_535)) {
    refuse('RemoteJWKSPortInvalid', `.uri: "${written}" is no port`)
    return undefined
  }
  const url = /^[!-~]+$/.test(uri) && URL.canParse(uri) ? new URL(uri) : undefined
  const hasHost = url !== undefined && url.host !== '' && isServerName(url.hostname)
  if (url === undefined || (!hasHost && url.protocol.startsWith('http'))) {
    refuse('RemoteJWKSURIInvalid', `.uri: "${uri}" is no URI`)
    return undefined
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    refuse('RemoteJWKSSchemeInvalid', `.uri: "${url.protocol.slice(0, -1)}" is neither http nor https`)
    return undefined
  }
  const secure = url.protocol === 'https:'
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: port ?? (secure ? 443 : 80), secure }
}

/** Milliseconds; undefined: the default. There is always a limit. */
function duration(text: string | undefined): number | 'invalid' | undefined {
  const limit = readLimit(text)
  return limit === 'infinite' ? 'invalid' : limit
}

function trustOf(
  { validation }: Remote,
  place: Place | undefined,
  namespace: string,
  lookups: Lookups,
  refuse: Refuse,
): Pick<DnsCluster, 'validation' | 'authority'> {
  const none = { validation: undefined, authority: undefined }
  if (validation === undefined) return none
  const reason = 'RemoteJWKSUpstreamValidationInvalid'
  if (place?.secure === false)
    refuse(reason, '.validation: keys over plain http have no certificate to check')
  const names = namesOf('', validation, (message) => refuse(reason, message))
  const trust = resolveAuthority({ secretName: validation.caSecret, namespace }, lookups)
  if (trust.kind === 'found')
    return { validation: { authority: trust.bundle.name, names }, authority: trust.bundle }
  if (trust.kind === 'notDelegated')
    refuse('RemoteJWKSCACertificateNotDelegated', `.validation.caSecret: ${trust.why}`)
  else refuse(reason, `.validation.caSecret: ${trust.why}`)
  return none
}
