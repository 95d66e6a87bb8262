/** The shapes that MetalLB's manifests of every era repeat. */
import type { Manifest } from '../lab/index.ts'

export const system = 'metallb-system'
export const read: readonly string[] = ['get', 'list', 'watch']

export interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

export type Program = 'controller' | 'speaker'

const group = 'rbac.authorization.k8s.io'

export function rule(
  apiGroup: string,
  resources: readonly string[],
  verbs: readonly string[],
  resourceNames?: readonly string[],
): Rule {
  return { apiGroups: [apiGroup], resources, verbs, ...(resourceNames && { resourceNames }) }
}

export function namespaceAndAccounts(labels: Readonly<Record<string, string>>): readonly Manifest[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: system, labels } },
    ...(['controller', 'speaker'] as const).map((name) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace: system, labels: { app: 'metallb' } },
    })),
  ]
}

/** Named and bound as `metallb-system:<program>`. */
export function clusterRole(program: Program, rules: readonly Rule[]): readonly Manifest[] {
  const metadata = { name: `${system}:${program}`, labels: { app: 'metallb' } }
  return [
    { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata, rules },
    binding('ClusterRole', metadata, [program]),
  ]
}

export function role(
  name: string,
  programs: readonly Program[],
  rules: readonly Rule[],
): readonly Manifest[] {
  const metadata = { name, namespace: system, labels: { app: 'metallb' } }
  return [{ apiVersion: `${group}/v1`, kind: 'Role', metadata, rules }, binding('Role', metadata, programs)]
}

export function workload(
  kind: 'Deployment' | 'DaemonSet',
  name: Program,
  port: number,
  pod: Readonly<Record<string, unknown>>,
): Manifest {
  const labels = { app: 'metallb', component: name }
  const annotations = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': `${port}` }
  const template = {
    metadata: { labels, annotations },
    spec: { serviceAccountName: name, ...pod },
  }
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: system, labels },
    spec: { revisionHistoryLimit: 3, selector: { matchLabels: labels }, template },
  }
}

export function field(name: string, fieldPath: string): object {
  return { name, valueFrom: { fieldRef: { fieldPath } } }
}

function binding(
  kind: 'Role' | 'ClusterRole',
  metadata: Readonly<Record<string, unknown>> & { readonly name: string },
  programs: readonly Program[],
): Manifest {
  return {
    apiVersion: `${group}/v1`,
    kind: `${kind}Binding`,
    metadata,
    roleRef: { apiGroup: group, kind, name: metadata.name },
    subjects: programs.map((name) => ({ kind: 'ServiceAccount', name, namespace: system })),
  }
}
