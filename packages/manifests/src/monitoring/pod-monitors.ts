/**
 * Where the Prometheus operator finds `/metrics` of each program: PodMonitors, as each pod is a target of its own and no
 * Service is needed for it. The names of objects and ports are those of the manifests.
 */
import type { Labels, Manifest } from '../objects.ts'

/** What is scraped of one program. */
export interface Target {
  readonly namespace: 'metallb-system' | 'projectcontour'
  readonly name: 'controller' | 'speaker' | 'contour' | 'envoy'
  readonly labels: Labels
  /** Name of the container's port. */
  readonly port: string
  readonly path: string
}

const metallb = (name: 'controller' | 'speaker'): Target => ({
  namespace: 'metallb-system',
  name,
  labels: { app: 'metallb', component: name },
  port: 'monitoring',
  path: '/metrics',
})

const contour = (name: 'contour' | 'envoy', path: string): Target => ({
  namespace: 'projectcontour',
  name,
  labels: { app: name },
  port: 'metrics',
  path,
})

export const metallbTargets: readonly Target[] = [metallb('controller'), metallb('speaker')]
export const contourTargets: readonly Target[] = [
  contour('contour', '/metrics'),
  contour('envoy', '/stats/prometheus'),
]

/**
 * `honorLabels`: what the programs say of a namespace or a node is not that of the pod that says it. The node of the pod is
 * the label `node` where a metric has none.
 */
export function podMonitor({ namespace, name, labels, port, path }: Target): Manifest {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: { name, namespace, labels },
    spec: {
      selector: { matchLabels: labels },
      podMetricsEndpoints: [
        {
          port,
          path,
          honorLabels: true,
          relabelings: [{ sourceLabels: ['__meta_kubernetes_pod_node_name'], targetLabel: 'node' }],
        },
      ],
    },
  }
}
