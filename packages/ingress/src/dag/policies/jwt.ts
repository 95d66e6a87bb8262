/** `jwtProviders` of a root HTTPProxy and `jwtVerificationPolicy` of its routes: whose tokens a request must carry. */
import type { HTTPProxy, HTTPProxyRoute, JWTProvider } from '@landfall/api'
import type { Lookups } from '../../model/lookups.ts'
import type { JwtProvider } from '../access.ts'
import type { JwtRule } from '../filters.ts'
import type { DagOptions } from '../options.ts'
import { type Checked, error, ok, type Problem, refused, warning } from '../problem.ts'
import { resolveKeySet } from '../trust.ts'
import { readRemoteKeys } from './remote-keys.ts'

export interface HostTokens {
  readonly providers: readonly JwtProvider[]
  readonly rule: JwtRule
  readonly warnings: readonly Problem[]
}

export const noTokens: HostTokens = { providers: [], rule: { kind: 'none' }, warnings: [] }

const field = 'spec.virtualhost.jwtProviders'
const type = 'JWTVerificationError'

/** @param secure the host ends TLS */
export function readProviders(
  root: HTTPProxy,
  secure: boolean,
  lookups: Lookups,
  options: DagOptions,
): Checked<HostTokens> {
  const asked = root.spec.virtualhost?.jwtProviders ?? []
  if (asked.length === 0) return ok(noTokens)
  const problems: Problem[] = []
  const refuse = (reason: string, message: string): void => {
    problems.push(error(type, reason, message))
  }
  if (!secure)
    refuse(
      'JWTVerificationNotPermitted',
      `${field}: only a host that ends TLS, and takes requests, can have any`,
    )
  const names = asked.map(({ name }) => name)
  for (const [index, name] of names.entries())
    if (names.indexOf(name) < index)
      refuse('DuplicateProviderName', `${field}[${index}].name: a second provider "${name}"`)
  const defaults = asked.filter((one) => one.default === true)
  if (defaults.length > 1)
    refuse('MultipleDefaultProvidersSpecified', `${field}: at most one can be the default`)
  const providers = asked.flatMap((one, index) => {
    const provider = readProvider(`${field}[${index}]`, one, root.meta.namespace, lookups, options)
    if (provider.ok) return [provider.value]
    problems.push(...provider.problems)
    return []
  })
  const blind = asked.flatMap(({ remoteJWKS: remote }, index) => {
    if (remote === undefined || remote.validation !== undefined || !/^https:/i.test(remote.uri)) return []
    const at = `${field}[${index}].remoteJWKS`
    return [`${at}: any certificate is taken from where the keys come, as there is no validation`]
  })
  if (options.requireUpstreamValidation) for (const message of blind) refuse('UpstreamNotVerified', message)
  if (problems.length > 0) return refused(...problems)
  const [chosen] = defaults
  return ok({
    providers,
    rule: chosen === undefined ? { kind: 'none' } : { kind: 'require', provider: chosen.name },
    warnings: blind.map((message) => warning('JWTVerificationError', 'UpstreamNotVerified', message)),
  })
}

function readProvider(
  at: string,
  one: JWTProvider,
  namespace: string,
  lookups: Lookups,
  options: DagOptions,
): Checked<JwtProvider> {
  const keys = keysOf(at, one, namespace, lookups, options)
  if (!keys.ok) return keys
  return ok({
    name: one.name,
    issuer: one.issuer ?? '',
    audiences: one.audiences ?? [],
    forward: one.forwardJWT === true,
    keys: keys.value,
  })
}

function keysOf(
  at: string,
  { remoteJWKS, localJWKS }: JWTProvider,
  namespace: string,
  lookups: Lookups,
  options: DagOptions,
): Checked<JwtProvider['keys']> {
  if (remoteJWKS !== undefined && localJWKS !== undefined)
    return refused(error(type, 'JWKSSourceConflict', `${at}: only one of remoteJWKS and localJWKS`))
  if (remoteJWKS !== undefined)
    return readRemoteKeys(`${at}.remoteJWKS`, remoteJWKS, namespace, lookups, options)
  if (localJWKS === undefined)
    return refused(error(type, 'JWKSSourceMissing', `${at}: one of remoteJWKS and localJWKS is needed`))
  const found = resolveKeySet(`${namespace}/${localJWKS.secretName}`, localJWKS.key, lookups)
  return found.ok
    ? ok({ kind: 'local', text: found.text })
    : refused(error(type, 'LocalJWKSInvalid', `${at}.localJWKS: ${found.why}`))
}

/** @param names of the providers that the host speaks of @returns undefined: as the host says */
export function readRouteTokens(
  at: string,
  policy: HTTPProxyRoute['jwtVerificationPolicy'],
  names: readonly string[],
): Checked<JwtRule | undefined> {
  const { require = '', disabled = false } = policy ?? {}
  const where = `${at}.jwtVerificationPolicy`
  if (require !== '' && disabled)
    return refused(error(type, 'InvalidJWTVerificationPolicy', `${where}: only one of require and disabled`))
  if (disabled) return ok({ kind: 'none' })
  if (require === '') return ok(undefined)
  if (names.includes(require)) return ok({ kind: 'require', provider: require })
  const message = `${where}.require: the root HTTPProxy has no provider "${require}"`
  return refused(error(type, 'JWTProviderNotDefined', message))
}
