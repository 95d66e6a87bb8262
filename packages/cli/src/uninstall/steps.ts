/** What is to be done to a cluster that Landfall's workloads are gone from, each step said before it is done. */
import { setTimeout as sleep } from 'node:timers/promises'
import * as api from '@landfall/api'
import {
  type Cluster,
  customType,
  hasStatus,
  ingressType,
  type RawObject,
  type ResourceType,
  serviceType,
} from '@landfall/kube'
import { type Clearing, withoutAddress, withoutEnvoy, withoutVerdict } from './traces.ts'

/** One object to clear or delete. */
export interface Step {
  readonly what: string
  readonly object: string
  readonly run: () => Promise<void>
}

const namespaces = ['metallb-system', 'projectcontour']
const clusterRoles = ['metallb-system:controller', 'metallb-system:speaker', 'contour']
const conflictRetries = 5
const deletionMs = 30_000

const deploymentType = customType(identity('apps', 'Deployment', 'deployments', true))
const daemonSetType = customType(identity('apps', 'DaemonSet', 'daemonsets', true))
const rbac = 'rbac.authorization.k8s.io'
const roleType = customType(identity(rbac, 'ClusterRole', 'clusterroles', false))
const bindingType = customType(identity(rbac, 'ClusterRoleBinding', 'clusterrolebindings', false))
const definitionType = customType(
  identity('apiextensions.k8s.io', 'CustomResourceDefinition', 'customresourcedefinitions', false),
)
const proxyType = customType(api.httpProxy)

/** The kinds that Landfall brings; others of the same groups are not its own. */
const kinds = Object.values(api).filter((value): value is api.ResourceIdentity => typeof value === 'object')

/** @returns such as `Deployment metallb-system/controller`: what would write again */
export async function running(cluster: Cluster): Promise<readonly string[]> {
  const found: string[] = []
  for (const type of [deploymentType, daemonSetType]) {
    for (const namespace of namespaces) {
      const { items } = await cluster.list(type, { namespace })
      found.push(...items.map((raw) => `${type.kind} ${nameOf(raw)}`))
    }
  }
  return found
}

/** @param definitions delete them too, and with them every object of theirs */
export async function findSteps(cluster: Cluster, definitions: boolean): Promise<readonly Step[]> {
  return [
    ...(await clearings(cluster, serviceType, 'clear address', withoutAddress)),
    ...(await clearings(cluster, ingressType, 'clear address', withoutEnvoy)),
    ...(definitions ? [] : await clearings(cluster, proxyType, 'clear status', withoutVerdict)),
    ...(await deletions(cluster, bindingType, 'delete', clusterRoles)),
    ...(await deletions(cluster, roleType, 'delete', clusterRoles)),
    ...(definitions
      ? await deletions(
          cluster,
          definitionType,
          'delete with its objects',
          kinds.map(({ plural, group }) => `${plural}.${group}`),
        )
      : []),
  ]
}

async function clearings(
  cluster: Cluster,
  type: ResourceType,
  what: string,
  clear: Clearing,
): Promise<readonly Step[]> {
  const listed = await unlessMissing(cluster.list(type))
  const ours = (listed?.items ?? []).filter((raw) => clear(raw) !== undefined)
  return ours.map((raw) => ({
    what,
    object: `${type.kind} ${nameOf(raw)}`,
    run: () => clearOne(cluster, type, nameOf(raw), clear),
  }))
}

/** A PUT on `/status` takes the annotations of a built-in kind too. What changed meanwhile is looked at anew. */
async function clearOne(cluster: Cluster, type: ResourceType, key: string, clear: Clearing): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const current = await unlessMissing(cluster.get(type, key))
    const cleared = current === undefined ? undefined : clear(current)
    if (cleared === undefined) return
    try {
      await cluster.update(type, cleared, 'status')
      return
    } catch (error) {
      if (hasStatus(error, 404)) return
      if (!hasStatus(error, 409) || attempt >= conflictRetries) throw error
    }
  }
}

async function deletions(
  cluster: Cluster,
  type: ResourceType,
  what: string,
  names: readonly string[],
): Promise<readonly Step[]> {
  const steps: Step[] = []
  for (const name of names) {
    if ((await unlessMissing(cluster.get(type, name))) === undefined) continue
    steps.push({ what, object: `${type.kind} ${name}`, run: () => deleteOne(cluster, type, name) })
  }
  return steps
}

/** Resolves when it is gone. */
async function deleteOne(cluster: Cluster, type: ResourceType, name: string): Promise<void> {
  const deadline = Date.now() + deletionMs
  await unlessMissing(cluster.delete(type, name))
  while ((await unlessMissing(cluster.get(type, name))) !== undefined) {
    if (Date.now() > deadline) {
      throw new Error(`${type.kind} ${name} is still there after ${deletionMs / 1000} s`)
    }
    await sleep(200)
  }
}

async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (hasStatus(error, 404)) return undefined
    throw error
  }
}

function identity(group: string, kind: string, plural: string, namespaced: boolean): api.ResourceIdentity {
  return { group, version: 'v1', kind, plural, namespaced }
}

function nameOf(raw: RawObject): string {
  const { namespace, name } = raw.metadata
  return namespace === undefined ? name : `${namespace}/${name}`
}
