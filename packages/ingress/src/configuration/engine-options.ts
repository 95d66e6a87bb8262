/** Settings → what translation reads. What is not set is left to the default. */
import { defaultDagOptions } from '../dag/options.ts'
import type { EngineOptions } from '../engine/engine-options.ts'
import {
  type AccessLog,
  type BindAddress,
  type ClusterOptions,
  defaultClusterOptions,
  defaultListenerOptions,
  defaultRuntimeOptions,
  type ListenerOptions,
  type LogFormat,
  type RuntimeOptions,
} from '../envoy/options.ts'
import { defaultFields, tellsOwners } from './access-log-fields.ts'
import type { Settings } from './settings.ts'

export function engineOptions(settings: Settings): EngineOptions {
  return {
    classes: settings.ingressClasses ?? [],
    layout: 'scoped',
    dag: {
      ...defaultDagOptions,
      rootNamespaces: settings.rootNamespaces ?? [],
      disablePermitInsecure: settings.disablePermitInsecure ?? false,
      enableExternalNameService: settings.enableExternalName ?? false,
      dnsLookupFamily: settings.dnsLookupFamily ?? 'auto',
      rateLimitService: rateLimitService(settings),
      globalAuthorization: globalAuthorization(settings),
      tracing: tracingService(settings),
      tellOwners: tellsOwners(JSON.stringify(logFormat(settings))),
      clientCertificate: keyOf(settings.clientCertificateNamespace, settings.clientCertificateName),
      fallbackCertificate: keyOf(settings.fallbackNamespace, settings.fallbackName),
      tls: { minimum: settings.tlsMinimum ?? '1.2', maximum: settings.tlsMaximum ?? '1.3' },
      certificates: settings.certificates ?? 'chains',
      requireUpstreamValidation: settings.requireUpstreamValidation ?? false,
      headers: {
        request: { set: settings.requestSet ?? {}, remove: settings.requestRemove ?? [] },
        response: { set: settings.responseSet ?? {}, remove: settings.responseRemove ?? [] },
        applyToIngress: settings.applyToIngress ?? false,
      },
    },
    listeners: listenerOptions(settings),
    clusters: clusterOptions(settings),
    runtime: runtimeOptions(settings),
  }
}

function keyOf(namespace: string | undefined, name: string | undefined): string | undefined {
  return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`
}

function rateLimitService(settings: Settings): EngineOptions['dag']['rateLimitService'] {
  const { rateLimitServiceNamespace: namespace, rateLimitServiceName: name } = settings
  const extensionService = settings.rateLimitService ?? keyOf(namespace, name)
  if (extensionService === undefined) return undefined
  return {
    extensionService,
    domain: settings.rateLimitDomain ?? 'contour',
    failOpen: settings.rateLimitFailOpen ?? false,
    enableXRateLimitHeaders: settings.rateLimitHeaders ?? false,
    enableResourceExhaustedCode: settings.rateLimitExhausted ?? false,
    defaultGlobalRateLimitPolicy: settings.rateLimitPolicy,
  }
}

/** undefined: no server is named. */
export function globalAuthorization(settings: Settings): EngineOptions['dag']['globalAuthorization'] {
  const { authService, authServiceNamespace, authServiceName } = settings
  const extensionService = authService ?? keyOf(authServiceNamespace, authServiceName)
  if (extensionService === undefined) return undefined
  const server = {
    serviceType: settings.authServiceType ?? 'grpc',
    httpSettings: settings.authHttp,
    authPolicy: settings.authPolicy,
    responseTimeout: settings.authTimeout,
    failOpen: settings.authFailOpen,
    withRequestBody: settings.authBody && { maxRequestBytes: 1024, ...settings.authBody },
  }
  const said = Object.entries(server).filter(([, value]) => value !== undefined)
  return { extensionService, server: Object.fromEntries(said) }
}

/** undefined: no server is named. */
export function tracingService(settings: Settings): EngineOptions['dag']['tracing'] {
  const { tracingService: named, tracingServiceNamespace, tracingServiceName } = settings
  const extensionService = named ?? keyOf(tracingServiceNamespace, tracingServiceName)
  if (extensionService === undefined) return undefined
  return {
    extensionService,
    includePodDetail: settings.tracingPodDetail ?? true,
    serviceName: settings.tracingName ?? 'contour',
    overallSampling: settings.tracingOverall ?? 100,
    clientSampling: settings.tracingClient ?? 100,
    randomSampling: settings.tracingRandom ?? 100,
    maxPathTagLength: settings.tracingPathLength ?? 256,
    customTags: settings.tracingTags ?? [],
  }
}

function listenerOptions(settings: Settings): ListenerOptions {
  const { http, https, stats } = defaultListenerOptions
  const bind = binding(settings)
  const health = bind(settings.statsAddress, settings.statsPort, stats)
  return {
    ...traffic(settings),
    http: bind(settings.httpAddress, settings.httpPort, http),
    https: bind(settings.httpsAddress, settings.httpsPort, https),
    stats: health,
    metrics: figuresApart(settings),
    metricsTls: metricsTls(settings),
    limitedHealth:
      settings.limitedHealthPort === undefined
        ? undefined
        : bind(settings.limitedHealthAddress, settings.limitedHealthPort, stats),
    adminPort: settings.adminPort ?? defaultListenerOptions.adminPort,
    httpAccessLog: settings.httpAccessLog ?? defaultListenerOptions.httpAccessLog,
    httpsAccessLog: settings.httpsAccessLog ?? defaultListenerOptions.httpsAccessLog,
    useProxyProtocol: settings.useProxyProtocol ?? false,
  }
}

function binding({ ipv6 }: Settings) {
  return (address: string | undefined, port: number | undefined, other: BindAddress): BindAddress => {
    const at = { address: address ?? other.address, port: port ?? other.port }
    return at.address === '::' && ipv6 === false ? { ...at, address: '0.0.0.0' } : at
  }
}

/** Where Envoys show their statistics; undefined: where they answer probes. */
export function figuresApart(settings: Settings): BindAddress | undefined {
  const bind = binding(settings)
  const health = bind(settings.statsAddress, settings.statsPort, defaultListenerOptions.stats)
  const figures = bind(settings.envoyMetricsAddress, settings.envoyMetricsPort, health)
  return figures.address === health.address && figures.port === health.port ? undefined : figures
}

type Places =
  | 'http'
  | 'https'
  | 'stats'
  | 'metrics'
  | 'metricsTls'
  | 'limitedHealth'
  | 'adminPort'
  | 'httpAccessLog'
  | 'httpsAccessLog'
  | 'useProxyProtocol'

function traffic(settings: Settings): Omit<ListenerOptions, Places> {
  const { timeouts, tls, httpVersions } = defaultListenerOptions
  return {
    trustedHops: settings.trustedHops ?? 0,
    http1: { allowChunkedLength: settings.disableAllowChunkedLength !== true },
    timeouts: {
      request: settings.requestTimeout ?? timeouts.request,
      connectionIdle: settings.connectionIdle ?? timeouts.connectionIdle,
      streamIdle: settings.streamIdle ?? timeouts.streamIdle,
      maxConnectionDuration: settings.maxConnectionDuration ?? timeouts.maxConnectionDuration,
      delayedClose: settings.delayedClose ?? timeouts.delayedClose,
      drain: settings.drain ?? timeouts.drain,
    },
    accessLog: accessLog(settings),
    tls: {
      cipherSuites: settings.cipherSuites ?? tls.cipherSuites,
      curves: settings.curves ?? tls.curves,
      fingerprints: { ja3: settings.ja3 ?? false, ja4: settings.ja4 ?? false },
    },
    mergeSlashes: settings.disableMergeSlashes !== true,
    stripTrailingHostDot: settings.stripTrailingHostDot ?? false,
    compression: settings.compression ?? 'gzip',
    serverHeader: settings.serverHeader ?? 'overwrite',
    httpVersions: settings.httpVersions ?? httpVersions,
    limits: {
      requestsPerConnection: settings.listenerRequestsPerConnection,
      bufferBytes: settings.listenerBufferBytes,
      http2Streams: settings.http2Streams,
      connectionsPerSocketEvent: settings.connectionsPerSocketEvent,
    },
    exactBalance: settings.connectionBalancer === 'exact',
    socket: { tos: settings.tos ?? 0, trafficClass: settings.trafficClass ?? 0 },
  }
}

function metricsTls(settings: Settings): ListenerOptions['metricsTls'] {
  const { envoyMetricsCertificate: certificate, envoyMetricsKey: key, envoyMetricsCa: ca } = settings
  return certificate === undefined || key === undefined ? undefined : { certificate, key, ca }
}

const leastStatus = { info: 0, error: 300, critical: 500, disabled: undefined } as const

function accessLog(settings: Settings): AccessLog {
  return { format: logFormat(settings), leastStatus: leastStatus[settings.accessLogLevel ?? 'info'] }
}

function logFormat({ accessLogFormat, accessLogLine, accessLogFields }: Settings): LogFormat {
  if (accessLogFormat === 'json') return { kind: 'json', fields: accessLogFields ?? defaultFields }
  return accessLogLine === undefined ? { kind: 'default' } : { kind: 'text', line: accessLogLine }
}

function clusterOptions(settings: Settings): ClusterOptions {
  const limits = {
    maxConnections: settings.maxConnections,
    maxPendingRequests: settings.maxPendingRequests,
    maxRequests: settings.maxRequests,
    maxRetries: settings.maxRetries,
    perHostMaxConnections: settings.perHostMaxConnections,
  }
  // 0 is no limit, as in an annotation.
  const set = Object.entries(limits).filter(([, limit]) => limit !== undefined && limit > 0)
  return {
    clientCertificate: undefined,
    connectMs: settings.connect ?? defaultClusterOptions.connectMs,
    requestsPerConnection: settings.clusterRequestsPerConnection,
    bufferBytes: settings.clusterBufferBytes,
    circuitBreakers: Object.fromEntries(set),
    tls: {
      minimum: settings.upstreamMinimum,
      maximum: settings.upstreamMaximum ?? defaultClusterOptions.tls.maximum,
      cipherSuites: settings.upstreamCiphers ?? [],
      curves: settings.upstreamCurves ?? [],
    },
  }
}

function runtimeOptions(settings: Settings): RuntimeOptions {
  return {
    requestsPerIoCycle: settings.requestsPerIoCycle,
    connectionsPerListener: settings.connectionsPerListener,
    more: settings.runtime ?? defaultRuntimeOptions.more,
  }
}
