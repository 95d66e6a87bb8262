/**
 * Every setting of `serve`: its path in `contour.yaml` and in a ContourConfiguration, how it is read, and whether a
 * change of it is taken over while the program runs. What a path cannot be honoured for is in `refused.ts`.
 */
import { formatLine, jsonFields } from './access-log-fields.ts'
import { authorizing, rateLimiting, tracing } from './extension-settings.ts'
import {
  choice,
  duration,
  emptyList,
  flag,
  isEmpty,
  limited,
  list,
  port,
  positive,
  type Reader,
  text,
  textMap,
  unless,
  type unsaid,
  whole,
} from './readers.ts'
import { both, fixed, live, type Setting } from './setting.ts'
import { cipherSuites, curves, headerNames, headers } from './words.ts'

const version = unless(isEmpty, choice('1.2', '1.3'))
const name = unless(isEmpty, text)
const count = whole(1)

function isZero(value: unknown): boolean {
  return value === 0
}

const httpVersion: Reader<'HTTP/1.1' | 'HTTP/2'> = (value, say) =>
  choice('HTTP/1.1', 'HTTP/2')(typeof value === 'string' ? value.toUpperCase() : value, say)

const program = {
  debug: fixed(flag, { file: 'debug' }),
  incluster: fixed(flag, { file: 'incluster' }),
  kubeconfig: fixed(name, { file: 'kubeconfig' }),
  kubernetesQps: fixed(unless(isZero, positive), { file: 'kubernetesClientQPS' }),
  kubernetesBurst: fixed(unless(isZero, whole(1)), { file: 'kubernetesClientBurst' }),
  kubernetesDebug: fixed(whole(0)),
  watchNamespaces: fixed(list(text)),
  xdsAddress: fixed(name, { object: 'xdsServer.address' }),
  xdsPort: fixed(port, { object: 'xdsServer.port' }),
  xdsCa: fixed(name, { object: 'xdsServer.tls.caFile' }),
  xdsCertificate: fixed(name, { object: 'xdsServer.tls.certFile' }),
  xdsKey: fixed(name, { object: 'xdsServer.tls.keyFile' }),
  xdsInsecure: fixed(flag, { object: 'xdsServer.tls.insecure' }),
  xdsClientNames: fixed(list(text)),
  debugAddress: fixed(name, { object: 'debug.address' }),
  debugPort: fixed(port, { object: 'debug.port' }),
  healthAddress: fixed(name, { object: 'health.address' }),
  healthPort: fixed(port, { object: 'health.port' }),
  metricsAddress: fixed(name, { file: 'metrics.contour.address', object: 'metrics.address' }),
  metricsPort: fixed(port, { file: 'metrics.contour.port', object: 'metrics.port' }),
  metricsCertificate: fixed(name, {
    file: 'metrics.contour.server-certificate-path',
    object: 'metrics.tls.certFile',
  }),
  metricsKey: fixed(name, { file: 'metrics.contour.server-key-path', object: 'metrics.tls.keyFile' }),
  metricsCa: fixed(name, { file: 'metrics.contour.ca-certificate-path', object: 'metrics.tls.caFile' }),
  ingressClasses: fixed(list(text), { object: 'ingress.classNames' }),
  envoyServiceName: fixed(name, { file: 'envoy-service-name', object: 'envoy.service.name' }),
  envoyServiceNamespace: fixed(name, { file: 'envoy-service-namespace', object: 'envoy.service.namespace' }),
  features: fixed(emptyList('there are no feature flags'), { file: 'featureFlags', object: 'featureFlags' }),
  ipv6: fixed(flag),
}

const listeners = {
  httpAddress: live(name, { object: 'envoy.http.address' }),
  httpPort: live(port, { object: 'envoy.http.port' }),
  httpAccessLog: live(text, { object: 'envoy.http.accessLog' }),
  httpsAddress: live(name, { object: 'envoy.https.address' }),
  httpsPort: live(port, { object: 'envoy.https.port' }),
  httpsAccessLog: live(text, { object: 'envoy.https.accessLog' }),
  statsAddress: live(name, { object: 'envoy.health.address' }),
  statsPort: live(port, { object: 'envoy.health.port' }),
  envoyMetricsAddress: both(name, 'metrics.envoy.address', 'envoy.metrics.address'),
  envoyMetricsPort: both(port, 'metrics.envoy.port', 'envoy.metrics.port'),
  envoyMetricsCertificate: both(name, 'metrics.envoy.server-certificate-path', 'envoy.metrics.tls.certFile'),
  envoyMetricsKey: both(name, 'metrics.envoy.server-key-path', 'envoy.metrics.tls.keyFile'),
  envoyMetricsCa: both(name, 'metrics.envoy.ca-certificate-path', 'envoy.metrics.tls.caFile'),
  limitedHealthAddress: both(name, 'omEnforcedHealthListener.address', 'envoy.omEnforcedHealth.address'),
  limitedHealthPort: both(port, 'omEnforcedHealthListener.port', 'envoy.omEnforcedHealth.port'),
  useProxyProtocol: live(flag, { object: 'envoy.listener.useProxyProtocol' }),
  disableAllowChunkedLength: both(
    flag,
    'disableAllowChunkedLength',
    'envoy.listener.disableAllowChunkedLength',
  ),
  disableMergeSlashes: both(flag, 'disableMergeSlashes', 'envoy.listener.disableMergeSlashes'),
  compression: both(
    unless(isEmpty, choice('gzip', 'brotli', 'zstd', 'disabled')),
    'compression.algorithm',
    'envoy.listener.compression.algorithm',
  ),
  serverHeader: both(
    unless(isEmpty, choice('overwrite', 'append_if_absent', 'pass_through')),
    'serverHeaderTransformation',
    'envoy.listener.serverHeaderTransformation',
  ),
  connectionBalancer: both(
    choice('', 'exact'),
    'listener.connection-balancer',
    'envoy.listener.connectionBalancer',
  ),
  listenerRequestsPerConnection: both(
    count,
    'listener.max-requests-per-connection',
    'envoy.listener.maxRequestsPerConnection',
  ),
  listenerBufferBytes: both(
    count,
    'listener.per-connection-buffer-limit-bytes',
    'envoy.listener.per-connection-buffer-limit-bytes',
  ),
  tos: both(whole(0, 255), 'listener.socket-options.tos', 'envoy.listener.socketOptions.tos'),
  trafficClass: both(
    whole(0, 255),
    'listener.socket-options.traffic-class',
    'envoy.listener.socketOptions.trafficClass',
  ),
  requestsPerIoCycle: both(
    count,
    'listener.max-requests-per-io-cycle',
    'envoy.listener.maxRequestsPerIOCycle',
  ),
  http2Streams: both(
    whole(1, 0x7fffffff),
    'listener.http2-max-concurrent-streams',
    'envoy.listener.httpMaxConcurrentStreams',
  ),
  connectionsPerListener: both(
    count,
    'listener.max-connections-per-listener',
    'envoy.listener.maxConnectionsPerListener',
  ),
  connectionsPerSocketEvent: both(
    count,
    'listener.max-connections-to-accept-per-socket-event',
    'envoy.listener.maxConnectionsToAcceptPerSocketEvent',
  ),
  httpVersions: both(
    unless(isEmpty, list(httpVersion)),
    'default-http-versions',
    'envoy.defaultHTTPVersions',
  ),
  runtime: live(textMap, { file: 'runtime-settings', object: 'envoy.runtimeSettings' }),
}

const logging = {
  accessLogFormat: both(choice('envoy', 'json'), 'accesslog-format', 'envoy.logging.accessLogFormat'),
  accessLogLine: both(
    unless(isEmpty, formatLine),
    'accesslog-format-string',
    'envoy.logging.accessLogFormatString',
  ),
  accessLogFields: both(unless(isEmpty, jsonFields), 'json-fields', 'envoy.logging.accessLogJSONFields'),
  accessLogLevel: both(
    choice('info', 'error', 'critical', 'disabled'),
    'accesslog-level',
    'envoy.logging.accessLogLevel',
  ),
}

const tls = {
  tlsMinimum: both(version, 'tls.minimum-protocol-version', 'envoy.listener.tls.minimumProtocolVersion'),
  tlsMaximum: both(version, 'tls.maximum-protocol-version', 'envoy.listener.tls.maximumProtocolVersion'),
  cipherSuites: both(unless(isEmpty, cipherSuites), 'tls.cipher-suites', 'envoy.listener.tls.cipherSuites'),
  curves: both(curves, 'tls.ecdh-curves', 'envoy.listener.tls.ecdhCurves'),
  fallbackName: both(name, 'tls.fallback-certificate.name', 'httpproxy.fallbackCertificate.name'),
  fallbackNamespace: both(
    name,
    'tls.fallback-certificate.namespace',
    'httpproxy.fallbackCertificate.namespace',
  ),
  clientCertificateName: both(name, 'tls.envoy-client-certificate.name', 'envoy.clientCertificate.name'),
  clientCertificateNamespace: both(
    name,
    'tls.envoy-client-certificate.namespace',
    'envoy.clientCertificate.namespace',
  ),
  certificates: fixed(choice('chains', 'on-demand'), {
    file: 'tls.certificates',
    object: 'envoy.listener.tls.certificates',
  }),
  ja3: both(flag, 'tls.fingerprint.ja3', 'envoy.listener.tls.fingerprint.ja3'),
  ja4: both(flag, 'tls.fingerprint.ja4', 'envoy.listener.tls.fingerprint.ja4'),
}

const timeouts = {
  requestTimeout: both(duration, 'timeouts.request-timeout', 'envoy.timeouts.requestTimeout'),
  connectionIdle: both(duration, 'timeouts.connection-idle-timeout', 'envoy.timeouts.connectionIdleTimeout'),
  streamIdle: both(duration, 'timeouts.stream-idle-timeout', 'envoy.timeouts.streamIdleTimeout'),
  maxConnectionDuration: both(
    duration,
    'timeouts.max-connection-duration',
    'envoy.timeouts.maxConnectionDuration',
  ),
  delayedClose: both(duration, 'timeouts.delayed-close-timeout', 'envoy.timeouts.delayedCloseTimeout'),
  drain: both(
    duration,
    'timeouts.connection-shutdown-grace-period',
    'envoy.timeouts.connectionShutdownGracePeriod',
  ),
  connect: both(limited, 'timeouts.connect-timeout', 'envoy.timeouts.connectTimeout'),
}

function breaker(file: string, object: string): Setting<number> {
  return both(whole(0), `cluster.circuit-breakers.${file}`, `envoy.cluster.circuitBreakers.${object}`)
}

const clusters = {
  dnsLookupFamily: both(
    choice('auto', 'v4', 'v6', 'all'),
    'cluster.dns-lookup-family',
    'envoy.cluster.dnsLookupFamily',
  ),
  clusterRequestsPerConnection: both(
    count,
    'cluster.max-requests-per-connection',
    'envoy.cluster.maxRequestsPerConnection',
  ),
  clusterBufferBytes: both(
    count,
    'cluster.per-connection-buffer-limit-bytes',
    'envoy.cluster.per-connection-buffer-limit-bytes',
  ),
  maxConnections: breaker('max-connections', 'maxConnections'),
  maxPendingRequests: breaker('max-pending-requests', 'maxPendingRequests'),
  maxRequests: breaker('max-requests', 'maxRequests'),
  maxRetries: breaker('max-retries', 'maxRetries'),
  perHostMaxConnections: breaker('per-host-max-connections', 'perHostMaxConnections'),
  upstreamMinimum: both(
    version,
    'cluster.upstream-tls.minimum-protocol-version',
    'envoy.cluster.upstreamTLS.minimumProtocolVersion',
  ),
  upstreamMaximum: both(
    version,
    'cluster.upstream-tls.maximum-protocol-version',
    'envoy.cluster.upstreamTLS.maximumProtocolVersion',
  ),
  upstreamCiphers: both(
    cipherSuites,
    'cluster.upstream-tls.cipher-suites',
    'envoy.cluster.upstreamTLS.cipherSuites',
  ),
  upstreamCurves: both(curves, 'cluster.upstream-tls.ecdh-curves', 'envoy.cluster.upstreamTLS.ecdhCurves'),
  requireUpstreamValidation: both(
    flag,
    'cluster.upstream-tls.require-validation',
    'envoy.cluster.upstreamTLS.requireValidation',
  ),
}

const network = {
  trustedHops: both(whole(0), 'network.num-trusted-hops', 'envoy.network.numTrustedHops'),
  adminPort: both(whole(0, 65535), 'network.admin-port', 'envoy.network.adminPort'),
  stripTrailingHostDot: both(flag, 'network.strip-trailing-host-dot', 'envoy.network.stripTrailingHostDot'),
}

const policies = {
  rootNamespaces: live(list(text), { object: 'httpproxy.rootNamespaces' }),
  disablePermitInsecure: both(flag, 'disablePermitInsecure', 'httpproxy.disablePermitInsecure'),
  enableExternalName: both(flag, 'enableExternalNameService', 'enableExternalNameService'),
  ingressStatusAddress: both(name, 'ingress-status-address', 'ingress.statusAddress'),
  requestSet: both(headers, 'policy.request-headers.set', 'policy.requestHeaders.set'),
  requestRemove: both(headerNames, 'policy.request-headers.remove', 'policy.requestHeaders.remove'),
  responseSet: both(headers, 'policy.response-headers.set', 'policy.responseHeaders.set'),
  responseRemove: both(headerNames, 'policy.response-headers.remove', 'policy.responseHeaders.remove'),
  applyToIngress: both(flag, 'policy.applyToIngress', 'policy.applyToIngress'),
}

export const settings = {
  ...program,
  ...listeners,
  ...logging,
  ...tls,
  ...timeouts,
  ...clusters,
  ...authorizing,
  ...rateLimiting,
  ...tracing,
  ...network,
  ...policies,
}

type Table = typeof settings

/** What was said; the rest is left to its default. */
export type Settings = { readonly [K in keyof Table]?: ReadBy<Table[K]> }

type ReadBy<S> = S extends { readonly read: Reader<infer T> } ? Exclude<T, typeof unsaid> : never

export type SettingName = keyof Settings
