/** The `speaker` on every node: announces the addresses by ARP, NDP and BGP. */
import {
  allow,
  clusterRole,
  controlPlaneTolerations,
  fieldEnv,
  httpProbe,
  type Labels,
  linuxOnly,
  type Manifest,
  metallbConfiguration,
  read,
  role,
  serviceAccount,
  terminationMessagePolicy,
} from './objects.ts'

const namespace = 'metallb-system'
const name = 'speaker'
const labels: Labels = { app: 'metallb', component: name }

const written = ['servicel2statuses', 'servicebgpstatuses', 'bgpsessionstatuses', 'configurationstates'].map(
  (kind) => `${kind}/status`,
)

export function speakerObjects(image: string): readonly Manifest[] {
  return [
    serviceAccount(namespace, name, { app: 'metallb' }),
    ...clusterRole(`${namespace}:${name}`, { namespace, name }, { app: 'metallb' }, [
      allow('', ['services', 'nodes'], ['list', 'watch']),
      allow('discovery.k8s.io', ['endpointslices'], ['list', 'watch']),
      allow('', ['events'], ['create', 'patch']),
    ]),
    ...role(namespace, name, [name], { app: 'metallb' }, [
      allow('', ['pods'], read),
      allow('apps', ['daemonsets'], ['get']),
      allow('', ['secrets', 'configmaps'], ['list', 'watch']),
      allow('metallb.io', metallbConfiguration, ['list', 'watch']),
      allow('metallb.io', ['servicel2statuses', 'servicebgpstatuses'], [...read, 'create', 'delete']),
      allow('metallb.io', ['servicel2statuses'], ['deletecollection']),
      allow('metallb.io', ['bgpsessionstatuses'], [...read, 'create', 'delete']),
      allow('metallb.io', ['configurationstates'], [...read, 'create']),
      allow('metallb.io', written, ['update']),
    ]),
    daemonSet(image),
  ]
}

function daemonSet(image: string): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace, labels },
    spec: {
      revisionHistoryLimit: 3,
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels,
          annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '7472' },
        },
        spec: {
          serviceAccountName: name,
          hostNetwork: true,
          terminationGracePeriodSeconds: 10,
          nodeSelector: linuxOnly,
          tolerations: controlPlaneTolerations,
          securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
          containers: [container(image)],
          volumes: [
            { name: 'memberlist', secret: { secretName: 'memberlist', defaultMode: 0o400 } },
            { name: 'excludel2', configMap: { name: 'metallb-excludel2', optional: true } },
          ],
        },
      },
    },
  }
}

/** No CPU limit: a throttled speaker is late with heartbeats and ARP replies. */
function container(image: string): object {
  return {
    name,
    image,
    terminationMessagePolicy,
    args: ['--port=7472', '--log-level=info'],
    env: [
      fieldEnv('METALLB_NODE_NAME', 'spec.nodeName'),
      fieldEnv('METALLB_POD_NAME', 'metadata.name'),
      fieldEnv('METALLB_NAMESPACE', 'metadata.namespace'),
      fieldEnv('METALLB_HOST', 'status.hostIP'),
      fieldEnv('METALLB_ML_BIND_ADDR', 'status.podIP'),
      { name: 'METALLB_ML_LABELS', value: 'app=metallb,component=speaker' },
      { name: 'METALLB_ML_SECRET_KEY_PATH', value: '/etc/ml_secret_key' },
    ],
    ports: [
      { name: 'monitoring', containerPort: 7472 },
      { name: 'heartbeat', containerPort: 7946, protocol: 'UDP' },
    ],
    livenessProbe: httpProbe('/healthz', 'monitoring', { initialDelaySeconds: 10, failureThreshold: 3 }),
    readinessProbe: httpProbe('/readyz', 'monitoring', { initialDelaySeconds: 1, failureThreshold: 3 }),
    resources: { requests: { cpu: '50m', memory: '128Mi' } },
    securityContext: {
      runAsUser: 0,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'], add: ['NET_RAW'] },
      readOnlyRootFilesystem: true,
    },
    volumeMounts: [
      { name: 'memberlist', mountPath: '/etc/ml_secret_key', readOnly: true },
      { name: 'excludel2', mountPath: '/etc/metallb', readOnly: true },
    ],
  }
}
