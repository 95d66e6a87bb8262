import { hasStatus } from '../api-error.ts'
import type { Cluster } from '../cluster.ts'
import type { KubeObject } from '../model/index.ts'
import type { RawObject, ResourceType } from '../resource.ts'
import { keyOfRaw } from '../store.ts'

/** Creates an object, also where an earlier try of the test left one of that name. */
export async function recreate<T extends KubeObject>(
  cluster: Cluster,
  type: ResourceType<T>,
  object: RawObject,
): Promise<RawObject> {
  await cluster.delete(type, keyOfRaw(object)).catch((error: unknown) => {
    if (!hasStatus(error, 404)) throw error
  })
  return cluster.create(type, object)
}
