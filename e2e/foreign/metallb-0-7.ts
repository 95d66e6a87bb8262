/**
 * What the manifests of MetalLB v0.4.6, v0.7.3 and v0.8.3 create, with our images: the era of the ConfigMap, before
 * membership. No custom resources, no Secret, no right to EndpointSlices, Leases, pods or namespaces. PodSecurityPolicies
 * are left out: that API is gone.
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

const limits = { cpu: '100m', memory: '100Mi' }
const ports = [{ name: 'monitoring', containerPort: 7472 }]
const tolerations = [{ key: 'node-role.kubernetes.io/master', effect: 'NoSchedule' }]
/** `beta.kubernetes.io/os` of those days is gone from nodes. */
const nodeSelector = { 'kubernetes.io/os': 'linux' }

interface Era {
  readonly args: readonly string[]
  readonly env: readonly object[]
  readonly capabilities: readonly string[]
  readonly speakerRules: readonly Rule[]
  readonly roles: readonly Manifest[]
}

const node = field('METALLB_NODE_NAME', 'spec.nodeName')
const events = rule('', ['events'], ['create', 'patch'])

const eras = {
  /** It elected its leader by an Endpoints object, and took the ConfigMap without being told its name. */
  'v0.4.6': {
    args: ['--port=7472'],
    env: [field('METALLB_NODE_IP', 'status.hostIP'), node],
    capabilities: ['net_raw'],
    speakerRules: [],
    roles: role(
      'leader-election',
      ['speaker'],
      [rule('', ['endpoints'], ['get', 'update'], ['metallb-speaker']), rule('', ['endpoints'], ['create'])],
    ),
  },
  'v0.7.3': {
    args: ['--port=7472', '--config=config'],
    env: [node],
    capabilities: ['net_raw'],
    speakerRules: [],
    roles: [],
  },
  'v0.8.3': {
    args: ['--port=7472', '--config=config'],
    env: [node, field('METALLB_HOST', 'status.hostIP')],
    capabilities: ['NET_ADMIN', 'NET_RAW', 'SYS_ADMIN'],
    speakerRules: [events],
    roles: [],
  },
} as const satisfies Readonly<Record<string, Era>>

export type EarlyRelease = keyof typeof eras

export function metallb07(release: EarlyRelease = 'v0.7.3'): readonly Manifest[] {
  const era: Era = eras[release]
  return [
    ...namespaceAndAccounts({ app: 'metallb' }),
    ...clusterRole('controller', [
      rule('', ['services'], [...read, 'update']),
      rule('', ['services/status'], ['update']),
      events,
    ]),
    ...clusterRole('speaker', [rule('', ['services', 'endpoints', 'nodes'], read), ...era.speakerRules]),
    ...era.roles,
    ...role(
      'config-watcher',
      ['controller', 'speaker'],
      [rule('', ['configmaps'], read), rule('', ['events'], ['create'])],
    ),
    controller(release, era),
    speaker(release, era),
  ]
}

/** The ConfigMap of that era. */
export function legacyConfig(config: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'config', namespace: system },
    data: { config },
  }
}

function controller(release: EarlyRelease, { args }: Era): Manifest {
  return workload('Deployment', 'controller', 7472, {
    terminationGracePeriodSeconds: 0,
    nodeSelector,
    securityContext: { runAsNonRoot: true, runAsUser: 65534 },
    containers: [
      {
        name: 'controller',
        image: `landfall/controller:${release}`,
        imagePullPolicy: 'IfNotPresent',
        args,
        ports,
        resources: { limits },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['all'] },
          readOnlyRootFilesystem: true,
        },
      },
    ],
  })
}

function speaker(release: EarlyRelease, { args, env, capabilities }: Era): Manifest {
  return workload('DaemonSet', 'speaker', 7472, {
    terminationGracePeriodSeconds: 0,
    hostNetwork: true,
    nodeSelector,
    tolerations,
    containers: [
      {
        name: 'speaker',
        image: `landfall/speaker:${release}`,
        imagePullPolicy: 'IfNotPresent',
        args,
        env,
        ports,
        resources: { limits },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['all'], add: capabilities },
        },
      },
    ],
  })
}
