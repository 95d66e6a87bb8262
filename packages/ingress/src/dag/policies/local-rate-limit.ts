/** `rateLimitPolicy.local` of a host or of a route. */
import type { RateLimitPolicy } from '@landfall/api'
import type { LocalRateLimit } from '../filters.ts'
import { type Checked, error, ok, type Problem, refused } from '../problem.ts'
import { headerNameProblem, headerValueProblem } from './header-limits.ts'
import { literally } from './headers.ts'

const intervals: Readonly<Record<string, number>> = { second: 1000, minute: 60_000, hour: 3_600_000 }

/** Envoy takes only statuses that it knows by name. */
const nameless = [418, 419, 420, 425, 427, 430, 509]

/** Envoy counts them in 32 bits. */
const mostTokens = 0xffffffff

function isKnown(status: number): boolean {
  return ((status >= 400 && status <= 431) || (status >= 500 && status <= 511)) && !nameless.includes(status)
}

/** @param type of the errors: whose policy it is */
export function readLocalRateLimit(
  field: string,
  type: 'VirtualHostError' | 'RouteError',
  policy: RateLimitPolicy | undefined,
): Checked<LocalRateLimit | undefined> {
  const local = policy?.local
  if (local === undefined) return ok(undefined)
  const problems: Problem[] = []
  const refuse = (at: string, why: string): void => {
    const message = `${field}.rateLimitPolicy.local.${at}: ${why}`
    problems.push(error(type, 'RateLimitPolicyNotValid', message))
  }
  const intervalMs = intervals[local.unit]
  if (local.requests <= 0) refuse('requests', `${local.requests} is not above 0`)
  if (intervalMs === undefined) refuse('unit', `"${local.unit}" is none of second, minute and hour`)
  const status = local.responseStatusCode || undefined
  if (status !== undefined && !isKnown(status))
    refuse('responseStatusCode', `${status} is no status that Envoy knows`)
  const { requests, burst = 0 } = local
  if (requests + burst > mostTokens) refuse('burst', `with requests it is above ${mostTokens}`)
  const headers = (local.responseHeadersToAdd ?? []).map(({ name, value }) => ({
    name,
    value: literally(value),
  }))
  for (const [index, { name, value }] of headers.entries()) {
    const at = `responseHeadersToAdd[${index}]`
    const badName = headerNameProblem(name)
    const badValue = headerValueProblem(value)
    if (badName !== undefined) refuse(`${at}.name`, badName)
    else if (name.toLowerCase() === 'host') refuse(`${at}.name`, '"Host" is not a header of responses')
    else if (badValue !== undefined) refuse(`${at}.value`, badValue)
  }
  if (problems.length > 0 || intervalMs === undefined) return refused(...problems)
  return ok({ burst, perInterval: requests, intervalMs, status, headers })
}
