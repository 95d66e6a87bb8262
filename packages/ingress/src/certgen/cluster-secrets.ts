/**
 * Writes the Secrets to a cluster. Without `overwrite` what exists stays. One CA signs both certificates and its key
 * is gone, so a set is written whole or not at all: half a set that a broken run of ours left behind is replaced,
 * half a set of somebody else's is refused.
 */
import { type Cluster, hasStatus, type RawObject, secretType } from '@landfall/kube'
import { madeHere } from './secrets.ts'

export type Outcome = 'created' | 'overwritten' | 'kept'

export type SecretApi = Pick<Cluster, 'get' | 'create' | 'update'>

/** Throws when only some exist and are not ours, and what the API server refuses. */
export async function writeSecrets(
  cluster: SecretApi,
  secrets: readonly RawObject[],
  overwrite: boolean,
): Promise<Outcome> {
  const found = await Promise.all(secrets.map((secret) => find(cluster, secret)))
  const existing = found.filter((secret) => secret !== undefined)
  if (!overwrite && existing.length === secrets.length) return 'kept'
  const foreign = existing.filter(({ metadata }) => metadata.labels?.[madeHere.label] !== madeHere.value)
  if (!overwrite && foreign.length > 0) {
    const names = (objects: readonly RawObject[]) => objects.map(({ metadata }) => metadata.name).join(', ')
    const missing = secrets.filter((_, index) => found[index] === undefined)
    throw new Error(
      `Secret ${names(foreign)} exists and ${names(missing)} does not; the two are signed by one authority ` +
        'whose key is not kept: give --overwrite to replace the whole set, or create what is missing yourself',
    )
  }
  for (const [index, secret] of secrets.entries()) await write(cluster, secret, found[index])
  return existing.length > 0 ? 'overwritten' : 'created'
}

async function find(cluster: SecretApi, { metadata }: RawObject): Promise<RawObject | undefined> {
  try {
    return await cluster.get(secretType, `${metadata.namespace}/${metadata.name}`)
  } catch (error) {
    if (hasStatus(error, 404)) return undefined
    throw error
  }
}

async function write(cluster: SecretApi, secret: RawObject, before: RawObject | undefined): Promise<void> {
  if (before === undefined) {
    await cluster.create(secretType, secret)
    return
  }
  const labels = { ...before.metadata.labels, ...secret.metadata.labels }
  await cluster.update(secretType, {
    ...before,
    data: secret['data'],
    metadata: { ...before.metadata, labels },
  })
}
