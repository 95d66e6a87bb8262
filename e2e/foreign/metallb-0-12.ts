/**
 * What the manifests of MetalLB v0.9, v0.12 and v0.13 (native) create besides definitions, webhooks and
 * PodSecurityPolicies, with our images: the era in which speakers know each other by pods, and their key is a variable.
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

const all = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']
const group = 'metallb.io'
const kinds = ['bgpadvertisements', 'bfdprofiles', 'communities', 'ipaddresspools', 'l2advertisements']
const limits = { cpu: '100m', memory: '100Mi' }
const nodeSelector = { 'kubernetes.io/os': 'linux' }
const tolerations = [{ key: 'node-role.kubernetes.io/master', operator: 'Exists', effect: 'NoSchedule' }]
const webhookSecret = 'webhook-server-cert'

/** What differs between them. */
interface Era {
  readonly args: readonly string[]
  readonly limited: boolean
  /** Its probes ask /metrics. */
  readonly probed: boolean
  readonly slices: boolean
  /** The controller makes the key of the speakers. */
  readonly makesKey: boolean
  /** It reads objects, not a ConfigMap, and has webhooks. */
  readonly objects: boolean
}

const eras = {
  'v0.9': {
    args: ['--port=7472', '--config=config'],
    limited: true,
    probed: false,
    slices: false,
    makesKey: false,
    objects: false,
  },
  'v0.12': {
    args: ['--port=7472', '--config=config', '--log-level=info'],
    limited: false,
    probed: true,
    slices: true,
    makesKey: true,
    objects: false,
  },
  'v0.13': {
    args: ['--port=7472', '--log-level=info'],
    limited: false,
    probed: true,
    slices: true,
    makesKey: true,
    objects: true,
  },
} as const satisfies Readonly<Record<string, Era>>

export type MiddleRelease = keyof typeof eras

export function metallb012(release: MiddleRelease): readonly Manifest[] {
  const era: Era = eras[release]
  const namespaces = era.objects ? ['namespaces'] : []
  return [
    ...namespaceAndAccounts({ app: 'metallb' }),
    ...clusterRole('controller', [
      rule('', ['services', ...namespaces], [...read, ...(era.makesKey ? [] : ['update'])]),
      rule('', ['services/status'], ['update']),
      rule('', ['events'], ['create', 'patch']),
      ...(era.objects ? webhookRules() : []),
    ]),
    ...clusterRole('speaker', [
      rule('', ['services', 'endpoints', 'nodes', ...namespaces], read),
      ...(era.slices ? [rule('discovery.k8s.io', ['endpointslices'], read)] : []),
      rule('', ['events'], ['create', 'patch']),
    ]),
    ...(era.objects
      ? []
      : role('config-watcher', ['controller', 'speaker'], [rule('', ['configmaps'], read)])),
    ...role(
      'pod-lister',
      ['speaker'],
      [
        rule('', ['pods'], ['list']),
        ...(era.objects
          ? [rule('', ['secrets'], read), rule(group, [...kinds, 'addresspools', 'bgppeers'], read)]
          : []),
      ],
    ),
    ...(era.makesKey ? role('controller', ['controller'], keyRules(era)) : [key()]),
    ...(era.objects ? [certificate()] : []),
    controller(release, era),
    speaker(release, era),
  ]
}

function webhookRules(): readonly Rule[] {
  const own = [...kinds, 'addresspools', 'bgppeers'].map((plural) => `${plural}.${group}`)
  return [
    rule('admissionregistration.k8s.io', ['validatingwebhookconfigurations'], all, [
      'metallb-webhook-configuration',
    ]),
    rule('admissionregistration.k8s.io', ['validatingwebhookconfigurations'], ['list', 'watch']),
    rule('apiextensions.k8s.io', ['customresourcedefinitions'], all, own),
    rule('apiextensions.k8s.io', ['customresourcedefinitions'], ['list', 'watch']),
  ]
}

function keyRules({ objects }: Era): readonly Rule[] {
  return [
    rule('', ['secrets'], objects ? all : ['create']),
    rule('', ['secrets'], ['list'], ['memberlist']),
    rule('apps', ['deployments'], ['get'], ['controller']),
    ...(objects
      ? [rule(group, ['bgppeers'], ['get', 'list']), rule(group, [...kinds, 'addresspools'], read)]
      : []),
  ]
}

/** Made by hand in those days. */
function key(): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'memberlist', namespace: system },
    stringData: { secretkey: 'c3BlYWtlcnMgb2YgdjAuOSBrbm93IHRoaXMga2V5' },
  }
}

function certificate(): Manifest {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: webhookSecret, namespace: system } }
}

function probes({ probed }: Era): object {
  const probe = {
    httpGet: { path: '/metrics', port: 'monitoring' },
    initialDelaySeconds: 10,
    periodSeconds: 10,
    timeoutSeconds: 1,
    failureThreshold: 3,
  }
  return probed ? { livenessProbe: probe, readinessProbe: probe } : {}
}

function controller(release: MiddleRelease, era: Era): Manifest {
  const webhook = era.objects ? [{ name: 'webhook-server', containerPort: 9443, protocol: 'TCP' }] : []
  const env = [
    { name: 'METALLB_ML_SECRET_NAME', value: 'memberlist' },
    { name: 'METALLB_DEPLOYMENT', value: 'controller' },
  ]
  return workload('Deployment', 'controller', 7472, {
    terminationGracePeriodSeconds: 0,
    nodeSelector,
    securityContext: { runAsNonRoot: true, runAsUser: 65534, ...(era.objects && { fsGroup: 65534 }) },
    containers: [
      {
        name: 'controller',
        image: `landfall/controller:${release}`,
        args: era.args,
        ...(era.makesKey && { env }),
        ports: [{ name: 'monitoring', containerPort: 7472 }, ...webhook],
        ...(era.limited && { resources: { limits } }),
        ...probes(era),
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['all'] },
          readOnlyRootFilesystem: true,
        },
        ...(era.objects && {
          volumeMounts: [
            { name: 'cert', mountPath: '/tmp/k8s-webhook-server/serving-certs', readOnly: true },
          ],
        }),
      },
    ],
    ...(era.objects && {
      volumes: [{ name: 'cert', secret: { secretName: webhookSecret, defaultMode: 0o644 } }],
    }),
  })
}

function speaker(release: MiddleRelease, era: Era): Manifest {
  const secretKeyRef = { name: 'memberlist', key: 'secretkey' }
  const member = [
    { name: 'memberlist-tcp', containerPort: 7946 },
    { name: 'memberlist-udp', containerPort: 7946, protocol: 'UDP' },
  ]
  return workload('DaemonSet', 'speaker', 7472, {
    terminationGracePeriodSeconds: 2,
    hostNetwork: true,
    nodeSelector,
    tolerations,
    containers: [
      {
        name: 'speaker',
        image: `landfall/speaker:${release}`,
        args: era.args,
        env: [
          field('METALLB_NODE_NAME', 'spec.nodeName'),
          field('METALLB_HOST', 'status.hostIP'),
          field('METALLB_ML_BIND_ADDR', 'status.podIP'),
          { name: 'METALLB_ML_LABELS', value: 'app=metallb,component=speaker' },
          ...(era.makesKey ? [] : [field('METALLB_ML_NAMESPACE', 'metadata.namespace')]),
          { name: 'METALLB_ML_SECRET_KEY', valueFrom: { secretKeyRef } },
        ],
        ports: [{ name: 'monitoring', containerPort: 7472 }, ...(era.makesKey ? member : [])],
        ...(era.limited && { resources: { limits } }),
        ...probes(era),
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: {
            drop: ['ALL'],
            add: era.makesKey ? ['NET_RAW'] : ['NET_ADMIN', 'NET_RAW', 'SYS_ADMIN'],
          },
        },
      },
    ],
  })
}
