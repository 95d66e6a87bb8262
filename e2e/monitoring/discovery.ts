/**
 * What Prometheus would scrape by a job if these objects ran, a pod of each workload: its discovery of pods and of
 * EndpointSlices, and its relabeling, in small. Pure.
 */
import type { Relabeling, ScrapeJob } from './scrape-config.ts'

type Labels = Readonly<Record<string, string>>

interface ContainerPort {
  readonly name?: string
  readonly containerPort: number
}

interface ServicePort {
  readonly name: string
  readonly port: number
  readonly targetPort?: number | string
}

interface Meta {
  readonly name: string
  readonly namespace?: string
  readonly labels?: Labels
}

export interface WorkloadObject {
  readonly kind: 'Deployment' | 'DaemonSet'
  readonly metadata: Meta
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: Labels }
      readonly spec: {
        readonly containers: readonly { readonly name: string; readonly ports?: readonly ContainerPort[] }[]
      }
    }
  }
}

export interface ServiceObject {
  readonly kind: 'Service'
  readonly metadata: Meta
  readonly spec: { readonly selector: Labels; readonly ports: readonly ServicePort[] }
}

export interface Target {
  /** Of the workload. */
  readonly pod: string
  readonly port: number
  readonly path: string
  readonly labels: Labels
}

interface Found {
  readonly pod: string
  readonly port: number
  readonly meta: Labels
}

type Cluster = readonly (WorkloadObject | ServiceObject)[]

export function targetsOf(job: ScrapeJob, cluster: Cluster): readonly Target[] {
  const found = job.kubernetes_sd_configs.flatMap(({ role, namespaces }) => {
    const inside = cluster.filter(({ metadata }) => namespaces.names.includes(metadata.namespace ?? ''))
    return role === 'pod' ? podPorts(inside) : sliceEndpoints(inside)
  })
  return found.flatMap(({ pod, port, meta }) => {
    const labels = relabelled(meta, job.relabel_configs)
    if (labels === undefined) return []
    const own = Object.entries(labels).filter(([name]) => !name.startsWith('__'))
    return [{ pod, port, path: job.metrics_path, labels: Object.fromEntries(own) }]
  })
}

function podPorts(cluster: Cluster): readonly Found[] {
  return cluster.filter(isWorkload).flatMap((workload) =>
    portsOf(workload).map(({ container, name = '', containerPort }) => ({
      pod: workload.metadata.name,
      port: containerPort,
      meta: {
        ...podMeta(workload),
        __meta_kubernetes_pod_container_name: container,
        __meta_kubernetes_pod_container_port_name: name,
      },
    })),
  )
}

/** The label of a container is there where the pod says that it has the port. */
function sliceEndpoints(cluster: Cluster): readonly Found[] {
  const workloads = cluster.filter(isWorkload)
  return cluster.filter(isService).flatMap(({ metadata, spec }) =>
    workloads
      .filter((one) => includes(one.spec.template.metadata.labels, spec.selector))
      .flatMap((workload) =>
        spec.ports.flatMap(({ name, port, targetPort = port }) => {
          const ports = portsOf(workload)
          const own = ports.find((one) => [one.containerPort, one.name].includes(targetPort))
          const number = own?.containerPort ?? targetPort
          if (typeof number !== 'number') return []
          const meta = {
            ...podMeta(workload),
            ...prefixed('__meta_kubernetes_service_label_', metadata.labels ?? {}),
            __meta_kubernetes_service_name: metadata.name,
            __meta_kubernetes_endpointslice_port_name: name,
            ...(own && { __meta_kubernetes_pod_container_name: own.container }),
          }
          return [{ pod: workload.metadata.name, port: number, meta }]
        }),
      ),
  )
}

function podMeta({ metadata, spec }: WorkloadObject): Labels {
  return {
    ...prefixed('__meta_kubernetes_pod_label_', spec.template.metadata.labels),
    __meta_kubernetes_namespace: metadata.namespace ?? '',
    __meta_kubernetes_pod_name: metadata.name,
    __meta_kubernetes_pod_node_name: 'a-node',
    __meta_kubernetes_pod_phase: 'Running',
  }
}

function portsOf({ spec }: WorkloadObject) {
  const { containers } = spec.template.spec
  return containers.flatMap(({ name: container, ports = [] }) => ports.map((one) => ({ ...one, container })))
}

/** @returns undefined when it is dropped */
function relabelled(labels: Labels, rules: readonly Relabeling[]): Labels | undefined {
  const all = { ...labels }
  for (const { action, source_labels = [], regex = '(.*)', target_label = '', replacement = '$1' } of rules) {
    const value = source_labels.map((name) => all[name] ?? '').join(';')
    const match = new RegExp(`^(?:${regex})$`).exec(value)
    if ((action === 'keep' && match === null) || (action === 'drop' && match !== null)) return undefined
    if (action !== undefined || match === null) continue
    const result = replacement.replace('$1', match[1] ?? '')
    if (result !== '') all[target_label] = result
  }
  return all
}

/** As Prometheus writes names of labels. */
function prefixed(prefix: string, labels: Labels): Labels {
  const entries = Object.entries(labels)
  return Object.fromEntries(
    entries.map(([name, value]) => [`${prefix}${name.replaceAll(/[^\w]/g, '_')}`, value]),
  )
}

function includes(labels: Labels, selector: Labels): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value)
}

function isWorkload(one: WorkloadObject | ServiceObject): one is WorkloadObject {
  return one.kind !== 'Service'
}

function isService(one: WorkloadObject | ServiceObject): one is ServiceObject {
  return one.kind === 'Service'
}
