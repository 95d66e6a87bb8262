/** The custom resources as programs see them: names and types. Definitions are in `@landfall/api/crd`. */
export { type Converted, convertBGPPeer } from './bgp-peer-conversion.ts'
export { parseGoDuration } from './go-duration.ts'
export * from './identity.ts'
export type {
  AdvertisementStatus,
  BGPAdvertisement,
  BGPAdvertisementSpec,
  L2Advertisement,
  L2AdvertisementSpec,
} from './metallb/advertisements.ts'
export type { BFDProfile, BFDProfileSpec } from './metallb/bfd-profile.ts'
export type { BGPPeer, BGPPeerSpec, BGPPeerStatus } from './metallb/bgp-peer.ts'
export type { BGPSessionStatus, BGPSessionStatusStatus } from './metallb/bgp-session-status.ts'
export type { Community, CommunitySpec } from './metallb/community.ts'
export type { ConfigurationState, ConfigurationStateStatus } from './metallb/configuration-state.ts'
export type { IPAddressPool, IPAddressPoolSpec, IPAddressPoolStatus } from './metallb/ip-address-pool.ts'
export type {
  ServiceBGPStatus,
  ServiceBGPStatusStatus,
  ServiceL2Status,
  ServiceL2StatusStatus,
} from './metallb/service-statuses.ts'
export type {
  AuthorizationPolicy,
  AuthorizationServer,
  CORSPolicy,
  IPFilter,
  JWTProvider,
  RateLimitPolicy,
} from './projectcontour/access-policies.ts'
export type {
  ContourConfiguration,
  ContourConfigurationSpec,
  ContourConfigurationStatus,
} from './projectcontour/contour-configuration.ts'
export type {
  ExtensionService,
  ExtensionServiceSpec,
  ExtensionServiceStatus,
} from './projectcontour/extension-service.ts'
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
export { retryConditions } from './projectcontour/route-policies.ts'
export type { HTTPProxyService, UpstreamValidation } from './projectcontour/service.ts'
export type {
  TLSCertificateDelegation,
  TLSCertificateDelegationSpec,
} from './projectcontour/tls-certificate-delegation.ts'
export type { Condition, DetailedCondition, SubCondition } from './schema/condition.ts'
export type { LabelSelector } from './schema/label-selector.ts'
