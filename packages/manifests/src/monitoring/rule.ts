/** Alerts as values, and the PrometheusRule that holds them. */
import type { Manifest } from '../objects.ts'

export interface Alert {
  readonly name: string
  /** PromQL: there is an alert for each series of the answer. */
  readonly expr: string
  /** How long that must have been so, as `5m`. */
  readonly for: string
  readonly severity: 'critical' | 'warning' | 'info'
  /** One line; may name labels as Prometheus' templates do. */
  readonly summary: string
  /** Where to look, or what to do. */
  readonly description: string
}

export function prometheusRule(namespace: string, name: string, alerts: readonly Alert[]): Manifest {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name, namespace, labels: { app: name } },
    spec: { groups: [ruleGroup(name, alerts)] },
  }
}

/** As a rule file of Prometheus has it too. */
export function ruleGroup(name: string, alerts: readonly Alert[]): object {
  const rules = alerts.map(({ name: alert, expr, for: duration, severity, summary, description }) => ({
    alert,
    expr,
    for: duration,
    labels: { severity },
    annotations: { summary, description },
  }))
  return { name: `${name}.rules`, rules }
}
