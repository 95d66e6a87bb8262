/**
 * projectcontour.io/v1 HTTPProxy, with every field that users' objects may carry: what is not honoured must be
 * refused with a reason in the status, so nothing may be pruned on the way in.
 */
import type { KubeObject } from '@landfall/kube/model'
import { flag, int32, list, object, oneOf, optional, type Shape, text } from '../schema/build.ts'
import { detailedConditions } from '../schema/condition.ts'
import {
  authorizationPolicy,
  authorizationServer,
  corsPolicy,
  ipAllowPolicy,
  ipDenyPolicy,
  jwtProvider,
  jwtVerificationPolicy,
  rateLimitPolicy,
} from './access-policies.ts'
import { clientCertificateDetails, cookieRewritePolicies, headersPolicy } from './header-policies.ts'
import { matchCondition } from './match-condition.ts'
import {
  directResponsePolicy,
  httpHealthCheckPolicy,
  internalRedirectPolicy,
  loadBalancerPolicy,
  pathRewritePolicy,
  requestRedirectPolicy,
  retryPolicy,
  tcpHealthCheckPolicy,
  timeoutPolicy,
} from './route-policies.ts'
import { httpProxyService } from './service.ts'

const domainName = '^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'

export const httpProxyTLS = object({
  secretName: optional(text('Secret with the certificate, `namespace/name` when it is delegated.')),
  minimumProtocolVersion: optional(text('Lowest TLS version: 1.2 or 1.3.')),
  maximumProtocolVersion: optional(text('Highest TLS version: 1.2 or 1.3.')),
  passthrough: optional(flag('Hand the TLS stream on as it is.')),
  clientValidation: optional(
    object({
      caSecret: optional(
        text('Secret with the ca.crt that client certificates are checked against.', { minLength: 1 }),
      ),
      skipClientCertValidation: optional(flag('Ask for a certificate but do not check it.')),
      forwardClientCertificate: optional(clientCertificateDetails),
      crlSecret: optional(text('Secret with the revocation list crl.pem.', { minLength: 1 })),
      crlOnlyVerifyLeafCert: optional(flag('Look only for the leaf in the revocation list.')),
      optionalClientCertificate: optional(flag('A client may come without a certificate.')),
    }),
  ),
  enableFallbackCertificate: optional(flag('Serve clients without SNI with the fallback certificate.')),
})
export type HTTPProxyTLS = Shape<typeof httpProxyTLS>

export const virtualHost = object({
  fqdn: text('Host name, or `*.` and a domain.', { minLength: 1, pattern: domainName }),
  tls: optional(httpProxyTLS),
  authorization: optional(authorizationServer),
  corsPolicy: optional(corsPolicy),
  rateLimitPolicy: optional(rateLimitPolicy),
  jwtProviders: optional(list(jwtProvider, 'Issuers of tokens.')),
  ipAllowPolicy: optional(ipAllowPolicy),
  ipDenyPolicy: optional(ipDenyPolicy),
})
export type HTTPProxyVirtualHost = Shape<typeof virtualHost>

export const httpProxyRoute = object({
  conditions: optional(list(matchCondition, 'All of these must hold.')),
  services: optional(list(httpProxyService, 'Where the traffic goes.')),
  enableWebsockets: optional(flag('Allow the websocket upgrade.')),
  permitInsecure: optional(flag('Serve over plain HTTP too, instead of a redirect.')),
  authPolicy: optional(authorizationPolicy),
  timeoutPolicy: optional(timeoutPolicy),
  retryPolicy: optional(retryPolicy),
  healthCheckPolicy: optional(httpHealthCheckPolicy),
  loadBalancerPolicy: optional(loadBalancerPolicy),
  pathRewritePolicy: optional(pathRewritePolicy),
  requestHeadersPolicy: optional(headersPolicy),
  responseHeadersPolicy: optional(headersPolicy),
  cookieRewritePolicies: optional(cookieRewritePolicies),
  rateLimitPolicy: optional(rateLimitPolicy),
  requestRedirectPolicy: optional(requestRedirectPolicy),
  directResponsePolicy: optional(directResponsePolicy),
  internalRedirectPolicy: optional(internalRedirectPolicy),
  jwtVerificationPolicy: optional(jwtVerificationPolicy),
  ipAllowPolicy: optional(ipAllowPolicy),
  ipDenyPolicy: optional(ipDenyPolicy),
})
export type HTTPProxyRoute = Shape<typeof httpProxyRoute>

export const httpProxyInclude = object({
  name: text('Name of the included HTTPProxy.', { minLength: 1 }),
  namespace: optional(text('Its namespace; the same one by default.')),
  conditions: optional(list(matchCondition, 'Put before the conditions of its routes.')),
})
export type HTTPProxyInclude = Shape<typeof httpProxyInclude>

const tcpProxyInclude = object({
  name: text('Name of the included HTTPProxy.'),
  namespace: optional(text('Its namespace; the same one by default.')),
})

export const tcpProxy = object({
  loadBalancerPolicy: optional(loadBalancerPolicy),
  services: optional(list(httpProxyService, 'Where the connections go.')),
  include: optional(tcpProxyInclude),
  includes: optional(tcpProxyInclude),
  healthCheckPolicy: optional(tcpHealthCheckPolicy),
})
export type HTTPProxyTCPProxy = Shape<typeof tcpProxy>

export const httpProxySpec = object({
  virtualhost: optional(virtualHost),
  routes: optional(list(httpProxyRoute, 'Routes of HTTP traffic.')),
  tcpproxy: optional(tcpProxy),
  includes: optional(list(httpProxyInclude, 'Other HTTPProxies that take part of the traffic.')),
  ingressClassName: optional(text('The ingress class that is meant to serve this object.')),
})
export type HTTPProxySpec = Shape<typeof httpProxySpec>

const portStatus = object({
  port: int32('The port.'),
  protocol: oneOf(['TCP', 'UDP', 'SCTP']),
  error: optional(text('What is wrong with the port.', { maxLength: 316 })),
})

/** core/v1 LoadBalancerStatus. */
export const loadBalancerStatus = object({
  ingress: optional(
    list(
      object({
        ip: optional(text('An address.')),
        hostname: optional(text('A host name.')),
        ipMode: optional(text('VIP or Proxy.')),
        ports: optional(list(portStatus, 'State of each port.', { 'x-kubernetes-list-type': 'atomic' })),
      }),
      'Where traffic comes in.',
      { 'x-kubernetes-list-type': 'atomic' },
    ),
  ),
})

export const httpProxyStatus = object({
  currentStatus: optional(text('valid, invalid or orphaned.')),
  description: optional(text('The same for people.')),
  loadBalancer: optional(loadBalancerStatus),
  conditions: optional(detailedConditions),
})
export type HTTPProxyStatus = Shape<typeof httpProxyStatus>

export interface HTTPProxy extends KubeObject {
  readonly spec: HTTPProxySpec
  readonly status?: HTTPProxyStatus
}
