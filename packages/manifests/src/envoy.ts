/** The `envoy` DaemonSet in projectcontour and the Service whose external address users curl. */
import {
  fieldEnv,
  httpProbe,
  type Labels,
  linuxOnly,
  type Manifest,
  serviceAccount,
  terminationMessagePolicy,
  unprivilegedContainer,
  unprivilegedPod,
} from './objects.ts'

const namespace = 'projectcontour'
const name = 'envoy'
const labels: Labels = { app: name }
/**
 * An Envoy that goes serves what still comes, until nothing new has come for two seconds. Not longer: a pod that is there
 * five seconds after its namespace began to go holds that namespace for half its grace period.
 */
const drain = ['contour', 'envoy', 'shutdown', '--quiet-period=2s', '--check-interval=1s']

/** @param contour image of the init container and of the shutdown manager */
export function envoyObjects(envoy: string, contour: string): readonly Manifest[] {
  return [serviceAccount(namespace, name, labels), service(), daemonSet(envoy, contour)]
}

/** `Local` keeps the client's address, and only nodes with a ready Envoy draw traffic. */
function service(): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels },
    spec: {
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      ipFamilyPolicy: 'PreferDualStack',
      selector: labels,
      ports: [
        { name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 },
        { name: 'https', port: 443, protocol: 'TCP', targetPort: 8443 },
      ],
    },
  }
}

function daemonSet(envoy: string, contour: string): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace, labels },
    spec: {
      revisionHistoryLimit: 3,
      // The next one is ready before the last one goes: the node never is without, and no address moves.
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels,
          annotations: {
            'prometheus.io/scrape': 'true',
            'prometheus.io/port': '8002',
            'prometheus.io/path': '/stats/prometheus',
          },
        },
        spec: {
          serviceAccountName: name,
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 300,
          nodeSelector: linuxOnly,
          securityContext: unprivilegedPod,
          initContainers: [bootstrap(contour)],
          containers: [shutdownManager(contour), proxy(envoy)],
          volumes: [
            { name: 'envoy-config', emptyDir: {} },
            { name: 'envoy-admin', emptyDir: {} },
            { name: 'envoycert', secret: { secretName: 'envoycert' } },
          ],
        },
      },
    },
  }
}

const podIdentity = [
  fieldEnv('CONTOUR_NAMESPACE', 'metadata.namespace'),
  fieldEnv('ENVOY_POD_NAME', 'metadata.name'),
]
const admin = { name: 'envoy-admin', mountPath: '/admin' }
const certs = { name: 'envoycert', mountPath: '/certs', readOnly: true }

function bootstrap(image: string): object {
  return {
    name: 'envoy-initconfig',
    image,
    terminationMessagePolicy,
    command: ['contour'],
    args: [
      'bootstrap',
      '/config/envoy.json',
      '--xds-address=contour',
      '--xds-port=8001',
      '--resources-dir=/config/resources',
      '--admin-address=/admin/admin.sock',
      '--envoy-cafile=/certs/ca.crt',
      '--envoy-cert-file=/certs/tls.crt',
      '--envoy-key-file=/certs/tls.key',
    ],
    env: podIdentity,
    resources: { requests: { cpu: '20m', memory: '64Mi' } },
    securityContext: unprivilegedContainer,
    volumeMounts: [{ name: 'envoy-config', mountPath: '/config' }, certs],
  }
}

function shutdownManager(image: string): object {
  return {
    name: 'shutdown-manager',
    image,
    terminationMessagePolicy,
    command: ['contour'],
    args: ['envoy', 'shutdown-manager'],
    lifecycle: { preStop: { exec: { command: drain } } },
    livenessProbe: httpProbe('/healthz', 8090, { initialDelaySeconds: 3, periodSeconds: 10 }),
    resources: { requests: { cpu: '10m', memory: '48Mi' } },
    securityContext: unprivilegedContainer,
    volumeMounts: [admin],
  }
}

function proxy(image: string): object {
  return {
    name,
    image,
    terminationMessagePolicy,
    command: ['envoy'],
    args: [
      '-c',
      '/config/envoy.json',
      '--service-cluster $(CONTOUR_NAMESPACE)',
      '--service-node $(ENVOY_POD_NAME)',
      '--log-level info',
    ].flatMap((text) => text.split(' ')),
    env: podIdentity,
    ports: [
      { name: 'http', containerPort: 8080 },
      { name: 'https', containerPort: 8443 },
      { name: 'metrics', containerPort: 8002 },
    ],
    lifecycle: { preStop: { httpGet: { path: '/shutdown', port: 8090 } } },
    readinessProbe: httpProbe('/ready', 8002, { periodSeconds: 4 }),
    resources: { requests: { cpu: '100m', memory: '128Mi' } },
    securityContext: unprivilegedContainer,
    volumeMounts: [{ name: 'envoy-config', mountPath: '/config', readOnly: true }, admin, certs],
  }
}
