/** A Service that takes traffic of a route. */
import { flag, int32, int64, list, object, oneOf, optional, type Shape, text } from '../schema/build.ts'
import { duration } from './durations.ts'
import { cookieRewritePolicies, headersPolicy } from './header-policies.ts'

/** That subjectName, where it is given too, is the first of subjectNames is left to the status: too dear in CEL. */
export const upstreamValidation = object({
  caSecret: text('Secret with ca.crt, `namespace/name` when it is delegated.', {
    minLength: 1,
    maxLength: 317,
  }),
  subjectName: optional(text('Subject alternative name that the backend must present.', { maxLength: 250 })),
  subjectNames: optional(
    list(
      text('A subject alternative name.', { maxLength: 250 }),
      'Names of which the backend must present one.',
      {
        minItems: 1,
        maxItems: 8,
      },
    ),
  ),
})
export type UpstreamValidation = Shape<typeof upstreamValidation>

export const slowStartPolicy = object({
  window: duration('How long a new endpoint takes to get its full share.'),
  aggression: optional(
    text('Shape of the growth; 1.0 is linear.', {
      pattern: String.raw`^([0-9]+([.][0-9]+)?|[.][0-9]+)$`,
      default: '1.0',
    }),
  ),
  minWeightPercent: optional(int32('Share at the beginning.', { minimum: 0, maximum: 100, default: 10 })),
})

export const httpProxyService = object({
  name: text('Name of the Service.'),
  port: int32('Port of the Service.', { minimum: 1, maximum: 65535 }),
  healthPort: optional(int32('Port that health checks use.', { minimum: 1, maximum: 65535 })),
  protocol: optional(oneOf(['h2', 'h2c', 'tls'])),
  weight: optional(int64('Share of the traffic; for a mirror the percentage.', { minimum: 0 })),
  validation: optional(upstreamValidation),
  mirror: optional(flag('Gets a copy of the traffic; its answers are dropped.')),
  requestHeadersPolicy: optional(headersPolicy),
  responseHeadersPolicy: optional(headersPolicy),
  cookieRewritePolicies: optional(cookieRewritePolicies),
  slowStartPolicy: optional(slowStartPolicy),
})
export type HTTPProxyService = Shape<typeof httpProxyService>
