/** What `service_monitor` and `enable_monitoring` add, under the names that Lokomotive gives: for the Prometheus operator. */
import { type Alert, type Dashboard, grafanaJson, type Manifest, monitoring } from '@landfall/manifests'

interface Scrape {
  /** Of the pods. */
  readonly labels: Readonly<Record<string, string>>
  /** Of the Service, and of its port. */
  readonly service: string
  readonly port: number
  readonly monitor: string
  readonly path: string
  readonly interval?: string
}

export function metallbMonitoring(): readonly Manifest[] {
  const namespace = 'metallb-system'
  const scrape = { labels: { app: 'metallb' }, service: 'metallb-metrics', port: 7472, monitor: 'metallb' }
  return [
    ...scraped(namespace, { ...scrape, path: '/metrics' }),
    dashboards(namespace, [metallbDashboard, ...monitoring.metallb.dashboards]),
    rules(namespace, 'metallb-rules', metallbAlerts(namespace)),
  ]
}

/** @param interval of scraping Envoy; undefined: that of Prometheus */
export function contourMonitoring(interval: string | undefined): readonly Manifest[] {
  const namespace = 'projectcontour'
  const of = (app: string, port: number, path: string): Scrape => ({
    labels: { app },
    service: `${app}-metrics`,
    port,
    monitor: app,
    path,
  })
  const envoy = of('envoy', 8002, '/stats/prometheus')
  return [
    ...scraped(namespace, of('contour', 8000, '/metrics')),
    ...scraped(namespace, interval === undefined ? envoy : { ...envoy, interval }),
    dashboards(namespace, monitoring.contour.dashboards),
    rules(namespace, 'contour-rules', [
      unavailable('ContourPodsAvailability', 'deployment', 'contour', namespace),
      unavailable('EnvoyPodsAvailability', 'daemonset', 'envoy', namespace),
    ]),
  ]
}

/** A Service without an address of its own: it is there to find the pods by. */
function scraped(namespace: string, scrape: Scrape): readonly Manifest[] {
  const { labels, service, port, monitor, path, interval } = scrape
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: service, namespace, labels },
      spec: {
        clusterIP: 'None',
        selector: labels,
        ports: [{ name: service, port, protocol: 'TCP', targetPort: port }],
      },
    },
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'ServiceMonitor',
      metadata: { name: monitor, namespace, labels: { ...labels, ...operator } },
      spec: {
        namespaceSelector: { matchNames: [namespace] },
        selector: { matchLabels: labels },
        endpoints: [
          {
            port: service,
            path,
            honorLabels: true,
            relabelings,
            ...(interval !== undefined && { interval }),
          },
        ],
      },
    },
  ]
}

/** The node of the pod is the label `node` where a metric has none: dashboards sum by it. */
const relabelings = [{ sourceLabels: ['__meta_kubernetes_pod_node_name'], targetLabel: 'node' }]

/** By which Lokomotive's Prometheus operator chooses what it reads. */
const operator = { release: 'prometheus-operator' }

/** Grafana's side-car takes them by the label. */
function dashboards(namespace: string, all: readonly Dashboard[]): Manifest {
  const files = all.map((one) => [`${one.uid}.json`, `${JSON.stringify(grafanaJson(one), undefined, 1)}\n`])
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'grafana-dashs', namespace, labels: { app: 'grafana', grafana_dashboard: 'true' } },
    data: Object.fromEntries(files),
  }
}

/** The four panels of Lokomotive's own. */
const metallbDashboard: Dashboard = {
  uid: 'metallb',
  title: 'MetalLB',
  panels: [
    panel('Client update errors', 'sum(metallb_k8s_client_update_errors_total)'),
    panel('Client updates', 'sum(metallb_k8s_client_updates_total)'),
    panel('Public addresses in use', 'sum(metallb_allocator_addresses_in_use_total)'),
    panel('Number of BGP sessions', 'sum(metallb_bgp_session_up)'),
  ],
}

function panel(title: string, expr: string): Dashboard['panels'][number] {
  return { title, kind: 'timeseries', unit: 'short', queries: [{ expr, legend: title }] }
}

function rules(namespace: string, group: string, alerts: readonly Alert[]): Manifest {
  const all = alerts.map(({ name, expr, for: duration, severity, summary, description }) => ({
    alert: name,
    expr,
    for: duration,
    labels: { severity },
    annotations: { summary, description },
  }))
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'alertmanager-rules', namespace, labels: operator },
    spec: { groups: [{ name: group, rules: all }] },
  }
}

function metallbAlerts(namespace: string): readonly Alert[] {
  return [
    {
      name: 'MetalLBNoBGPSession',
      expr: 'metallb_bgp_session_up != 1',
      for: '2m',
      severity: 'critical',
      summary: 'The BGP session of {{ $labels.instance }} with {{ $labels.peer }} is down',
      description: `kubectl -n ${namespace} logs of that speaker says why: sessionDown, with its reason.`,
    },
    {
      name: 'MetalLBConfigStale',
      expr: 'metallb_k8s_client_config_stale_bool != 0',
      for: '2m',
      severity: 'critical',
      summary: '{{ $labels.pod }} refuses a part of its configuration',
      description: 'Its log says configStale with the reason. What it took before stays in use.',
    },
    unavailable('MetalLBControllerPodsAvailability', 'deployment', 'controller', namespace),
    unavailable('MetalLBSpeakerPodsAvailability', 'daemonset', 'speaker', namespace),
  ]
}

/** By kube-state-metrics. */
function unavailable(
  alert: string,
  kind: 'deployment' | 'daemonset',
  name: string,
  namespace: string,
): Alert {
  const metric = {
    deployment: 'kube_deployment_status_replicas_unavailable',
    daemonset: 'kube_daemonset_status_number_unavailable',
  }
  return {
    name: alert,
    expr: `${metric[kind]}{namespace="${namespace}",${kind}="${name}"} != 0`,
    for: '1m',
    severity: 'critical',
    summary: `{{ $value }} pods of ${kind} ${name} are not available`,
    description: `kubectl -n ${namespace} describe ${kind} ${name}, and its pods.`,
  }
}
