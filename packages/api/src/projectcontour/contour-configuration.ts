/**
 * projectcontour.io/v1alpha1 ContourConfiguration: what `contour.yaml` says, as an object. Words and limits are checked
 * by the program that reads it, which answers in the object's status; fields that it cannot honour yet are here too, so
 * that the API server does not drop them unseen.
 */
import type { KubeObject } from '@landfall/kube/model'
import { flag, int32, int64, list, object, optional, type Shape, text, textMap } from '../schema/build.ts'
import { detailedConditions } from '../schema/condition.ts'
import { authorizationServer, rateLimitPolicy } from './access-policies.ts'

const port = (description: string) => optional(int32(description, { minimum: 1, maximum: 65535 }))
const address = (description: string) => optional(text(description, { minLength: 1 }))
const word = (description: string) => optional(text(description))
const words = (description: string) => optional(list(text('One of them.'), description))
const yes = (description: string) => optional(flag(description))
const count = (description: string) => optional(int64(description, { minimum: 1, maximum: 4294967295 }))

const reference = object({
  name: text('Name of the object.'),
  namespace: text('Its namespace.'),
})

const tlsFiles = {
  caFile: word('File of the authority of clients.'),
  certFile: word('File of the certificate.'),
  keyFile: word('File of its key.'),
}

const endpoint = { address: address('What is listened on.'), port: port('Its port.') }

const listener = optional(object({ ...endpoint, accessLog: word('File of the access log.') }))

const tls = {
  minimumProtocolVersion: word('"1.2" or "1.3".'),
  maximumProtocolVersion: word('"1.2" or "1.3".'),
  cipherSuites: words('Cipher suites of TLS 1.2.'),
  ecdhCurves: words('Curves of the key exchange.'),
}

const envoyListener = object({
  useProxyProtocol: yes('Clients come through a proxy that speaks the PROXY protocol.'),
  disableAllowChunkedLength: yes('Content-Length beside chunked encoding is refused.'),
  disableMergeSlashes: yes('Slashes that follow each other stay.'),
  serverHeaderTransformation: word('overwrite, append_if_absent or pass_through.'),
  connectionBalancer: word('exact, or empty.'),
  maxRequestsPerConnection: count('Requests after which a connection of a client is closed.'),
  'per-connection-buffer-limit-bytes': count('Bytes buffered for a connection.'),
  maxRequestsPerIOCycle: count('Requests that a connection gets served in one turn.'),
  httpMaxConcurrentStreams: count('Streams of an HTTP/2 connection at a time.'),
  maxConnectionsPerListener: count('Connections of a listener at a time.'),
  maxConnectionsToAcceptPerSocketEvent: count('Connections accepted in one turn.'),
  tls: optional(
    object({
      ...tls,
      certificates: word('"chains" or "on-demand": how Envoys get the certificates of hosts.'),
      fingerprint: optional(
        object({ ja3: yes('JA3 fingerprints are known.'), ja4: yes('JA4 fingerprints are known.') }),
      ),
    }),
  ),
  compression: optional(object({ algorithm: word('gzip, brotli, zstd or disabled.') })),
  socketOptions: optional(
    object({
      tos: optional(int32('Type of service of IPv4 packets.', { minimum: 0, maximum: 255 })),
      trafficClass: optional(int32('Traffic class of IPv6 packets.', { minimum: 0, maximum: 255 })),
    }),
  ),
})

const envoyCluster = object({
  dnsLookupFamily: word('auto, v4, v6 or all.'),
  maxRequestsPerConnection: count('Requests after which a connection to a backend is closed.'),
  'per-connection-buffer-limit-bytes': count('Bytes buffered for a connection.'),
  circuitBreakers: optional(
    object({
      maxConnections: optional(int64('Connections.', { minimum: 0, maximum: 4294967295 })),
      maxPendingRequests: optional(int64('Requests that wait.', { minimum: 0, maximum: 4294967295 })),
      maxRequests: optional(int64('Requests.', { minimum: 0, maximum: 4294967295 })),
      maxRetries: optional(int64('Retries.', { minimum: 0, maximum: 4294967295 })),
      perHostMaxConnections: optional(
        int64('Connections to one endpoint.', { minimum: 0, maximum: 4294967295 }),
      ),
    }),
  ),
  upstreamTLS: optional(
    object({ ...tls, requireValidation: yes('Backends whose certificate nobody checks are not served.') }),
  ),
})

const envoy = object({
  listener: optional(envoyListener),
  service: optional(reference),
  http: listener,
  https: listener,
  health: optional(object(endpoint)),
  metrics: optional(object({ ...endpoint, tls: optional(object(tlsFiles)) })),
  omEnforcedHealth: optional(object(endpoint)),
  clientCertificate: optional(reference),
  logging: optional(
    object({
      accessLogFormat: word('envoy or json.'),
      accessLogFormatString: word('Line of the log; ends in a line break.'),
      accessLogJSONFields: words('Fields of the JSON log.'),
      accessLogLevel: word('info, error, critical or disabled.'),
    }),
  ),
  defaultHTTPVersions: words('HTTP/1.1, HTTP/2.'),
  timeouts: optional(
    object({
      requestTimeout: word('To receive a whole request.'),
      connectionIdleTimeout: word('Of connections without a request.'),
      streamIdleTimeout: word('Of requests on which nothing moves.'),
      maxConnectionDuration: word('After which a connection is closed in any case.'),
      delayedCloseTimeout: word('For the client to close first.'),
      connectionShutdownGracePeriod: word('Between the first and the last GOAWAY.'),
      connectTimeout: word('To connect to a backend.'),
    }),
  ),
  cluster: optional(envoyCluster),
  network: optional(
    object({
      numTrustedHops: optional(int64('Proxies in front of Envoy.', { minimum: 0, maximum: 4294967295 })),
      adminPort: optional(int32('Of the read-only administration; 0: none.', { minimum: 0, maximum: 65535 })),
      stripTrailingHostDot: yes('The dot behind a host name is taken away.'),
    }),
  ),
  runtimeSettings: optional(textMap("Keys of Envoy's runtime.")),
})

const headerEdits = optional(object({ set: optional(textMap('Names and values.')), remove: words('Names.') }))

export const contourConfigurationSpec = object({
  xdsServer: optional(
    object({
      ...endpoint,
      tls: optional(object({ ...tlsFiles, insecure: yes('Serve without TLS.') })),
    }),
  ),
  ingress: optional(
    object({
      classNames: words('Classes that are served.'),
      statusAddress: word('Written to status instead of the address of Envoy.'),
    }),
  ),
  debug: optional(object(endpoint)),
  health: optional(object(endpoint)),
  envoy: optional(envoy),
  gateway: optional(object({ gatewayRef: optional(reference) })),
  httpproxy: optional(
    object({
      disablePermitInsecure: yes('permitInsecure counts for nothing.'),
      rootNamespaces: words('Namespaces that may hold root HTTPProxies.'),
      fallbackCertificate: optional(reference),
    }),
  ),
  enableExternalNameService: yes('Services of type ExternalName are served.'),
  globalExtAuth: optional(authorizationServer),
  rateLimitService: optional(
    object({
      extensionService: reference,
      domain: word('Given to the service.'),
      failOpen: yes('Let requests through when it does not answer.'),
      enableXRateLimitHeaders: yes('Tell clients of their limits.'),
      enableResourceExhaustedCode: yes('Answer gRPC with RESOURCE_EXHAUSTED.'),
      defaultGlobalRateLimitPolicy: optional(rateLimitPolicy.properties.global),
    }),
  ),
  policy: optional(
    object({
      requestHeaders: headerEdits,
      responseHeaders: headerEdits,
      applyToIngress: yes('Routes of Ingresses too.'),
    }),
  ),
  metrics: optional(object({ ...endpoint, tls: optional(object(tlsFiles)) })),
  tracing: optional(
    object({
      includePodDetail: yes('Name the pod.'),
      serviceName: word('Name of the service.'),
      overallSampling: word('Percent.'),
      clientSampling: word('Percent.'),
      randomSampling: word('Percent.'),
      maxPathTagLength: optional(int32('Of the path in a span.')),
      customTags: optional(
        list(
          object({
            tagName: text('Name.'),
            literal: word('Value.'),
            requestHeaderName: word('Header with the value.'),
          }),
          'More tags.',
        ),
      ),
      extensionService: reference,
    }),
  ),
  featureFlags: words('There are none.'),
})
export type ContourConfigurationSpec = Shape<typeof contourConfigurationSpec>

export const contourConfigurationStatus = object({ conditions: optional(detailedConditions) })
export type ContourConfigurationStatus = Shape<typeof contourConfigurationStatus>

export interface ContourConfiguration extends KubeObject {
  readonly spec: ContourConfigurationSpec
  readonly status?: ContourConfigurationStatus
}
