/** Settings of what Envoy asks or tells by an ExtensionService: authorization, global rate limits, traces. */
import { globalRateLimitPolicy } from './rate-limit-policy.ts'
import {
  choice,
  flag,
  full,
  isEmpty,
  list,
  pattern,
  type Reader,
  shaped,
  text,
  textMap,
  unless,
  whole,
} from './readers.ts'
import { both, live, type Setting } from './setting.ts'
import { customTags, percent } from './tracing-tags.ts'

const count = whole(1)
const extension = unless(isEmpty, pattern(/^[^/]+\/[^/]+$/, 'must be namespace/name of an ExtensionService'))
const headerName = shaped({ exact: text, prefix: text, suffix: text, contains: text, ignoreCase: flag })

function authorization<T>(read: Reader<T>, name: string): Setting<T> {
  return both(read, `globalExtAuth.${name}`, `globalExtAuth.${name}`)
}

export const authorizing = {
  authService: live(extension, { file: 'globalExtAuth.extensionService' }),
  authServiceApi: live(choice('projectcontour.io/v1alpha1'), {
    object: 'globalExtAuth.extensionRef.apiVersion',
  }),
  authServiceName: live(text, { object: 'globalExtAuth.extensionRef.name' }),
  authServiceNamespace: live(text, { object: 'globalExtAuth.extensionRef.namespace' }),
  authServiceType: authorization(choice('grpc', 'http'), 'serviceType'),
  authHttp: authorization(
    shaped({
      pathPrefix: text,
      allowedAuthorizationHeaders: list(headerName),
      allowedUpstreamHeaders: list(headerName),
    }),
    'httpSettings',
  ),
  authPolicy: authorization(shaped({ disabled: flag, context: textMap }), 'authPolicy'),
  authTimeout: authorization(text, 'responseTimeout'),
  authFailOpen: authorization(flag, 'failOpen'),
  authBody: authorization(
    shaped({ maxRequestBytes: count, allowPartialMessage: flag, packAsBytes: flag }),
    'withRequestBody',
  ),
}

export const rateLimiting = {
  rateLimitService: live(extension, { file: 'rateLimitService.extensionService' }),
  rateLimitServiceName: live(text, { object: 'rateLimitService.extensionService.name' }),
  rateLimitServiceNamespace: live(text, { object: 'rateLimitService.extensionService.namespace' }),
  rateLimitDomain: both(unless(isEmpty, text), 'rateLimitService.domain', 'rateLimitService.domain'),
  rateLimitFailOpen: both(flag, 'rateLimitService.failOpen', 'rateLimitService.failOpen'),
  rateLimitHeaders: both(
    flag,
    'rateLimitService.enableXRateLimitHeaders',
    'rateLimitService.enableXRateLimitHeaders',
  ),
  rateLimitExhausted: both(
    flag,
    'rateLimitService.enableResourceExhaustedCode',
    'rateLimitService.enableResourceExhaustedCode',
  ),
  rateLimitPolicy: both(
    globalRateLimitPolicy,
    'rateLimitService.defaultGlobalRateLimitPolicy',
    'rateLimitService.defaultGlobalRateLimitPolicy',
  ),
}

function traces<T>(read: Reader<T>, name: string): Setting<T> {
  return both(read, `tracing.${name}`, `tracing.${name}`)
}

export const tracing = {
  tracingService: live(extension, { file: 'tracing.extensionService' }),
  tracingServiceName: live(text, { object: 'tracing.extensionService.name' }),
  tracingServiceNamespace: live(text, { object: 'tracing.extensionService.namespace' }),
  tracingPodDetail: traces(flag, 'includePodDetail'),
  tracingName: traces(full, 'serviceName'),
  tracingOverall: traces(percent, 'overallSampling'),
  tracingClient: traces(percent, 'clientSampling'),
  tracingRandom: traces(percent, 'randomSampling'),
  tracingPathLength: traces(whole(0), 'maxPathTagLength'),
  tracingTags: traces(customTags, 'customTags'),
}
