/** All that the speaker exports: for what compares it with dashboards, and lists it. */
export { BfdReport } from './bgp/bfd-report.ts'
export { SessionMetrics } from './bgp/session-metrics.ts'
export { SpeakerMetrics } from './speaker-metrics.ts'
