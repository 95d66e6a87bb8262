/** The `contour` Deployment in projectcontour: the control plane that programs Envoy, and the Job that makes its certificates. */
import {
  allow,
  clusterRole,
  disruptionBudget,
  fieldEnv,
  httpProbe,
  type Labels,
  linuxOnly,
  type Manifest,
  read,
  role,
  serviceAccount,
  terminationMessagePolicy,
  unprivilegedContainer,
  unprivilegedPod,
} from './objects.ts'

const namespace = 'projectcontour'
const name = 'contour'
const labels: Labels = { app: name }
/** As Contour calls it. Its own `contour` binds another Role, and to which Role a binding refers cannot be changed. */
const contourBinding = 'contour-rolebinding'

export function contourObjects(image: string, version: string): readonly Manifest[] {
  return [
    serviceAccount(namespace, name, labels),
    ...clusterRole(name, { namespace, name }, labels, [
      allow('', ['services', 'secrets'], ['list', 'watch']),
      allow('discovery.k8s.io', ['endpointslices'], ['list', 'watch']),
      allow('networking.k8s.io', ['ingresses'], read),
      allow('networking.k8s.io', ['ingresses/status'], ['update']),
      allow('projectcontour.io', ['httpproxies'], read),
      allow('projectcontour.io', ['httpproxies/status'], ['update']),
      allow('projectcontour.io', ['extensionservices'], read),
      allow('projectcontour.io', ['extensionservices/status'], ['update']),
      allow('projectcontour.io', ['tlscertificatedelegations'], ['list', 'watch']),
      allow('projectcontour.io', ['contourconfigurations'], read),
      allow('projectcontour.io', ['contourconfigurations/status'], ['update']),
      allow('', ['events'], ['list', 'create', 'patch']),
    ]),
    ...role(
      namespace,
      name,
      [name],
      labels,
      [
        allow('coordination.k8s.io', ['leases'], ['get', 'create', 'update']),
        allow('', ['secrets'], ['get', 'update'], ['cacert', 'contourcert', 'envoycert']),
      ],
      contourBinding,
    ),
    service(),
    deployment(image),
    disruptionBudget(namespace, name, labels),
    ...certgenObjects(image, version),
  ]
}

function service(): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels },
    spec: {
      type: 'ClusterIP',
      ipFamilyPolicy: 'PreferDualStack',
      selector: labels,
      ports: [{ name: 'xds', port: 8001, protocol: 'TCP', targetPort: 8001 }],
    },
  }
}

function deployment(image: string): Manifest {
  const spread = { labelSelector: { matchLabels: labels }, topologyKey: 'kubernetes.io/hostname' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: {
      replicas: 2,
      revisionHistoryLimit: 3,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '50%' } },
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels,
          annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8000' },
        },
        spec: {
          serviceAccountName: name,
          nodeSelector: linuxOnly,
          securityContext: unprivilegedPod,
          affinity: {
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: spread }],
            },
          },
          containers: [container(image)],
          volumes: [{ name: 'contourcert', secret: { secretName: 'contourcert' } }],
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
    command: ['contour'],
    args: [
      'serve',
      '--incluster',
      '--xds-address=::',
      '--xds-port=8001',
      '--contour-cafile=/certs/ca.crt',
      '--contour-cert-file=/certs/tls.crt',
      '--contour-key-file=/certs/tls.key',
    ],
    env: [fieldEnv('CONTOUR_NAMESPACE', 'metadata.namespace'), fieldEnv('POD_NAME', 'metadata.name')],
    ports: [
      { name: 'xds', containerPort: 8001 },
      { name: 'metrics', containerPort: 8000 },
    ],
    livenessProbe: httpProbe('/healthz', 8000, { initialDelaySeconds: 15, periodSeconds: 10 }),
    readinessProbe: httpProbe('/readyz', 8000, { periodSeconds: 5 }),
    resources: { requests: { cpu: '50m', memory: '128Mi' } },
    securityContext: unprivilegedContainer,
    volumeMounts: [{ name: 'contourcert', mountPath: '/certs', readOnly: true }],
  }
}

/** A Job cannot be changed once it exists, so its name carries the version. */
function certgenObjects(image: string, version: string): readonly Manifest[] {
  const account = 'contour-certgen'
  const job: Labels = { app: account }
  return [
    serviceAccount(namespace, account, job),
    ...role(namespace, account, [account], job, [allow('', ['secrets'], ['get', 'create', 'update'])]),
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: `contour-certgen-v${version.replaceAll(/[^a-z0-9]/g, '-')}`, namespace, labels: job },
      spec: {
        backoffLimit: 10,
        template: {
          metadata: { labels: job },
          spec: {
            serviceAccountName: account,
            restartPolicy: 'OnFailure',
            nodeSelector: linuxOnly,
            securityContext: unprivilegedPod,
            containers: [
              {
                name: 'contour',
                image,
                terminationMessagePolicy,
                command: ['contour'],
                args: [
                  'certgen',
                  '--kube',
                  '--incluster',
                  '--secrets-format=compact',
                  '--namespace=$(CONTOUR_NAMESPACE)',
                ],
                env: [fieldEnv('CONTOUR_NAMESPACE', 'metadata.namespace')],
                resources: { requests: { cpu: '20m', memory: '64Mi' } },
                securityContext: unprivilegedContainer,
              },
            ],
          },
        },
      },
    },
  ]
}
