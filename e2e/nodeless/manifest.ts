/** What of a manifest counts where there are no nodes: definitions, accounts and their rights. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cluster, pathOf, type RawObject } from '@landfall/kube'
import { parseAllDocuments } from 'yaml'

const root = join(import.meta.dirname, '..', '..')

const plurals: Readonly<Record<string, string>> = {
  Namespace: 'namespaces',
  ServiceAccount: 'serviceaccounts',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  CustomResourceDefinition: 'customresourcedefinitions',
}

/** @param name of the file in `manifests/` */
export async function installRights(cluster: Cluster, name: string): Promise<void> {
  for (const document of parseAllDocuments(readFileSync(join(root, 'manifests', name), 'utf8'))) {
    const object: RawObject | null = document.toJS()
    if (object === null) continue
    const { apiVersion = '', kind = '', metadata } = object
    const plural = plurals[kind]
    if (plural === undefined) continue
    const type = { apiVersion, plural, namespaced: metadata.namespace !== undefined }
    const at = metadata.namespace === undefined ? {} : { namespace: metadata.namespace }
    await cluster.request({ method: 'POST', path: pathOf(type, at), body: object })
  }
}

/** Of a kind that is served only a moment after its definition is there. */
export async function createPatiently(cluster: Cluster, path: string, body: object): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await cluster.request({ method: 'POST', path, body })
      return
    } catch (error) {
      if (tries >= 100) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
