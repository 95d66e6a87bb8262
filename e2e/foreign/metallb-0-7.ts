/**
 * What the manifest of MetalLB v0.7.3 creates, with our images: the era of the ConfigMap. No custom resources, no
 * Secret, no right to EndpointSlices, Leases, pods or namespaces, and none to events for the speaker. Its
 * PodSecurityPolicy is left out: that API is gone.
 */
import type { Manifest } from '../lab/index.ts'
import { clusterRole, field, namespaceAndAccounts, read, role, rule, system, workload } from './objects.ts'

const limits = { cpu: '100m', memory: '100Mi' }
const ports = [{ name: 'monitoring', containerPort: 7472 }]
const tolerations = [{ key: 'node-role.kubernetes.io/master', effect: 'NoSchedule' }]
const nodeSelector = { 'kubernetes.io/os': 'linux' }

export interface Era {
  /** v0.4.6 passed the address of the node too. */
  readonly nodeAddress?: boolean
}

export function metallb07({ nodeAddress = false }: Era = {}): readonly Manifest[] {
  return [
    ...namespaceAndAccounts({ app: 'metallb' }),
    ...clusterRole('controller', [
      rule('', ['services'], [...read, 'update']),
      rule('', ['services/status'], ['update']),
      rule('', ['events'], ['create', 'patch']),
    ]),
    ...clusterRole('speaker', [rule('', ['services', 'endpoints', 'nodes'], read)]),
    ...role(
      'config-watcher',
      ['controller', 'speaker'],
      [rule('', ['configmaps'], read), rule('', ['events'], ['create'])],
    ),
    controller(),
    speaker(nodeAddress),
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

function controller(): Manifest {
  return workload('Deployment', 'controller', 7472, {
    terminationGracePeriodSeconds: 0,
    nodeSelector,
    securityContext: { runAsNonRoot: true, runAsUser: 65534 },
    containers: [
      {
        name: 'controller',
        image: 'landfall/controller:v0.7.3',
        imagePullPolicy: 'IfNotPresent',
        args: ['--port=7472', '--config=config'],
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

function speaker(nodeAddress: boolean): Manifest {
  return workload('DaemonSet', 'speaker', 7472, {
    terminationGracePeriodSeconds: 0,
    hostNetwork: true,
    nodeSelector,
    tolerations,
    containers: [
      {
        name: 'speaker',
        image: 'landfall/speaker:v0.7.3',
        imagePullPolicy: 'IfNotPresent',
        args: ['--port=7472', '--config=config'],
        env: [
          ...(nodeAddress ? [field('METALLB_NODE_IP', 'status.hostIP')] : []),
          field('METALLB_NODE_NAME', 'spec.nodeName'),
        ],
        ports,
        resources: { limits },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['all'], add: ['net_raw'] },
        },
      },
    ],
  })
}
