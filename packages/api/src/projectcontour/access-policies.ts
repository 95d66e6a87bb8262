/** Who may call: external authorization, JWT, address filters, rate limits, CORS. */
import {
  flag,
  int32,
  list,
  object,
  oneOf,
  optional,
  rules,
  type Shape,
  text,
  textMap,
} from '../schema/build.ts'
import { durationOrZero, timeout } from './durations.ts'
import { upstreamValidation } from './service.ts'

export const authorizationPolicy = object({
  disabled: optional(flag('No authorization here.')),
  context: optional(textMap('Given to the authorization server with each request.')),
})
export type AuthorizationPolicy = Shape<typeof authorizationPolicy>

const allowedHeader = object({
  exact: optional(text('The name is this.')),
  prefix: optional(text('The name starts with this.')),
  suffix: optional(text('The name ends with this.')),
  contains: optional(text('The name contains this.')),
  ignoreCase: optional(flag('Compare without regard to case.')),
})

export const authorizationServer = object(
  {
    serviceType: optional(oneOf(['grpc', 'http'], { default: 'grpc' })),
    extensionRef: optional(
      object({
        apiVersion: optional(text('API version of the referent.', { minLength: 1 })),
        namespace: optional(text('Namespace of the ExtensionService.', { minLength: 1 })),
        name: optional(text('Name of the ExtensionService.', { minLength: 1 })),
      }),
    ),
    httpSettings: optional(
      object({
        pathPrefix: optional(text('Put before the path of each check.')),
        allowedAuthorizationHeaders: optional(
          list(allowedHeader, 'Request headers for the authorization server.'),
        ),
        allowedUpstreamHeaders: optional(list(allowedHeader, 'Headers of its answer for the backend.')),
      }),
    ),
    authPolicy: optional(authorizationPolicy),
    responseTimeout: optional(timeout('How long an answer may take.')),
    failOpen: optional(flag('Let requests through when the server does not answer.')),
    withRequestBody: optional(
      object({
        maxRequestBytes: optional(int32('Most bytes that are buffered.', { minimum: 1, default: 1024 })),
        allowPartialMessage: optional(flag('Check with what was buffered, when there is more.')),
        packAsBytes: optional(flag('Send the body as bytes, not as text.')),
      }),
    ),
  },
  rules({
    rule: "!has(self.httpSettings) || (has(self.serviceType) && self.serviceType == 'http')",
    message: 'httpSettings needs serviceType http',
  }),
)
export type AuthorizationServer = Shape<typeof authorizationServer>

export const ipFilter = object({
  source: oneOf(['Peer', 'Remote']),
  cidr: text('An address or a prefix.'),
})
export const ipAllowPolicy = list(ipFilter, 'Who may come in: whoever one of these names, and nobody else.')
export const ipDenyPolicy = list(ipFilter, 'Who may not come in: whoever one of these names.')
export type IPFilter = Shape<typeof ipFilter>

export const localRateLimit = object({
  requests: int32('Requests per unit.', { minimum: 1 }),
  unit: oneOf(['second', 'minute', 'hour']),
  burst: optional(int32('Requests above the rate that are let through at once.', { minimum: 0 })),
  responseStatusCode: optional(int32('Status of a refused request.', { minimum: 400, maximum: 599 })),
  responseHeadersToAdd: optional(
    list(
      object({
        name: text('Header name.', { minLength: 1 }),
        value: text('Header value.', { minLength: 1 }),
      }),
      'Headers of a refusal.',
    ),
  ),
})

const rateLimitHeaderMatch = object({
  name: text('Header name.', { minLength: 1 }),
  present: optional(flag('The header is there.')),
  notpresent: optional(flag('The header is not there.')),
  contains: optional(text('The value contains this.')),
  notcontains: optional(text('The value does not contain this.')),
  exact: optional(text('The value is this.')),
  notexact: optional(text('The value is not this.')),
  regex: optional(text('The whole value matches this RE2 expression.')),
  ignoreCase: optional(flag('Compare without regard to case.')),
  treatMissingAsEmpty: optional(flag('A missing header counts as an empty one.')),
})

const rateLimitDescriptorEntry = object({
  genericKey: optional(
    object({
      key: optional(text('Key of the entry.')),
      value: text('Value of the entry.', { minLength: 1 }),
    }),
  ),
  requestHeader: optional(
    object({
      headerName: text('Header whose value is sent.', { minLength: 1 }),
      descriptorKey: text('Key of the entry.', { minLength: 1 }),
    }),
  ),
  requestHeaderValueMatch: optional(
    object({
      headers: list(rateLimitHeaderMatch, 'All of these must match.', { minItems: 1 }),
      expectMatch: optional(flag('Whether they must match or must not.', true)),
      value: text('Value of the entry.', { minLength: 1 }),
    }),
  ),
  remoteAddress: optional(object({}, { description: 'The address of the client.' })),
})

export const globalRateLimit = object({
  disabled: optional(flag('No global rate limit here.')),
  descriptors: optional(
    list(
      object({
        entries: optional(list(rateLimitDescriptorEntry, 'Parts of the descriptor.', { minItems: 1 })),
      }),
      'Sent to the rate limit service.',
      { minItems: 1 },
    ),
  ),
})

export const rateLimitPolicy = object({ local: optional(localRateLimit), global: optional(globalRateLimit) })
export type RateLimitPolicy = Shape<typeof rateLimitPolicy>

export const corsPolicy = object({
  allowCredentials: optional(flag('Whether credentials may be sent.')),
  allowOrigin: list(text('`*`, an origin, or an RE2 expression.'), 'Origins that may call.', { minItems: 1 }),
  allowMethods: list(
    text('A method.', { pattern: "^[a-zA-Z0-9!#$%&'*+.^_`|~-]+$" }),
    'Methods that may be called.',
  ),
  allowHeaders: optional(list(text('A header name.'), 'Headers that may be sent.')),
  exposeHeaders: optional(list(text('A header name.'), 'Headers that scripts may read.')),
  maxAge: optional(durationOrZero('How long a preflight answer may be kept.')),
  allowPrivateNetwork: optional(flag('Whether a public page may call a private address.')),
})
export type CORSPolicy = Shape<typeof corsPolicy>

export const jwtProvider = object(
  {
    name: text('Unique name of the provider.', { minLength: 1 }),
    default: optional(flag('Applies where no other provider is named.')),
    issuer: optional(text('Issuer that tokens must carry.')),
    audiences: optional(list(text('An audience.'), 'Audiences of which a token must carry one.')),
    remoteJWKS: optional(
      object({
        uri: text('Where the keys are.', { minLength: 1 }),
        validation: optional(upstreamValidation),
        timeout: optional(timeout('How long fetching may take.')),
        cacheDuration: optional(timeout('How long keys are kept.')),
        dnsLookupFamily: optional(oneOf(['auto', 'v4', 'v6', 'all'])),
      }),
    ),
    localJWKS: optional(
      object({
        secretName: text('Secret with the keys.', { minLength: 1 }),
        key: text('Key of the Secret.'),
      }),
    ),
    forwardJWT: optional(flag('Send the token on to the backend.')),
  },
  rules({
    rule: 'has(self.remoteJWKS) != has(self.localJWKS)',
    message: 'exactly one of remoteJWKS and localJWKS is needed',
  }),
)
export type JWTProvider = Shape<typeof jwtProvider>

export const jwtVerificationPolicy = object({
  require: optional(text('Name of the provider whose token is required.')),
  disabled: optional(flag('No token needed.')),
})
