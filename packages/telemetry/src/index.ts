/** Logs, metrics and the health endpoints: what every program says about itself. */
export { Health } from './health.ts'
export {
  type HttpAnswer,
  type HttpOptions,
  type HttpServer,
  metricsRoutes,
  type PostRoutes,
  type Route,
  type Routes,
  serveHttp,
} from './http.ts'
export {
  createLogger,
  describeError,
  type LogFields,
  type LogFormat,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  logLevels,
  silentLogger,
} from './logger.ts'
export { type Counter, type Gauge, type Histogram, Metrics } from './metrics.ts'
export {
  type MetricsListener,
  type MetricsServerOptions,
  type SecureMetrics,
  serveMetrics,
} from './metrics-server.ts'
export type { Review, ReviewToken } from './scrape-guard.ts'
export {
  defaultTls,
  type Parsed,
  parseCipherSuites,
  parseCurves,
  parseTlsVersion,
  type TlsSettings,
} from './tls.ts'
