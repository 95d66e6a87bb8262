/**
 * `requestHeadersPolicy` and `responseHeadersPolicy` of routes and services. A `%` in a value stands for itself, but
 * for the variables that Contour lets through to Envoy, and those that are known here (CONTOUR_…).
 */
import type { HeadersPolicy } from '@landfall/api'
import { type Checked, error, ok, type Problem, refused } from '../problem.ts'
import type { HeaderEdits, HostRewrite } from '../virtual-host.ts'
import { headerNameProblem, headerValueProblem } from './header-limits.ts'

export interface HeaderRules {
  readonly edits: HeaderEdits
  /** What `Host` becomes. */
  readonly host: HostRewrite | undefined
}

export interface HeaderContext {
  readonly field: string
  readonly of: 'route' | 'service'
  readonly direction: 'request' | 'response'
  /** What CONTOUR_NAMESPACE and its like stand for. */
  readonly variables: Readonly<Record<string, string>>
}

export const noHeaderRules: HeaderRules = { edits: { set: [], remove: [] }, host: undefined }

const reasons = {
  route: {
    request: ['RouteError', 'RequestHeadersPolicyInvalid'],
    response: ['RouteError', 'ResponseHeaderPolicyInvalid'],
  },
  service: {
    request: ['ServiceError', 'RequestHeadersPolicyInvalid'],
    response: ['ServiceError', 'ResponseHeadersPolicyInvalid'],
  },
} as const

export function readHeaders(policy: HeadersPolicy | undefined, context: HeaderContext): Checked<HeaderRules> {
  if (policy === undefined) return ok(noHeaderRules)
  const problems: Problem[] = []
  const [type, reason] = reasons[context.of][context.direction]
  const refuse = (at: string, why: string): void => {
    problems.push(error(type, reason, `${context.field}.${at}: ${why}`))
  }
  let host: HostRewrite | undefined
  const set = new Map<string, { readonly name: string; readonly value: string }>()
  for (const [index, { name, value }] of (policy.set ?? []).entries()) {
    const at = `set[${index}]`
    const key = name.toLowerCase()
    const isHost = key === 'host'
    const written = isHost ? value : expand(value, context.variables)
    const badName = isHost ? undefined : headerNameProblem(name)
    const badValue = headerValueProblem(written)
    if (badName !== undefined) refuse(`${at}.name`, badName)
    else if (isHost && context.direction === 'response')
      refuse(`${at}.name`, '"Host" is not a header of responses')
    else if (set.has(key)) refuse(`${at}.name`, `"${name}" is set twice`)
    else if (badValue !== undefined) refuse(`${at}.value`, badValue)
    else if (isHost) host = hostRewrite(value, context)
    else set.set(key, { name, value: written })
  }
  for (const [index, name] of (policy.remove ?? []).entries()) {
    const badName = headerNameProblem(name)
    if (badName !== undefined) refuse(`remove[${index}]`, badName)
    else if (name.toLowerCase() === 'host') refuse(`remove[${index}]`, '"Host" cannot be removed')
  }
  if (problems.length > 0) return refused(...problems)
  const remove = [...new Set((policy.remove ?? []).map((name) => name.toLowerCase()))]
  return ok({ edits: { set: [...set.values()], remove }, host })
}

/** On a route, the value of a header of the request can become the host. */
function hostRewrite(value: string, { of }: HeaderContext): HostRewrite {
  const [, header] = /^%REQ\(([A-Za-z0-9-]+)\)%$/.exec(value) ?? []
  return header !== undefined && of === 'route'
    ? { kind: 'header', name: header }
    : { kind: 'literal', value }
}

const variables = new Set([
  'DOWNSTREAM_REMOTE_ADDRESS',
  'DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT',
  'DOWNSTREAM_LOCAL_ADDRESS',
  'DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT',
  'DOWNSTREAM_LOCAL_PORT',
  'DOWNSTREAM_LOCAL_URI_SAN',
  'DOWNSTREAM_PEER_URI_SAN',
  'DOWNSTREAM_LOCAL_SUBJECT',
  'DOWNSTREAM_PEER_SUBJECT',
  'DOWNSTREAM_PEER_ISSUER',
  'DOWNSTREAM_TLS_SESSION_ID',
  'DOWNSTREAM_TLS_CIPHER',
  'DOWNSTREAM_TLS_VERSION',
  'DOWNSTREAM_PEER_FINGERPRINT_256',
  'DOWNSTREAM_PEER_FINGERPRINT_1',
  'DOWNSTREAM_PEER_SERIAL',
  'DOWNSTREAM_PEER_CERT',
  'DOWNSTREAM_PEER_CERT_V_START',
  'DOWNSTREAM_PEER_CERT_V_END',
  'HOSTNAME',
  'PROTOCOL',
  'UPSTREAM_REMOTE_ADDRESS',
  'RESPONSE_FLAGS',
  'RESPONSE_CODE_DETAILS',
  'TLS_JA3_FINGERPRINT',
  'TLS_JA4_FINGERPRINT',
])

/** A text as Envoy's format string for itself. */
export function literally(text: string): string {
  return text.replaceAll('%', '%%')
}

/** A name, or a header of the request: a second one may stand for it, and only so many bytes of it be taken. */
const variable = /%([A-Z_0-9]+|REQ\(:?[\w-]+(?:\?:?[\w-]+)?\)(?::\d{1,9})?)%|%/g

/** Envoy's format string for a value: `%%` is a percent sign. */
function expand(value: string, known: Readonly<Record<string, string>>): string {
  return value.replaceAll(variable, (whole, name: string | undefined) => {
    if (name === undefined) return '%%'
    const own = known[name]
    if (own !== undefined) return literally(own)
    return variables.has(name) || name.startsWith('REQ(') ? whole : `%%${name}%%`
  })
}
