/** `healthCheckPolicy` of a route, or of a TCP proxy. */
import type { HTTPProxyRoute, HTTPProxyTCPProxy } from '@landfall/api'
import type { HealthCheck } from '../cluster.ts'
import { goDuration } from '../go-duration.ts'
import { type Checked, error, ok, type Problem, refused } from '../problem.ts'
import { hasControl } from './control-characters.ts'

/** What is not given. */
export const usualHealthCheck = {
  intervalSeconds: 10,
  timeoutSeconds: 2,
  unhealthyThreshold: 3,
  healthyThreshold: 2,
  host: 'contour-envoy-healthcheck',
} as const
const { intervalSeconds, timeoutSeconds, unhealthyThreshold, healthyThreshold, host } = usualHealthCheck
const longestSeconds = 315_576_000_000

export function readHealthCheck(
  field: string,
  policy: HTTPProxyRoute['healthCheckPolicy'],
): Checked<HealthCheck | undefined> {
  if (policy === undefined) return ok(undefined)
  const problems: Problem[] = []
  const refuse = (at: string, why: string): void => {
    problems.push(error('RouteError', 'HealthCheckPolicyInvalid', `${field}.healthCheckPolicy.${at}: ${why}`))
  }
  if (!policy.path.startsWith('/')) refuse('path', `"${policy.path}" does not start with /`)
  if (hasControl(policy.path)) refuse('path', 'control characters are no path')
  if (hasControl(policy.host ?? '')) refuse('host', 'control characters are no name of a host')
  const seconds = (name: 'intervalSeconds' | 'timeoutSeconds', initial: number): number => {
    const value = policy[name] ?? 0
    if (value > longestSeconds) refuse(name, `${value} is too long`)
    return value > 0 ? value : initial
  }
  const count = (name: 'unhealthyThresholdCount' | 'healthyThresholdCount', initial: number): number => {
    const value = policy[name] ?? 0
    if (value > 0xffffffff) refuse(name, `${value} is too many`)
    return value > 0 ? value : initial
  }
  for (const [index, { start, end }] of (policy.expectedStatuses ?? []).entries()) {
    if (start >= end) refuse(`expectedStatuses[${index}]`, `start ${start} is not below end ${end}`)
  }
  const check: HealthCheck = {
    kind: 'http',
    path: policy.path,
    host: policy.host || host,
    intervalSeconds: seconds('intervalSeconds', intervalSeconds),
    timeoutSeconds: seconds('timeoutSeconds', timeoutSeconds),
    unhealthyThreshold: count('unhealthyThresholdCount', unhealthyThreshold),
    healthyThreshold: count('healthyThresholdCount', healthyThreshold),
    expected: policy.expectedStatuses ?? [],
  }
  return problems.length > 0 ? refused(...problems) : ok(check)
}

/** What is given of it, as Contour puts it into the name of a cluster. */
export function writtenHealthCheck(policy: HTTPProxyRoute['healthCheckPolicy']): string {
  if (policy === undefined) return ''
  const { timeoutSeconds = 0, intervalSeconds: between = 0, path } = policy
  const { unhealthyThresholdCount = 0, healthyThresholdCount = 0 } = policy
  const times = [timeoutSeconds, between].map((seconds) => (seconds > 0 ? goDuration(seconds * 1000) : ''))
  const counts = [unhealthyThresholdCount, healthyThresholdCount].map((count) =>
    count > 0 ? `${count}` : '',
  )
  return [...times, ...counts, path].join('')
}

export function readTcpHealthCheck(
  field: string,
  policy: HTTPProxyTCPProxy['healthCheckPolicy'],
): Checked<HealthCheck | undefined> {
  if (policy === undefined) return ok(undefined)
  const problems: Problem[] = []
  const read = (name: keyof NonNullable<typeof policy>, initial: number, longest: number): number => {
    const value = policy[name] ?? 0
    if (value >= 0 && value <= longest) return value === 0 ? initial : value
    const message = `${field}.healthCheckPolicy.${name}: ${value} is out of bounds`
    problems.push(error('TCPProxyError', 'HealthCheckPolicyInvalid', message))
    return initial
  }
  const check: HealthCheck = {
    kind: 'tcp',
    intervalSeconds: read('intervalSeconds', intervalSeconds, longestSeconds),
    timeoutSeconds: read('timeoutSeconds', timeoutSeconds, longestSeconds),
    unhealthyThreshold: read('unhealthyThresholdCount', unhealthyThreshold, 0xffffffff),
    healthyThreshold: read('healthyThresholdCount', healthyThreshold, 0xffffffff),
  }
  return problems.length > 0 ? refused(...problems) : ok(check)
}
