/** Routes that Envoy answers by itself: `requestRedirectPolicy` and `directResponsePolicy`; and `internalRedirectPolicy`. */
import type { HTTPProxy, HTTPProxyRoute } from '@landfall/api'
import { type Checked, error, ok, type Problem, refused, warning } from '../problem.ts'
import type { Action, InternalRedirect } from '../virtual-host.ts'
import { headerValueProblem } from './header-limits.ts'
import { readHeaders } from './headers.ts'
import { readHealthCheck } from './health-check.ts'
import { readTimeouts } from './timeouts.ts'

export interface WithProblems {
  readonly value: Action
  /** They leave the route served, or answered with 503. */
  readonly problems: readonly Problem[]
}

/** Of a request that goes nowhere these say nothing. */
const ofForwarding = [
  'enableWebsockets',
  'timeoutPolicy',
  'retryPolicy',
  'healthCheckPolicy',
  'loadBalancerPolicy',
  'pathRewritePolicy',
  'requestHeadersPolicy',
  'cookieRewritePolicies',
  'internalRedirectPolicy',
] as const satisfies readonly (keyof HTTPProxyRoute)[]

/** An answer of Envoy's own, with the headers that the route asks for. */
export function readOwnAnswer(
  { meta }: HTTPProxy,
  field: string,
  route: HTTPProxyRoute,
  action: Checked<Action>,
): Checked<WithProblems> {
  const headers = (direction: 'request' | 'response') => {
    const variables = { CONTOUR_NAMESPACE: meta.namespace }
    const context = {
      field: `${field}.${direction}HeadersPolicy`,
      of: 'route' as const,
      direction,
      variables,
    }
    return readHeaders(route[`${direction}HeadersPolicy`], context)
  }
  const response = headers('response')
  const checked = [
    action,
    response,
    headers('request'),
    readTimeouts(field, route.timeoutPolicy),
    readHealthCheck(field, route.healthCheckPolicy),
  ]
  const wrong = checked.flatMap((one) => (one.ok ? [] : one.problems))
  if (!action.ok || !response.ok || wrong.length > 0) return refused(...wrong)
  const idle = ofForwarding.filter((name) => route[name] !== undefined && route[name] !== false)
  const problems = idle.map((name) =>
    warning('SpecError', 'IgnoredField', `${field}.${name}: ignored, as Envoy answers this route itself`),
  )
  const { edits } = response.value
  const isEdited = edits.set.length + edits.remove.length > 0
  return ok({ value: isEdited ? { ...action.value, headers: edits } : action.value, problems })
}

/** Envoy's own limit on an inline body. */
const longestBody = 4096

export function readRedirect(
  field: string,
  policy: NonNullable<HTTPProxyRoute['requestRedirectPolicy']>,
): Checked<Action> {
  const { scheme, hostname, port, statusCode = 302, path, prefix } = policy
  const refuse = (at: string, why: string) =>
    refused(error('RouteError', 'RequestRedirectPolicy', `${field}.requestRedirectPolicy${at}: ${why}`))
  if (path !== undefined && prefix !== undefined) return refuse('', 'at most one of path and prefix')
  for (const [at, text = ''] of Object.entries({ path, prefix })) {
    const why = headerValueProblem(text)
    if (why !== undefined) return refuse(`.${at}`, why)
  }
  return ok({ kind: 'redirect', scheme, host: hostname, port, path, prefix, status: statusCode })
}

export function readDirectResponse(
  field: string,
  { statusCode, body = '' }: NonNullable<HTTPProxyRoute['directResponsePolicy']>,
): Checked<Action> {
  if (new TextEncoder().encode(body).length > longestBody) {
    const message = `${field}.directResponsePolicy.body: longer than ${longestBody} bytes, which is the most that Envoy answers`
    return refused(error('RouteError', 'DirectResponseNotValid', message))
  }
  return ok({ kind: 'respond', status: statusCode, body })
}

export function readInternalRedirect(
  policy: HTTPProxyRoute['internalRedirectPolicy'],
): InternalRedirect | undefined {
  if (policy === undefined) return undefined
  return {
    most: policy.maxInternalRedirects ?? 0,
    statuses: [...new Set(policy.redirectResponseCodes)],
    crossScheme: policy.allowCrossSchemeRedirect ?? 'Never',
    denyRepeated: policy.denyRepeatedRouteRedirect === true,
  }
}
