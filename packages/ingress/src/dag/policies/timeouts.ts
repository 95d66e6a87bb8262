/** `timeoutPolicy` and `retryPolicy` of a route. */
import type { HTTPProxyRoute } from '@landfall/api'
import type { Limit } from '../cluster.ts'
import { type Checked, error, ok, type Problem, refused } from '../problem.ts'
import type { Retry } from '../virtual-host.ts'
import { readLimit } from './durations.ts'

export interface Timeouts {
  readonly response: Limit
  readonly idle: Limit
  /** Of connections to the backends. */
  readonly idleConnection: Limit
}

export function readTimeouts(field: string, policy: HTTPProxyRoute['timeoutPolicy']): Checked<Timeouts> {
  const problems: Problem[] = []
  const limit = (name: keyof Timeouts): Limit => {
    const value = readLimit(policy?.[name])
    if (value !== 'invalid') return value
    const message = `${field}.timeoutPolicy.${name}: "${policy?.[name]}" is no duration such as 30s, nor infinity`
    problems.push(error('RouteError', 'TimeoutPolicyNotValid', message))
    return undefined
  }
  const timeouts = {
    response: limit('response'),
    idle: limit('idle'),
    idleConnection: limit('idleConnection'),
  }
  return problems.length > 0 ? refused(...problems) : ok(timeouts)
}

/** Envoy counts in 32 bits. */
const most = 0xffffffff

/** undefined: nothing is tried again. A limit of each try that cannot be read counts as none, as with Contour. */
export function readRetry(policy: HTTPProxyRoute['retryPolicy']): Retry | undefined {
  if (policy === undefined || policy.count === -1) return undefined
  const perTry = readLimit(policy.perTryTimeout)
  const on = policy.retryOn ?? []
  return {
    count: Math.min(policy.count || 1, most),
    on: on.length === 0 ? ['5xx'] : on,
    // No backend answers with one that is below zero, and Envoy has no place for it.
    statusCodes: (policy.retriableStatusCodes ?? []).filter((code) => code >= 0),
    perTry: perTry === 'invalid' ? undefined : perTry,
  }
}
