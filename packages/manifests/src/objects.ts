/** Kubernetes objects as plain values, and the few shapes that every component repeats. */

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

/** A group of a file under a heading of its own. */
export interface Section {
  readonly title: string
  readonly objects: readonly object[]
}

export interface PolicyRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

export type Labels = Readonly<Record<string, string>>

export const read: readonly string[] = ['get', 'list', 'watch']

/** The metallb.io kinds that say what is wanted; the rest say what is. */
export const metallbConfiguration: readonly string[] = [
  'ipaddresspools',
  'l2advertisements',
  'bgpadvertisements',
  'bgppeers',
  'bfdprofiles',
  'communities',
]

/** `resources` may name sub-resources: `services/status`. */
export function allow(
  apiGroup: string,
  resources: readonly string[],
  verbs: readonly string[],
  resourceNames?: readonly string[],
): PolicyRule {
  return { apiGroups: [apiGroup], resources, ...(resourceNames && { resourceNames }), verbs }
}

export function serviceAccount(namespace: string, name: string, labels: Labels): Manifest {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace, labels } }
}

/** A ClusterRole, bound to one ServiceAccount under the same name. */
export function clusterRole(
  name: string,
  account: { readonly namespace: string; readonly name: string },
  labels: Labels,
  rules: readonly PolicyRule[],
): readonly Manifest[] {
  return [
    { apiVersion: rbac, kind: 'ClusterRole', metadata: { name, labels }, rules },
    {
      apiVersion: rbac,
      kind: 'ClusterRoleBinding',
      metadata: { name, labels },
      roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    },
  ]
}

/** A Role, bound to ServiceAccounts of its own namespace, under the same name unless another is given. */
export function role(
  namespace: string,
  name: string,
  accounts: readonly string[],
  labels: Labels,
  rules: readonly PolicyRule[],
  binding = name,
): readonly Manifest[] {
  return [
    { apiVersion: rbac, kind: 'Role', metadata: { name, namespace, labels }, rules },
    {
      apiVersion: rbac,
      kind: 'RoleBinding',
      metadata: { name: binding, namespace, labels },
      roleRef: { apiGroup: rbacGroup, kind: 'Role', name },
      subjects: accounts.map((account) => ({ kind: 'ServiceAccount', namespace, name: account })),
    },
  ]
}

/**
 * Lets one pod of a Deployment at a time go, so that a drain always gets on. A DaemonSet needs none: a drain passes over
 * its pods, and a budget cannot count them (they have no scale).
 */
export function disruptionBudget(namespace: string, name: string, labels: Labels): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace, labels },
    spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
  }
}

/** The end of its log is the last word of a container that leaves none: `landfall status` shows it. */
export const terminationMessagePolicy = 'FallbackToLogsOnError'

/** No privilege at all: any user but root, no capability, nothing written outside the volumes. */
export const unprivilegedContainer = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
} as const

export const unprivilegedPod = {
  runAsNonRoot: true,
  runAsUser: 65534,
  runAsGroup: 65534,
  fsGroup: 65534,
  seccompProfile: { type: 'RuntimeDefault' },
} as const

export const controlPlaneTolerations = [
  { key: 'node-role.kubernetes.io/master', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
] as const

export const linuxOnly = { 'kubernetes.io/os': 'linux' } as const

export function fieldEnv(name: string, fieldPath: string): object {
  return { name, valueFrom: { fieldRef: { fieldPath } } }
}

export function httpProbe(path: string, port: number | string, timing: object = {}): object {
  return { httpGet: { path, port }, ...timing }
}

const rbacGroup = 'rbac.authorization.k8s.io'
const rbac = `${rbacGroup}/v1`
