/**
 * What the manifests of Contour 1.20 and 1.33 create besides definitions, with our image in place of Contour's: roles verb
 * by verb, flags, ports, probes, grace periods. Contour 1.20 reads Endpoints. Envoy's image is the lab's own; that of 1.20
 * (1.21) is older than any that is served.
 */
import type { Manifest } from '../lab/index.ts'
import { field, type Rule, read, rule } from './objects.ts'

const namespace = 'projectcontour'
const write = ['create', 'get', 'update']
const rbac = 'rbac.authorization.k8s.io'
const gateway = 'gateway.networking.k8s.io'
const kinds = ['extensionservices', 'httpproxies', 'tlscertificatedelegations', 'contourconfigurations']
const routes = ['gatewayclasses', 'gateways', 'httproutes', 'tlsroutes']
const unprivileged = { runAsNonRoot: true, runAsUser: 65534, runAsGroup: 65534 }

export type ContourRelease = 'v1.20' | 'v1.33'

export function contour(release: ContourRelease): readonly Manifest[] {
  const image = `landfall/contour:${release}`
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...['contour', 'envoy', 'contour-certgen'].map(account),
    configuration(),
    ...granted('Role', 'contour-certgen', 'contour-certgen', [rule('', ['secrets'], ['create', 'update'])]),
    ...granted('ClusterRole', 'contour', 'contour', clusterRules(release)),
    ...granted('Role', 'contour-rolebinding', 'contour', [
      rule('', ['events'], write),
      ...(release === 'v1.20' ? [rule('', ['configmaps'], write)] : []),
      rule('coordination.k8s.io', ['leases'], write),
    ]),
    service('contour', 'ClusterIP', [{ name: 'xds', port: 8001, targetPort: 8001 }]),
    service('envoy', 'LoadBalancer', [
      { name: 'http', port: 80, targetPort: 8080 },
      { name: 'https', port: 443, targetPort: 8443 },
    ]),
    certgen(release, image),
    deployment(release, image),
    daemonSet(release, image),
  ]
}

function clusterRules(release: ContourRelease): readonly Rule[] {
  const early = release === 'v1.20'
  return [
    rule('', [...(early ? ['endpoints'] : ['configmaps']), 'namespaces', 'secrets', 'services'], read),
    ...(early ? [] : [rule('discovery.k8s.io', ['endpointslices'], read)]),
    rule(gateway, routes, read),
    rule(
      gateway,
      routes.map((kind) => `${kind}/status`),
      ['update'],
    ),
    rule('networking.k8s.io', ['ingresses', ...(early ? ['ingressclasses'] : [])], read),
    rule('networking.k8s.io', ['ingresses/status'], early ? write : ['create', 'get', 'update']),
    rule('projectcontour.io', kinds, read),
    rule(
      'projectcontour.io',
      kinds.filter((kind) => kind !== 'tlscertificatedelegations').map((kind) => `${kind}/status`),
      write,
    ),
  ]
}

function account(name: string): Manifest {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } }
}

/** The file as it ships: all but a few lines of it are comments. */
function configuration(): Manifest {
  const text = ['disablePermitInsecure: false', 'accesslog-format: envoy', 'tls:', 'policy:', ''].join('\n')
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'contour', namespace },
    data: { 'contour.yaml': text },
  }
}

function granted(
  kind: 'Role' | 'ClusterRole',
  name: string,
  accountName: string,
  rules: readonly Rule[],
): readonly Manifest[] {
  const metadata = { name, ...(kind === 'Role' && { namespace }) }
  return [
    { apiVersion: `${rbac}/v1`, kind, metadata, rules },
    {
      apiVersion: `${rbac}/v1`,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: rbac, kind, name },
      subjects: [{ kind: 'ServiceAccount', name: accountName, namespace }],
    },
  ]
}

function service(name: string, type: string, ports: readonly object[]): Manifest {
  const spec = { type, selector: { app: name }, ports, ...(type === 'LoadBalancer' && local) }
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec }
}

const local = { externalTrafficPolicy: 'Local' }

function certgen(release: ContourRelease, image: string): Manifest {
  const args = [
    'certgen',
    '--kube',
    '--incluster',
    '--overwrite',
    '--secrets-format=compact',
    '--namespace=$(CONTOUR_NAMESPACE)',
  ]
  const container = {
    name: 'contour',
    image,
    command: ['contour'],
    args,
    env: [field('CONTOUR_NAMESPACE', 'metadata.namespace')],
  }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: `contour-certgen-${release.replace('.', '-')}-0`, namespace },
    spec: {
      backoffLimit: 1,
      ttlSecondsAfterFinished: 0,
      template: {
        metadata: { labels: { app: 'contour-certgen' } },
        spec: {
          serviceAccountName: 'contour-certgen',
          restartPolicy: 'Never',
          securityContext: unprivileged,
          containers: [container],
        },
      },
    },
  }
}

function deployment(release: ContourRelease, image: string): Manifest {
  const labels = { app: 'contour' }
  const debug = release === 'v1.20' ? [{ name: 'debug', containerPort: 6060 }] : []
  const container = {
    name: 'contour',
    image,
    command: ['contour'],
    args: [
      'serve',
      '--incluster',
      '--xds-address=0.0.0.0',
      '--xds-port=8001',
      '--contour-cafile=/certs/ca.crt',
      '--contour-cert-file=/certs/tls.crt',
      '--contour-key-file=/certs/tls.key',
      '--config-path=/config/contour.yaml',
    ],
    env: [field('CONTOUR_NAMESPACE', 'metadata.namespace'), field('POD_NAME', 'metadata.name')],
    ports: [{ name: 'xds', containerPort: 8001 }, { name: 'metrics', containerPort: 8000 }, ...debug],
    livenessProbe: { httpGet: { path: '/healthz', port: 8000 } },
    readinessProbe: { tcpSocket: { port: 8001 }, periodSeconds: 10 },
    volumeMounts: [
      { name: 'contourcert', mountPath: '/certs', readOnly: true },
      { name: 'contour-config', mountPath: '/config', readOnly: true },
    ],
  }
  const config = {
    name: 'contour',
    defaultMode: 0o644,
    items: [{ key: 'contour.yaml', path: 'contour.yaml' }],
  }
  const pod = {
    serviceAccountName: 'contour',
    securityContext: unprivileged,
    containers: [container],
    volumes: [
      { name: 'contourcert', secret: { secretName: 'contourcert' } },
      { name: 'contour-config', configMap: config },
    ],
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'contour', namespace, labels },
    spec: {
      replicas: 2,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '50%' } },
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: pod },
    },
  }
}

function daemonSet(release: ContourRelease, image: string): Manifest {
  const labels = { app: 'envoy' }
  const env = [field('CONTOUR_NAMESPACE', 'metadata.namespace'), field('ENVOY_POD_NAME', 'metadata.name')]
  const admin = { name: 'envoy-admin', mountPath: '/admin' }
  const certs = { name: 'envoycert', mountPath: '/certs', readOnly: true }
  const shell = release === 'v1.20' ? '/bin/contour' : 'contour'
  const manager = {
    name: 'shutdown-manager',
    image,
    command: [shell],
    args: ['envoy', 'shutdown-manager'],
    lifecycle: { preStop: { exec: { command: [shell, 'envoy', 'shutdown'] } } },
    ...(release === 'v1.20' && {
      livenessProbe: { httpGet: { path: '/healthz', port: 8090 }, initialDelaySeconds: 3, periodSeconds: 10 },
    }),
    volumeMounts: [admin],
  }
  const envoy = {
    name: 'envoy',
    image: 'envoyproxy/envoy:distroless-v1.40.0',
    command: ['envoy'],
    args: [
      '-c',
      '/config/envoy.json',
      '--service-cluster',
      '$(CONTOUR_NAMESPACE)',
      '--service-node',
      '$(ENVOY_POD_NAME)',
      '--log-level',
      'info',
    ],
    env,
    ports: [
      { name: 'http', containerPort: 8080, hostPort: 80, protocol: 'TCP' },
      { name: 'https', containerPort: 8443, hostPort: 443, protocol: 'TCP' },
      { name: 'metrics', containerPort: 8002, hostPort: 8002, protocol: 'TCP' },
    ],
    readinessProbe: { httpGet: { path: '/ready', port: 8002 }, initialDelaySeconds: 3, periodSeconds: 4 },
    lifecycle: { preStop: { httpGet: { path: '/shutdown', port: 8090, scheme: 'HTTP' } } },
    volumeMounts: [{ name: 'envoy-config', mountPath: '/config', readOnly: true }, certs, admin],
  }
  const pod = {
    serviceAccountName: 'envoy',
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 300,
    restartPolicy: 'Always',
    securityContext: unprivileged,
    initContainers: [bootstrap(image, env, certs)],
    containers: [manager, envoy],
    volumes: [
      { name: 'envoy-admin', emptyDir: {} },
      { name: 'envoy-config', emptyDir: {} },
      { name: 'envoycert', secret: { secretName: 'envoycert' } },
    ],
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'envoy', namespace, labels },
    spec: {
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: pod },
    },
  }
}

function bootstrap(image: string, env: readonly object[], certs: object): object {
  return {
    name: 'envoy-initconfig',
    image,
    command: ['contour'],
    args: [
      'bootstrap',
      '/config/envoy.json',
      '--xds-address=contour',
      '--xds-port=8001',
      '--xds-resource-version=v3',
      '--resources-dir=/config/resources',
      '--envoy-cafile=/certs/ca.crt',
      '--envoy-cert-file=/certs/tls.crt',
      '--envoy-key-file=/certs/tls.key',
    ],
    env,
    volumeMounts: [{ name: 'envoy-config', mountPath: '/config' }, certs],
  }
}
