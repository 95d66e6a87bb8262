/** What monitors Landfall, as values: PodMonitors, alerts and dashboards of the load balancer and of the ingress. */
import type { Section } from '../objects.ts'
import { contourAlerts } from './contour-alerts.ts'
import { type Dashboard, dashboardConfigMap } from './dashboard.ts'
import { envoyDashboard } from './envoy-dashboard.ts'
import { ingressDashboard } from './ingress-dashboard.ts'
import { lbDashboard } from './lb-dashboard.ts'
import { metallbAlerts } from './metallb-alerts.ts'
import { contourTargets, metallbTargets, podMonitor, type Target } from './pod-monitors.ts'
import { type Alert, prometheusRule } from './rule.ts'
import { speakerDashboard } from './speaker-dashboard.ts'

export { type Dashboard, grafanaJson, type Panel } from './dashboard.ts'
export { metricNames } from './metric-names.ts'
export type { Target } from './pod-monitors.ts'
export { type Alert, ruleGroup } from './rule.ts'

export interface Monitoring {
  readonly namespace: string
  readonly targets: readonly Target[]
  readonly alerts: readonly Alert[]
  readonly dashboards: readonly Dashboard[]
}

/** By the file of manifests/ that installs what is monitored. */
export const monitoring: Readonly<Record<'metallb' | 'contour', Monitoring>> = {
  metallb: {
    namespace: 'metallb-system',
    targets: metallbTargets,
    alerts: metallbAlerts,
    dashboards: [lbDashboard, speakerDashboard],
  },
  contour: {
    namespace: 'projectcontour',
    targets: contourTargets,
    alerts: contourAlerts,
    dashboards: [ingressDashboard, envoyDashboard],
  },
}

export function monitoringSections(part: 'metallb' | 'contour'): readonly Section[] {
  const { namespace, targets, alerts, dashboards } = monitoring[part]
  return [
    { title: 'What Prometheus scrapes', objects: targets.map(podMonitor) },
    { title: 'Alerts', objects: [prometheusRule(namespace, part, alerts)] },
    { title: 'Dashboards', objects: dashboards.map((one) => dashboardConfigMap(namespace, one)) },
  ]
}
