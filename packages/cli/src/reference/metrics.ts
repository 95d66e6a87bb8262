/** What each program exports under /metrics, from the registrations themselves. */
import {
  CallMetrics,
  configurationMetrics,
  renewalBlocked,
  ServeMetrics,
  sharedMetrics,
  XdsMetrics,
} from '@landfall/ingress/metrics'
import { leadership, requestFailures } from '@landfall/kube/metrics'
import { ControllerMetrics } from '@landfall/lb/metrics'
import { BfdReport, SessionMetrics, SpeakerMetrics } from '@landfall/speaker/metrics'
import { Metrics, silentLogger } from '@landfall/telemetry'

export type Program = 'controller' | 'speaker' | 'serve'

export interface ExportedMetric {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly labels: readonly string[]
  readonly programs: readonly Program[]
}

const register: Readonly<Record<Program, (metrics: Metrics) => readonly unknown[]>> = {
  controller: (metrics) => [requestFailures(metrics), leadership(metrics), new ControllerMetrics(metrics)],
  speaker: (metrics) => [
    requestFailures(metrics),
    new SpeakerMetrics(metrics),
    new SessionMetrics(metrics),
    new BfdReport(silentLogger(), metrics),
  ],
  serve: (metrics) => {
    const xds = new XdsMetrics(metrics)
    xds.certificate(new Date(0))
    return [
      xds,
      new CallMetrics(metrics),
      requestFailures(metrics),
      leadership(metrics),
      new ServeMetrics(metrics, ''),
      sharedMetrics(metrics),
      configurationMetrics(metrics),
      renewalBlocked(metrics),
    ]
  },
}

/** By name. */
export function exportedMetrics(): readonly ExportedMetric[] {
  const programs: readonly Program[] = ['controller', 'speaker', 'serve']
  const all = programs.flatMap((program) => metricsOf(program).map((metric) => ({ ...metric, program })))
  return [...Map.groupBy(all, ({ name }) => name).values()]
    .map(([first, ...rest]) => {
      if (first === undefined) throw new Error('a group has a member')
      const { program, ...metric } = first
      return { ...metric, programs: [program, ...rest.map((one) => one.program)] }
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** The names of the series, where they are not the metric's own: a histogram's, a summary's. */
export function seriesOf({ name, type }: Pick<ExportedMetric, 'name' | 'type'>): readonly string[] {
  if (type === 'histogram') return [`${name}_bucket`, `${name}_sum`, `${name}_count`]
  return type === 'summary' ? [name, `${name}_sum`, `${name}_count`] : [name]
}

function metricsOf(program: Program) {
  const metrics = new Metrics('')
  register[program](metrics)
  return metrics.registry.getMetricsAsArray().map((metric) => {
    // prom-client 15 writes the type as a word where it counts.
    const { name, help, type } = metric as typeof metric & { readonly type: unknown }
    return { name, help, type: String(type), labels: labelNames(metric) }
  })
}

function labelNames(metric: object): readonly string[] {
  return 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : []
}
