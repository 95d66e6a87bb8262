/** What happens to a request on its route: timeouts, retries, balancing, rewrites, redirects, health checks. */
import { flag, int32, int64, list, object, oneOf, optional, type Shape, text } from '../schema/build.ts'
import { timeout } from './durations.ts'

export const timeoutPolicy = object({
  response: optional(timeout('From the whole request to the whole answer.')),
  idle: optional(timeout('Without any byte in either direction.')),
  idleConnection: optional(timeout('An upstream connection without a request.')),
})
export type TimeoutPolicy = Shape<typeof timeoutPolicy>

export const retryConditions = [
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'envoy-ratelimited',
  'retriable-4xx',
  'refused-stream',
  'retriable-status-codes',
  'retriable-headers',
  'http3-post-connect-failure',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
] as const

export const retryPolicy = object({
  count: optional(int64('Most retries; 0 means 1, -1 none.', { minimum: -1, default: 1 })),
  perTryTimeout: optional(timeout('Limit of each try.')),
  retryOn: optional(list(oneOf([...retryConditions]), 'What is retried.')),
  retriableStatusCodes: optional(list(int32('A status code.'), 'Statuses that are retried.')),
})
export type RetryPolicy = Shape<typeof retryPolicy>

export const httpHealthCheckPolicy = object({
  path: text('Path that is asked for.'),
  host: optional(text('Host header of the check; contour-envoy-healthcheck if not given.')),
  intervalSeconds: optional(int64('Between checks; 10 if not given.', { minimum: 0 })),
  timeoutSeconds: optional(int64('Limit of a check; 2 if not given.', { minimum: 0 })),
  unhealthyThresholdCount: optional(
    int64('Failures until an endpoint is left out; 3 if not given.', { minimum: 0 }),
  ),
  healthyThresholdCount: optional(int64('Successes until it is taken back; 2 if not given.', { minimum: 0 })),
  expectedStatuses: optional(
    list(
      object({
        start: int64('First status.', { minimum: 100, maximum: 599 }),
        end: int64('The status after the last.', { minimum: 101, maximum: 600 }),
      }),
      'Statuses that count as healthy.',
    ),
  ),
})
export type HTTPHealthCheckPolicy = Shape<typeof httpHealthCheckPolicy>

export const tcpHealthCheckPolicy = object({
  intervalSeconds: optional(int64('Between checks; 10 if not given.')),
  timeoutSeconds: optional(int64('Limit of a check; 2 if not given.')),
  unhealthyThresholdCount: optional(int32('Failures until an endpoint is left out; 3 if not given.')),
  healthyThresholdCount: optional(int32('Successes until it is taken back; 2 if not given.')),
})

export const loadBalancerPolicy = object({
  strategy: optional(text('RoundRobin, WeightedLeastRequest, Random, Cookie or RequestHash.')),
  requestHashPolicies: optional(
    list(
      object({
        terminal: optional(flag('Stop here when this gave a value.')),
        headerHashOptions: optional(
          object({ headerName: optional(text('Header whose value is hashed.', { minLength: 1 })) }),
        ),
        queryParameterHashOptions: optional(
          object({ parameterName: optional(text('Parameter whose value is hashed.', { minLength: 1 })) }),
        ),
        hashSourceIP: optional(flag("Hash the client's address.")),
      }),
      'What the hash is made of, in this order.',
    ),
  ),
})
export type LoadBalancerPolicy = Shape<typeof loadBalancerPolicy>

export const pathRewritePolicy = object({
  replacePrefix: optional(
    list(
      object({
        prefix: optional(text('Only for this routing prefix.', { minLength: 1 })),
        replacement: text('What the prefix becomes.', { minLength: 1 }),
      }),
      'Replacement of the prefix that was matched.',
    ),
  ),
})
export type PathRewritePolicy = Shape<typeof pathRewritePolicy>

const redirectStatus = [301, 302, 303, 307, 308] as const

export const requestRedirectPolicy = object({
  scheme: optional(oneOf(['http', 'https'])),
  hostname: optional(
    text('Host of the new location.', {
      minLength: 1,
      maxLength: 253,
      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
    }),
  ),
  port: optional(int32('Port of the new location.', { minimum: 1, maximum: 65535 })),
  statusCode: optional(oneOf([...redirectStatus], { default: 302 })),
  path: optional(text('Path of the new location.', { pattern: '^\\/.*$' })),
  prefix: optional(text('Replaces the prefix that was matched.', { pattern: '^\\/.*$' })),
})
export type RequestRedirectPolicy = Shape<typeof requestRedirectPolicy>

export const directResponsePolicy = object({
  statusCode: int32('Status of the answer.', { minimum: 200, maximum: 599 }),
  body: optional(text('Body of the answer.')),
})
export type DirectResponsePolicy = Shape<typeof directResponsePolicy>

export const internalRedirectPolicy = object({
  maxInternalRedirects: optional(int32('Most redirects that are followed.', { minimum: 0 })),
  redirectResponseCodes: optional(list(oneOf([...redirectStatus]), 'Statuses that are followed.')),
  allowCrossSchemeRedirect: optional(oneOf(['Always', 'Never', 'SafeOnly'], { default: 'Never' })),
  denyRepeatedRouteRedirect: optional(flag('Do not follow into a route that was taken already.')),
})
