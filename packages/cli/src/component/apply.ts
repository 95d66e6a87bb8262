/**
 * A component's objects → the cluster, by server-side apply: what is there already is not written again, fields of others
 * stay. What an earlier configuration of the component had beyond that is deleted.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, hasStatus } from '@landfall/kube'
import { type Manifest, nameOfObject, type RenderedComponent } from '@landfall/lokocfg'
import { describeError } from '@landfall/telemetry'
import { fieldManager, isOurs, pathOfObject, readObject } from './objects.ts'

export interface Applied {
  readonly created: number
  readonly changed: number
  readonly unchanged: number
  readonly deleted: number
  /** One that fails does not keep the others from being applied. */
  readonly failures: readonly string[]
}

const timeoutMs = 30_000
const deletionMs = 60_000
const operatorGroup = 'monitoring.coreos.com/'

export async function applyComponent(cluster: Cluster, component: RenderedComponent): Promise<Applied> {
  const counts = { created: 0, changed: 0, unchanged: 0, deleted: 0 }
  const failures: string[] = []
  for (const object of component.objects) {
    try {
      counts[await applyOne(cluster, object, component.once.includes(nameOfObject(object)))]++
    } catch (error) {
      failures.push(explain(object, error))
    }
  }
  for (const object of component.absent) {
    const found = await readObject(cluster, object)
    if (found === undefined || !isOurs(found)) continue
    await deleteObject(cluster, object)
    counts.deleted++
  }
  return { ...counts, failures }
}

async function applyOne(
  cluster: Cluster,
  object: Manifest,
  once: boolean,
): Promise<'created' | 'changed' | 'unchanged'> {
  const before = await readObject(cluster, object)
  if (once && before !== undefined && isOurs(before)) return 'unchanged'
  const after = await patch(cluster, object).catch(async (error: unknown) => {
    if (object.kind !== 'Job' || before === undefined || !hasStatus(error, 422)) throw error
    // What a Job runs cannot be changed.
    await deleteObject(cluster, object)
    return await patch(cluster, object)
  })
  if (before === undefined) return 'created'
  return after.metadata.resourceVersion === before.metadata.resourceVersion ? 'unchanged' : 'changed'
}

function patch(cluster: Cluster, object: Manifest) {
  return cluster.request({
    method: 'PATCH',
    path: pathOfObject(object),
    query: { fieldManager, force: true },
    body: object,
    contentType: 'application/apply-patch+yaml',
    timeoutMs,
  })
}

/** Resolves when it is gone. @returns false when it was not there */
export async function deleteObject(cluster: Cluster, object: Manifest): Promise<boolean> {
  const deadline = Date.now() + deletionMs
  const query = { propagationPolicy: 'Background' }
  try {
    await cluster.request({ method: 'DELETE', path: pathOfObject(object), query })
  } catch (error) {
    if (hasStatus(error, 404)) return false
    throw error
  }
  while ((await readObject(cluster, object)) !== undefined) {
    if (Date.now() > deadline) {
      throw new Error(`${nameOfObject(object)} is still there after ${deletionMs / 1000} s`)
    }
    await sleep(200)
  }
  return true
}

function explain(object: Manifest, error: unknown): string {
  const name = nameOfObject(object)
  if (hasStatus(error, 404) && object.apiVersion.startsWith(operatorGroup)) {
    return `${name}: this cluster has no kind ${object.kind}; the Prometheus operator (prometheus-operator) must be installed first`
  }
  return `${name}: ${describeError(error)}`
}
