/**
 * What the Prometheus operator makes of PodMonitors, ServiceMonitors and PrometheusRules, for a Prometheus without it: its
 * configuration and its rules. Pure. Only the fields that our objects have.
 */
interface MonitorRelabeling {
  readonly sourceLabels: readonly string[]
  readonly targetLabel: string
}

interface Selecting {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: { readonly selector: { readonly matchLabels: Readonly<Record<string, string>> } }
}

export interface PodMonitor extends Selecting {
  readonly kind: 'PodMonitor'
  readonly spec: Selecting['spec'] & {
    readonly podMetricsEndpoints: readonly {
      readonly port: string
      readonly path: string
      readonly honorLabels: boolean
      readonly relabelings: readonly MonitorRelabeling[]
    }[]
  }
}

export interface ServiceMonitor extends Selecting {
  readonly kind: 'ServiceMonitor'
  readonly spec: Selecting['spec'] & {
    readonly namespaceSelector: { readonly matchNames: readonly string[] }
    readonly endpoints: readonly {
      readonly port: string
      readonly path: string
      readonly honorLabels: boolean
      readonly interval?: string
      readonly relabelings: readonly MonitorRelabeling[]
    }[]
  }
}

export interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: Readonly<Record<string, string>>
}

export interface PrometheusRule {
  readonly kind: 'PrometheusRule'
  readonly spec: { readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[] }
}

export interface Settings {
  readonly monitors: readonly (PodMonitor | ServiceMonitor)[]
  readonly kubeconfig: string
  readonly ruleFile: string
  /** As `1s`. */
  readonly interval: string
}

/** Of Prometheus: without a regex any value, without a replacement that of the first group, which is all of it. */
export interface Relabeling {
  readonly action?: 'keep' | 'drop'
  readonly source_labels?: readonly string[]
  readonly regex?: string
  readonly target_label?: string
  readonly replacement?: string
}

export interface ScrapeJob {
  readonly job_name: string
  readonly honor_labels: boolean
  readonly metrics_path: string
  readonly scrape_interval?: string
  readonly kubernetes_sd_configs: readonly {
    readonly role: 'pod' | 'endpointslice'
    readonly kubeconfig_file: string
    readonly namespaces: { readonly names: readonly string[] }
  }[]
  readonly relabel_configs: readonly Relabeling[]
}

export function prometheusConfig({ monitors, kubeconfig, ruleFile, interval }: Settings): object {
  return {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: [ruleFile],
    scrape_configs: scrapeJobs(monitors, kubeconfig),
  }
}

/** What the names of alerts end in that fire at once. */
export const atOnce = 'AtOnce'

/** The rules as they are, and each alert once more that does not wait: how long it lasts does not change what it says. */
export function ruleGroups(rules: readonly PrometheusRule[]): object {
  const groups = rules.flatMap(({ spec }) => spec.groups)
  const hasty = groups.map(({ name, rules: alerts }) => ({
    name: `${name} ${atOnce}`,
    rules: alerts.map((one) => ({ ...one, alert: `${one.alert}${atOnce}`, for: '0s' })),
  }))
  return { groups: [...groups, ...hasty] }
}

export function scrapeJobs(monitors: Settings['monitors'], kubeconfig: string): readonly ScrapeJob[] {
  return monitors.flatMap((one) =>
    one.kind === 'PodMonitor' ? jobsOfPods(one, kubeconfig) : jobsOfServices(one, kubeconfig),
  )
}

const ended: Relabeling = {
  action: 'drop',
  source_labels: ['__meta_kubernetes_pod_phase'],
  regex: '(Failed|Succeeded)',
}
const keep = (label: string, regex: string): Relabeling => ({ action: 'keep', source_labels: [label], regex })
const copy = (source: string, target: string): Relabeling => ({
  source_labels: [source],
  target_label: target,
})

function ofMonitor({ sourceLabels, targetLabel }: MonitorRelabeling): Relabeling {
  return { source_labels: sourceLabels, target_label: targetLabel }
}

/** Labels of a target, as panels select by them. */
const identity = [
  copy('__meta_kubernetes_namespace', 'namespace'),
  copy('__meta_kubernetes_pod_container_name', 'container'),
  copy('__meta_kubernetes_pod_name', 'pod'),
]

function jobsOfServices({ metadata, spec }: ServiceMonitor, kubeconfig: string): readonly ScrapeJob[] {
  const meta = '__meta_kubernetes_service'
  const labels = Object.entries(spec.selector.matchLabels)
  return spec.endpoints.map(({ port, path, honorLabels, interval, relabelings }, index) => ({
    job_name: `serviceMonitor/${metadata.namespace}/${metadata.name}/${index}`,
    honor_labels: honorLabels,
    metrics_path: path,
    ...(interval !== undefined && { scrape_interval: interval }),
    kubernetes_sd_configs: [
      {
        role: 'endpointslice',
        kubeconfig_file: kubeconfig,
        namespaces: { names: spec.namespaceSelector.matchNames },
      },
    ],
    relabel_configs: [
      ended,
      ...labels.map(([label, value]) => keep(`${meta}_label_${label}`, value)),
      keep('__meta_kubernetes_endpointslice_port_name', port),
      ...identity,
      copy(`${meta}_name`, 'job'),
      { target_label: 'endpoint', replacement: port },
      ...relabelings.map(ofMonitor),
    ],
  }))
}

function jobsOfPods({ metadata, spec }: PodMonitor, kubeconfig: string): readonly ScrapeJob[] {
  const { name, namespace } = metadata
  const meta = '__meta_kubernetes_pod'
  return spec.podMetricsEndpoints.map(({ port, path, honorLabels, relabelings }, index) => ({
    job_name: `podMonitor/${namespace}/${name}/${index}`,
    honor_labels: honorLabels,
    metrics_path: path,
    kubernetes_sd_configs: [{ role: 'pod', kubeconfig_file: kubeconfig, namespaces: { names: [namespace] } }],
    relabel_configs: [
      ended,
      ...Object.entries(spec.selector.matchLabels).map(([label, value]) =>
        keep(`${meta}_label_${label}`, value),
      ),
      keep(`${meta}_container_port_name`, port),
      ...identity,
      { target_label: 'job', replacement: `${namespace}/${name}` },
      { target_label: 'endpoint', replacement: port },
      ...relabelings.map(ofMonitor),
    ],
  }))
}
