/** Routes that Envoy answers by itself: `requestRedirectPolicy` and `directResponsePolicy`; and `internalRedirectPolicy`. */
import type { HTTPProxyRoute } from '@landfall/api'
import { type Checked, error, ok, refused } from '../problem.ts'
import type { Action, InternalRedirect } from '../virtual-host.ts'

/** Envoy's own limit on an inline body. */
const longestBody = 4096

export function readRedirect(
  field: string,
  policy: NonNullable<HTTPProxyRoute['requestRedirectPolicy']>,
): Checked<Action> {
  const { scheme, hostname, port, statusCode = 302, path, prefix } = policy
  if (path !== undefined && prefix !== undefined) {
    const message = `${field}.requestRedirectPolicy: at most one of path and prefix`
    return refused(error('RouteError', 'RequestRedirectPolicy', message))
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
    statuses: policy.redirectResponseCodes ?? [],
    crossScheme: policy.allowCrossSchemeRedirect ?? 'Never',
    denyRepeated: policy.denyRepeatedRouteRedirect === true,
  }
}
