/** The `controller` in metallb-system: assigns addresses to Services. */
import {
  allow,
  clusterRole,
  controlPlaneTolerations,
  disruptionBudget,
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
  unprivilegedContainer,
  unprivilegedPod,
} from './objects.ts'

const namespace = 'metallb-system'
const name = 'controller'
const labels: Labels = { app: 'metallb', component: name }

/** Webhooks of a MetalLB that was here before: while they are registered they are answered, else each pool is refused. */
const leftRegistrations = [
  allow(
    'admissionregistration.k8s.io',
    ['validatingwebhookconfigurations'],
    ['get'],
    ['metallb-webhook-configuration'],
  ),
  allow('apiextensions.k8s.io', ['customresourcedefinitions'], ['get'], ['bgppeers.metallb.io']),
]

export function controllerObjects(image: string): readonly Manifest[] {
  return [
    serviceAccount(namespace, name, { app: 'metallb' }),
    ...clusterRole(`${namespace}:${name}`, { namespace, name }, { app: 'metallb' }, [
      allow('', ['services'], read),
      allow('', ['services/status'], ['update']),
      allow('', ['namespaces', 'nodes'], ['list', 'watch']),
      allow('', ['events'], ['create', 'patch']),
      allow('metallb.io', metallbConfiguration, read),
      allow(
        'metallb.io',
        metallbConfiguration.map((kind) => `${kind}/status`),
        ['update'],
      ),
      ...leftRegistrations,
      // Said not to be read.
      allow('frrk8s.metallb.io', ['frrconfigurations'], ['list', 'watch']),
      allow('metallb.io', ['addresspools'], ['list', 'watch']),
    ]),
    ...role(namespace, name, [name], { app: 'metallb' }, [
      allow('', ['secrets'], ['list', 'watch', 'create']),
      allow('', ['configmaps'], ['list', 'watch']),
      allow('coordination.k8s.io', ['leases'], ['get', 'create', 'update']),
      allow('metallb.io', ['configurationstates'], ['get', 'create']),
      allow('metallb.io', ['configurationstates/status'], ['update']),
      allow(
        'metallb.io',
        ['servicel2statuses', 'servicebgpstatuses', 'bgpsessionstatuses'],
        ['list', 'watch'],
      ),
    ]),
    deployment(image),
    disruptionBudget(namespace, name, labels),
  ]
}

function deployment(image: string): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: {
      replicas: 1,
      revisionHistoryLimit: 3,
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels,
          annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '7472' },
        },
        spec: {
          serviceAccountName: name,
          terminationGracePeriodSeconds: 10,
          nodeSelector: linuxOnly,
          tolerations: controlPlaneTolerations,
          securityContext: unprivilegedPod,
          containers: [container(image)],
        },
      },
    },
  }
}

function container(image: string): object {
  return {
    name,
    image,
    terminationMessagePolicy,
    args: ['--port=7472', '--log-level=info'],
    env: [
      { name: 'METALLB_ML_SECRET_NAME', value: 'memberlist' },
      fieldEnv('METALLB_NAMESPACE', 'metadata.namespace'),
      fieldEnv('METALLB_POD_NAME', 'metadata.name'),
    ],
    ports: [
      { name: 'monitoring', containerPort: 7472 },
      { name: 'health', containerPort: 17472 },
    ],
    livenessProbe: httpProbe('/healthz', 'health', { initialDelaySeconds: 10, failureThreshold: 3 }),
    readinessProbe: httpProbe('/readyz', 'health', { initialDelaySeconds: 10, failureThreshold: 3 }),
    resources: { requests: { cpu: '20m', memory: '96Mi' } },
    securityContext: unprivilegedContainer,
  }
}
