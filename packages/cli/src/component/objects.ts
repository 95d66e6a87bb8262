/** Where the API server has an object, whatever its kind: the kinds that components have all have regular plurals. */
import { type Cluster, hasStatus, pathOf, type RawObject } from '@landfall/kube'
import type { Manifest } from '@landfall/lokocfg'

/** Of every write; the API server keeps apart what each manager owns. */
export const fieldManager = 'landfall-component'

export function pathOfObject({ apiVersion, kind, metadata }: Manifest): string {
  const { name, namespace } = metadata
  const plural = `${kind.toLowerCase()}s`
  const type = { apiVersion, plural, namespaced: namespace !== undefined }
  return pathOf(type, { name, ...(namespace === undefined ? {} : { namespace }) })
}

/** undefined when it, or its kind, is not there */
export async function readObject(cluster: Cluster, manifest: Manifest): Promise<RawObject | undefined> {
  try {
    return await cluster.request({ method: 'GET', path: pathOfObject(manifest) })
  } catch (error) {
    if (hasStatus(error, 404)) return undefined
    throw error
  }
}

/** Whether a component wrote it, and not somebody's own hands. */
export function isOurs({ metadata }: RawObject): boolean {
  const { managedFields } = metadata
  return (
    Array.isArray(managedFields) &&
    managedFields.some((one: unknown) => fieldsOf(one)['manager'] === fieldManager)
  )
}

export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
