/** All that `serve` exports: for what compares it with dashboards, and lists it. */
export { renewalBlocked } from './renewal/renewer.ts'
export { configurationMetrics } from './serve/configuration.ts'
export { ServeMetrics } from './serve/metrics.ts'
export { sharedMetrics } from './status/shared-state.ts'
export { CallMetrics } from './xds/call-metrics.ts'
export { XdsMetrics } from './xds/metrics.ts'
