/** The custom resources as programs see them: names and types. Definitions are in `@landfall/api/crd`. */
export * from './identity.ts'
export type {
  AuthorizationPolicy,
  AuthorizationServer,
  CORSPolicy,
  IPFilter,
  JWTProvider,
  RateLimitPolicy,
} from './projectcontour/access-policies.ts'
export type { CookieRewritePolicy, HeadersPolicy } from './projectcontour/header-policies.ts'
export type {
  HTTPProxy,
  HTTPProxyInclude,
  HTTPProxyRoute,
  HTTPProxySpec,
  HTTPProxyStatus,
  HTTPProxyTCPProxy,
  HTTPProxyTLS,
  HTTPProxyVirtualHost,
} from './projectcontour/http-proxy.ts'
export type {
  HeaderCondition,
  MatchCondition,
  QueryParameterCondition,
} from './projectcontour/match-condition.ts'
export type {
  DirectResponsePolicy,
  HTTPHealthCheckPolicy,
  LoadBalancerPolicy,
  PathRewritePolicy,
  RequestRedirectPolicy,
  RetryPolicy,
  TimeoutPolicy,
} from './projectcontour/route-policies.ts'
export type { HTTPProxyService, UpstreamValidation } from './projectcontour/service.ts'
export type {
  TLSCertificateDelegation,
  TLSCertificateDelegationSpec,
} from './projectcontour/tls-certificate-delegation.ts'
export type { Condition, DetailedCondition, SubCondition } from './schema/condition.ts'
