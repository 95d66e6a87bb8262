/**
 * What the native manifest of MetalLB v0.16 creates besides its definitions and webhooks, with our images: its roles
 * verb by verb, its flags, environment, ports, probes and security contexts.
 */
import type { Manifest } from '../lab/index.ts'
import {
  clusterRole,
  field,
  namespaceAndAccounts,
  type Rule,
  read,
  role,
  rule,
  system,
  workload,
} from './objects.ts'

const group = 'metallb.io'
const all = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']
const configuration = [
  'bgpadvertisements',
  'bfdprofiles',
  'communities',
  'ipaddresspools',
  'l2advertisements',
]
const tolerations = ['master', 'control-plane'].map((name) => ({
  key: `node-role.kubernetes.io/${name}`,
  operator: 'Exists',
  effect: 'NoSchedule',
}))
const nodeSelector = { 'kubernetes.io/os': 'linux' }
const privileged = Object.fromEntries(
  ['enforce', 'audit', 'warn'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'privileged']),
)
export const webhookSecret = 'metallb-webhook-cert'

export function metallb016(): readonly Manifest[] {
  return [
    ...namespaceAndAccounts(privileged),
    ...clusterRole('controller', controllerRules()),
    ...clusterRole('speaker', [
      rule(group, withStatus('servicel2statuses'), ['*']),
      rule(group, withStatus('configurationstates'), ['*']),
      rule('', ['services', 'endpoints', 'nodes', 'namespaces'], read),
      rule('discovery.k8s.io', ['endpointslices'], read),
      rule('', ['events'], ['create', 'patch']),
    ]),
    ...role(
      'controller',
      ['controller'],
      [
        rule('', ['secrets'], all),
        rule('', ['secrets'], ['list'], ['memberlist']),
        rule('apps', ['deployments'], ['get'], ['controller']),
        rule(group, ['bgppeers'], ['get', 'list']),
        rule(group, configuration, read),
        rule(group, ['ipaddresspools/status'], ['update']),
      ],
    ),
    ...role(
      'pod-lister',
      ['speaker', 'controller'],
      [
        rule('', ['pods'], ['get', 'list']),
        rule('', ['secrets', 'configmaps'], read),
        rule(group, [...configuration, 'bgppeers'], read),
        rule(group, withStatus('servicebgpstatuses'), ['*']),
      ],
    ),
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: webhookSecret, namespace: system } },
    excludes(),
    controller(),
    speaker(),
  ]
}

function controllerRules(): readonly Rule[] {
  const webhooks = 'admissionregistration.k8s.io'
  const definitions = 'apiextensions.k8s.io'
  const own = [...configuration, 'bgppeers', 'configurationstates'].map((plural) => `${plural}.${group}`)
  return [
    rule('', ['services', 'namespaces'], read),
    rule('', ['nodes'], ['list']),
    rule('', ['services/status'], ['update']),
    rule('', ['events'], ['create', 'patch']),
    rule(webhooks, ['validatingwebhookconfigurations'], all, ['metallb-webhook-configuration']),
    rule(webhooks, ['validatingwebhookconfigurations'], ['list', 'watch']),
    rule(definitions, ['customresourcedefinitions'], all, own),
    rule(definitions, ['customresourcedefinitions'], ['list', 'watch']),
    rule(group, withStatus('configurationstates'), ['*']),
  ]
}

function withStatus(plural: string): readonly string[] {
  return [plural, `${plural}/status`]
}

function excludes(): Manifest {
  const patterns = [
    'docker',
    'cbr',
    'dummy',
    'virbr',
    'lxcbr',
    'veth',
    'cali',
    'tunl',
    'flannel',
    'cni',
    'lxc',
  ]
  const list = ['^lo$', ...patterns.map((name) => `^${name}.*`)].map((pattern) => `- ${pattern}\n`)
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'metallb-excludel2', namespace: system },
    data: { 'excludel2.yaml': `announcedInterfacesToExclude:\n${list.join('')}` },
  }
}

function controller(): Manifest {
  return workload('Deployment', 'controller', 9120, {
    terminationGracePeriodSeconds: 0,
    nodeSelector,
    securityContext: { runAsNonRoot: true, runAsUser: 65534, fsGroup: 65534 },
    containers: [
      {
        name: 'controller',
        image: 'landfall/controller:v0.16.1',
        args: ['--port=9120', '--log-level=info', '--tls-min-version=VersionTLS12'],
        env: [
          { name: 'METALLB_ML_SECRET_NAME', value: 'memberlist' },
          { name: 'METALLB_DEPLOYMENT', value: 'controller' },
          field('METALLB_POD_NAME', 'metadata.name'),
        ],
        ports: [
          { name: 'metricshttps', containerPort: 9120 },
          { name: 'webhook-server', containerPort: 9443, protocol: 'TCP' },
        ],
        ...probes({ port: 17472 }),
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          readOnlyRootFilesystem: true,
        },
        volumeMounts: [{ name: 'cert', mountPath: '/tmp/k8s-webhook-server/serving-certs', readOnly: true }],
      },
    ],
    volumes: [{ name: 'cert', secret: { secretName: webhookSecret, defaultMode: 0o644 } }],
  })
}

function speaker(): Manifest {
  return workload('DaemonSet', 'speaker', 9120, {
    terminationGracePeriodSeconds: 2,
    hostNetwork: true,
    nodeSelector,
    tolerations,
    containers: [
      {
        name: 'speaker',
        image: 'landfall/speaker:v0.16.1',
        args: ['--port=9120', '--log-level=info'],
        env: [
          field('METALLB_NODE_NAME', 'spec.nodeName'),
          field('METALLB_POD_NAME', 'metadata.name'),
          field('METALLB_HOST', 'status.hostIP'),
          field('METALLB_ML_BIND_ADDR', 'status.podIP'),
          { name: 'METALLB_ML_LABELS', value: 'app=metallb,component=speaker' },
          { name: 'METALLB_ML_SECRET_KEY_PATH', value: '/etc/ml_secret_key' },
        ],
        ports: [
          { name: 'metricshttps', containerPort: 9120 },
          { name: 'memberlist-tcp', containerPort: 7946 },
          { name: 'memberlist-udp', containerPort: 7946, protocol: 'UDP' },
        ],
        ...probes({ port: 17472, host: '127.0.0.1' }),
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { add: ['NET_RAW'], drop: ['ALL'] },
          readOnlyRootFilesystem: true,
        },
        volumeMounts: [
          { name: 'memberlist', mountPath: '/etc/ml_secret_key', readOnly: true },
          { name: 'metallb-excludel2', mountPath: '/etc/metallb', readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: 'memberlist', secret: { secretName: 'memberlist', defaultMode: 0o644 } },
      { name: 'metallb-excludel2', configMap: { name: 'metallb-excludel2', defaultMode: 0o400 } },
    ],
  })
}

function probes(at: { readonly port: number; readonly host?: string }): object {
  const timing = { initialDelaySeconds: 10, periodSeconds: 10, timeoutSeconds: 1, failureThreshold: 3 }
  return {
    livenessProbe: { httpGet: { path: '/healthz', ...at }, ...timing },
    readinessProbe: { httpGet: { path: '/readyz', ...at }, ...timing },
  }
}
