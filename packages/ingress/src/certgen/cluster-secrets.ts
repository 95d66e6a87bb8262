/**
 * Writes the Secrets to a cluster. Without `overwrite` what exists stays, but for a set of ours that ends soon: with
 * less than a third of its life left it is replaced. One CA signs both certificates and its key
 * is gone, so a set is written whole or not at all: half a set that a broken run of ours left behind is replaced,
 * half a set of somebody else's is refused. Contour's own roles let nobody read them: then what exists is known by what
 * may not be created.
 */
import { X509Certificate } from 'node:crypto'
import { type Cluster, hasStatus, type RawObject, secretType } from '@landfall/kube'
import { madeHere, nextCertificate } from './secrets.ts'

export type Outcome = 'created' | 'overwritten' | 'renewed' | 'kept'

export type SecretApi = Pick<Cluster, 'get' | 'create' | 'update'>

/** Throws when only some exist and are not ours, and what the API server refuses. */
export async function writeSecrets(
  cluster: SecretApi,
  secrets: readonly RawObject[],
  overwrite: boolean,
  now: Date = new Date(),
): Promise<Outcome> {
  const found = await readAll(cluster, secrets)
  if (found === 'forbidden') return await writeUnread(cluster, secrets, overwrite)
  const existing = found.filter((secret) => secret !== undefined)
  const foreign = existing.filter(({ metadata }) => metadata.labels?.[madeHere.label] !== madeHere.value)
  const whole = existing.length === secrets.length
  const renewed = whole && foreign.length === 0 && existing.some((secret) => endsSoon(secret, now))
  if (!overwrite && whole && !renewed) return 'kept'
  if (!overwrite && foreign.length > 0) {
    const names = (objects: readonly RawObject[]) => objects.map(({ metadata }) => metadata.name).join(', ')
    const missing = secrets.filter((_, index) => found[index] === undefined)
    throw new Error(
      `Secret ${names(foreign)} exists and ${names(missing)} does not; the two are signed by one authority ` +
        'whose key is not kept: give --overwrite to replace the whole set, or create what is missing yourself',
    )
  }
  for (const [index, secret] of secrets.entries()) await write(cluster, secret, found[index])
  if (!overwrite && renewed) return 'renewed'
  return existing.length > 0 ? 'overwritten' : 'created'
}

/** A certificate that cannot be read has ended already. */
function endsSoon(secret: RawObject, now: Date): boolean {
  const data = secret['data']
  const text: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, 'tls.crt') : undefined
  if (secret['type'] !== 'kubernetes.io/tls') return false
  // The control plane is renewing it.
  if (typeof data === 'object' && data !== null && Reflect.has(data, nextCertificate)) return false
  try {
    const { validFromDate, validToDate } = new X509Certificate(Buffer.from(String(text), 'base64'))
    const life = validToDate.getTime() - validFromDate.getTime()
    return validToDate.getTime() - now.getTime() < life / 3
  } catch {
    return true
  }
}

async function readAll(cluster: SecretApi, secrets: readonly RawObject[]) {
  try {
    return await Promise.all(secrets.map((secret) => find(cluster, secret)))
  } catch (error) {
    if (hasStatus(error, 403)) return 'forbidden'
    throw error
  }
}

/** That the first exists stands for all of them. */
async function writeUnread(
  cluster: SecretApi,
  secrets: readonly RawObject[],
  overwrite: boolean,
): Promise<Outcome> {
  let outcome: Outcome = 'created'
  for (const secret of secrets) {
    if (await isCreated(cluster, secret)) continue
    if (!overwrite && secret === secrets[0]) return 'kept'
    if (!overwrite) {
      const { name } = secret.metadata
      throw new Error(`Secret ${name} is of another set: give --overwrite to replace the whole set`)
    }
    await cluster.update(secretType, secret)
    outcome = 'overwritten'
  }
  return outcome
}

async function isCreated(cluster: SecretApi, secret: RawObject): Promise<boolean> {
  try {
    await cluster.create(secretType, secret)
    return true
  } catch (error) {
    if (hasStatus(error, 409)) return false
    throw error
  }
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
