/** What the reasons of HTTPProxies, Ingresses and ExtensionServices mean, and what to do. */

export type Meaning = readonly [meaning: string, next?: string]

const named = 'Correct the field that the message names.'

export const ingressMeanings: Readonly<Record<string, Meaning>> = {
  AmbiguousReplacement: [
    'Two entries of replacePrefix have no prefix.',
    'Keep one, or say of each which prefix it replaces.',
  ],
  AuthBadAllowedHeader: ['A header for the authorization server has no valid name.', named],
  AuthBadPathPrefix: ['The path of the authorization server does not start with /.', named],
  AuthBadResourceVersion: ['extensionRef has another apiVersion than that of ExtensionServices.', named],
  AuthContextForHTTP: [
    'An authorization server that speaks HTTP gets no context.',
    'Leave the context out, or use a server that speaks gRPC.',
  ],
  AuthNotPermitted: [
    'Only a host that ends TLS can ask an authorization server.',
    'Give the host TLS with a Secret, or leave the authorization out.',
  ],
  AuthResponseTimeoutInvalid: ['The time for an answer is no duration.', 'Write it as 500ms or 2s.'],
  CACertificateNotDelegated: [
    'The authority is in another namespace, which does not lend it.',
    'Create a TLSCertificateDelegation in the namespace of the Secret.',
  ],
  ClientValidationInvalid: [
    'The authority or the list for the certificates of clients is missing or invalid.',
    'Create the Secret that the message names, or correct it.',
  ],
  CookieRewritePoliciesInvalid: [
    'A cookie is rewritten twice, or to a value that a cookie cannot have.',
    named,
  ],
  DelegationNotPermitted: ['The Secret is in another namespace, which does not lend it.'],
  DirectResponseNotValid: ['The answer has a status or a body that Envoy cannot send.', named],
  DuplicateMatchConditions: [
    'Two includes have the same conditions, so that the second takes nothing.',
    'Change the conditions of one of the two.',
  ],
  DuplicateProviderName: ['Two providers of tokens have one name.', 'Rename one of the two.'],
  DuplicateReplacement: ['Two entries of replacePrefix have the same prefix.', 'Delete one of the two.'],
  DuplicateVhost: ['Another object has the host already.'],
  EnvoyRefused: ['An Envoy does not take what was made of the object.'],
  ExtensionServiceNotFound: [
    'The ExtensionService that is named does not exist, or is invalid.',
    'Create it, or correct the name; its own condition says what is wrong with it.',
  ],
  FallbackNotDelegated: [
    'The fallback certificate is in another namespace, which does not lend it.',
    'Create a TLSCertificateDelegation in the namespace of that Secret.',
  ],
  FallbackNotPresent: [
    'The host asks for the fallback certificate, and none is configured.',
    'Set tls.fallback-certificate in the configuration of serve, or leave enableFallbackCertificate out.',
  ],
  FallbackNotValid: [
    'The fallback certificate is missing or invalid.',
    'Correct the Secret that the message names.',
  ],
  HeaderMatchConditionsNotValid: ['A condition on headers cannot be met, or cannot be read.', named],
  HealthCheckPolicyInvalid: ['The health check has a value that it cannot have.', named],
  IPFilterPolicyNotValid: ['None of the rules on addresses can be read.', named],
  IgnoredField: ['The field has no effect here; the rest of the object is served.', 'Leave it out.'],
  IncludeCreatesCycle: [
    'HTTPProxies include each other in a circle.',
    'Take out one of the includes of the circle.',
  ],
  IncludeNotFound: ['The HTTPProxy that is included does not exist.'],
  IncompatibleIPAddressFilters: [
    'Addresses are both allowed and denied by list.',
    'Keep one of the two lists.',
  ],
  InconsistentProtocol: [
    'TLS to the backend is asked for, and its protocol has none.',
    'Set the protocol h2, or leave out validation.',
  ],
  InvalidCIDR: ['What is to be a prefix of addresses is none.', 'Write it as 192.0.2.0/24.'],
  InvalidJWTVerificationPolicy: [
    'The route both requires and disables tokens.',
    'Keep one of require and disabled.',
  ],
  JWKSSourceConflict: ['The provider has two sources of keys.', 'Keep one of remoteJWKS and localJWKS.'],
  JWKSSourceMissing: ['The provider has no source of keys.', 'Set remoteJWKS or localJWKS.'],
  JWTProviderNotDefined: [
    'The route requires a provider that the host does not define.',
    'Define it under virtualhost.jwtProviders, or correct the name.',
  ],
  JWTVerificationNotPermitted: [
    'Only a host that ends TLS can check tokens.',
    'Give the host TLS with a Secret, or leave the providers out.',
  ],
  LoadBalancerPolicyNotValid: ['The way in which requests are spread cannot be read.', named],
  LocalJWKSInvalid: [
    'The Secret with the keys of tokens is missing, or has none.',
    'Correct the Secret that the message names.',
  ],
  MultipleDefaultProvidersSpecified: [
    'Two providers of tokens are the default.',
    'Set default: true on one alone.',
  ],
  MustHavePrefix: [
    'replacePrefix is on a route that matches by something else than a prefix.',
    'Give the route a prefix, or use another rewrite.',
  ],
  NoServicesAndInclude: ['tcpproxy has both services and an include.', 'Keep one of the two.'],
  NothingDefined: [
    'The object says of nothing where requests go.',
    'Give it routes, includes or a tcpproxy with services.',
  ],
  OnlyOneMirror: ['A route has more than one mirror.', 'Keep mirror: true on one Service.'],
  Orphaned: ['The HTTPProxy has no host of its own, and no other includes it.'],
  PathMatchConditionsNotValid: ['A condition on the path cannot be met, or cannot be read.', named],
  PolicyDidNotParse: ['The CORS policy has a value that cannot be read.', named],
  QueryParameterMatchConditionsNotValid: [
    'A condition on the query cannot be met, or cannot be read.',
    named,
  ],
  RateLimitPolicyNotValid: ['The limit of requests has a value that it cannot have.', named],
  RegexesTooLarge: [
    'The regular expressions of the HTTPProxy are too large together.',
    'Repeat less by numbers like {1000}, or spread the routes over more objects.',
  ],
  RemoteJWKSCACertificateNotDelegated: [
    'The authority of the server with the keys is in another namespace, which does not lend it.',
    'Create a TLSCertificateDelegation in the namespace of the Secret.',
  ],
  RemoteJWKSCacheDurationInvalid: ['How long keys are kept is no duration.', 'Write it as 5m.'],
  RemoteJWKSPortInvalid: ['The URI of the keys has no valid port.', named],
  RemoteJWKSSchemeInvalid: ['The URI of the keys is neither http nor https.', named],
  RemoteJWKSTimeoutInvalid: ['The time for fetching keys is no duration.', 'Write it as 1s.'],
  RemoteJWKSURIInvalid: ['The URI of the keys is none.', named],
  RemoteJWKSUpstreamValidationInvalid: [
    'The server with the keys cannot be verified as asked for.',
    'Correct the authority or the name that the message names.',
  ],
  ReplacementNotValid: ['The prefix to write in place has characters that a path cannot have.', named],
  RequestHeadersPolicyInvalid: ['A header of requests cannot be set or removed so.', named],
  RequestRedirectPolicy: ['The redirect has a value that it cannot have.', named],
  ResponseHeaderPolicyInvalid: ['A header of responses cannot be set or removed so.', named],
  ResponseHeadersPolicyInvalid: ['A header of responses cannot be set or removed so.', named],
  RootIncludesRoot: [
    'An HTTPProxy with a host includes another with a host.',
    'Take virtualhost out of the included one.',
  ],
  RootProxyNotAllowedInNamespace: [
    'Hosts may be defined in certain namespaces only (--root-namespaces), not in this.',
  ],
  RouteActionCountNotValid: [
    'A route has none, or more than one, of services, requestRedirectPolicy and directResponsePolicy.',
    'Keep exactly one of the three.',
  ],
  SecretNotValid: ['The Secret of the certificate is missing, or its certificate and key cannot be used.'],
  ServiceUnresolvedReference: ['The Service that is named, or its port, does not exist.'],
  ServiceWeightsNotValid: [
    'The weights of the Services add up to nothing, or to too much.',
    'Give at least one Service a weight above 0.',
  ],
  SlowStartInvalid: ['The slow start has a value that it cannot have.', named],
  TLSConfigNotValid: [
    'A TLS version is unknown, or the lowest is above the highest; as a warning, the default is used.',
    named,
  ],
  TLSIncompatibleFeatures: [
    'Two settings of TLS exclude each other.',
    'Keep one of those that the message names.',
  ],
  TLSMustBeConfigured: [
    'A stream of TCP needs TLS, to tell the host by its name.',
    'Set virtualhost.tls, with a Secret or passthrough: true.',
  ],
  TLSUpstreamValidation: [
    'The certificate of the backend cannot be verified as asked for.',
    'Correct caSecret or subjectName: the message names which.',
  ],
  TimeoutPolicyNotValid: ['A timeout is no duration.', 'Write it as 500ms, 30s or infinity.'],
  TooManyIncludes: [
    'The same HTTPProxies are included too often below one another: the include that the message names is left out.',
    'Include each less often, or write its routes once.',
  ],
  UncheckedOverHTTP: [
    'Over plain HTTP the route is served without the check.',
    'Leave out permitInsecure, so that HTTP redirects to HTTPS.',
  ],
  UnsupportedProtocol: ['The protocol of the Service is unknown.', 'Use h2, h2c or tls.'],
  UnsupportedServiceType: [
    'An ExtensionService leads to a Service of type ExternalName.',
    'Use a Service with endpoints.',
  ],
  UpstreamNotVerified: [
    'The connection is encrypted, and nobody checks who answers; as an error, the configuration demands a check.',
    'Set validation with caSecret and subjectName.',
  ],
}
