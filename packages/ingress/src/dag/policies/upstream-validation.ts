/** `validation` of a service: whose certificates are taken from a backend that speaks TLS. */
import type { HTTPProxyService, UpstreamValidation } from '@landfall/api'
import type { Lookups } from '../../model/lookups.ts'
import type { ServiceCluster } from '../cluster.ts'
import { error, type Problem, warning } from '../problem.ts'
import { resolveAuthority } from '../trust.ts'
import { isServerName } from './header-limits.ts'

interface Asking {
  /** Of the service. */
  readonly field: string
  readonly namespace: string
}

/** The cluster with its validation. A backend that is believed whatever it shows is warned of. */
export function validated(
  cluster: ServiceCluster,
  policy: HTTPProxyService['validation'],
  { field, namespace }: Asking,
  lookups: Lookups,
  fatal: Problem[],
  problems: Problem[],
): ServiceCluster {
  const { protocol } = cluster.settings
  const secure = protocol === 'tls' || protocol === 'h2'
  if (policy === undefined) {
    const message = `${field}: any certificate of the backend is taken, as there is no validation`
    if (secure) problems.push(warning('ServiceError', 'UpstreamNotVerified', message))
    return cluster
  }
  if (!secure) {
    const message = `${field}.validation: ignored, as the backend speaks no TLS (protocol tls or h2)`
    problems.push(warning('SpecError', 'IgnoredField', message))
    return cluster
  }
  const names = namesOf(field, policy, (message) => {
    fatal.push(error('ServiceError', 'TLSUpstreamValidation', message))
  })
  const trust = resolveAuthority({ secretName: policy.caSecret, namespace }, lookups)
  if (trust.kind === 'found') {
    const { bundle } = trust
    const settings = { ...cluster.settings, validation: { authority: bundle.name, names } }
    return { ...cluster, settings, authority: bundle }
  }
  const [type, reason] =
    trust.kind === 'notDelegated'
      ? ['TLSError', 'CACertificateNotDelegated']
      : ['ServiceError', 'TLSUpstreamValidation']
  fatal.push(error(type, reason, `${field}.validation.caSecret: ${trust.why}`))
  return cluster
}

/** The names of which the backend must present one; what is wrong with them is told. */
export function namesOf(
  field: string,
  { subjectName = '', subjectNames = [] }: UpstreamValidation,
  refuse: (message: string) => void,
): readonly string[] {
  const names = subjectNames.length > 0 ? subjectNames : [subjectName]
  if (names.includes('')) refuse(`${field}.validation: a name that the backend must present is needed`)
  // The first of them is asked for by name, also by filters of listeners that are everybody's.
  for (const name of names.filter((one) => /[\p{Cc}\s]/u.test(one) || !isServerName(one)))
    refuse(`${field}.validation: ${JSON.stringify(name)} is no name of a certificate`)
  if (subjectName !== '' && names[0] !== subjectName)
    refuse(`${field}.validation: subjectName must be the first of subjectNames`)
  return names
}
