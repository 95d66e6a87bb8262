import { ApiError, type RawObject, type RequestParameters } from '@landfall/kube'
import { beforeAll, expect, test } from 'vitest'
import { type CertificateSet, makeCertificates } from '../certgen/certificates.ts'
import { makeSecrets } from '../certgen/secrets.ts'
import { ClusterSecrets } from './secrets.ts'

let set: CertificateSet
let made: readonly RawObject[]

beforeAll(async () => {
  set = await makeCertificates({ namespace: 'ns', lifetimeDays: 30 })
  made = makeSecrets(set, { namespace: 'ns', nameSuffix: '', format: 'compact' })
})

function apiOf(objects: readonly RawObject[], refuse?: number, forbidden = '') {
  const updated: RawObject[] = []
  const refused = (): never => {
    throw new ApiError('PUT', refuse ?? 0, 'Refused', 'no')
  }
  return {
    updated,
    /** Of access: all but one. */
    request: <T>({ body }: RequestParameters): Promise<T> => {
      const allowed = forbidden === '' || !JSON.stringify(body).includes(`"name":"${forbidden}"`)
      return Promise.resolve(JSON.parse(`{"status":{"allowed":${allowed}}}`))
    },
    get: (_type: unknown, key: string) => {
      const found = objects.find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === key)
      if (found === undefined) throw new ApiError('GET', 404, 'NotFound', 'not found')
      return Promise.resolve(found)
    },
    update: (_type: unknown, object: RawObject) => {
      if (refuse !== undefined) refused()
      updated.push(object)
      return Promise.resolve(object)
    },
  }
}

async function heldOf(api: ReturnType<typeof apiOf>) {
  const store = new ClusterSecrets(api, 'ns')
  const found = await store.read()
  if (found.kind !== 'held') throw new Error(found.why)
  return { store, secrets: found.secrets }
}

test('what is written keeps the rest of the Secret, and only what changed is written', async () => {
  const api = apiOf(
    made.map((raw) => ({
      ...raw,
      data: { ...(raw['data'] as object), other: 'eA==' },
      type: 'kubernetes.io/tls',
    })),
  )
  const { store, secrets } = await heldOf(api)
  const next = { certificate: secrets.client.certificate, key: secrets.client.key }
  expect(await store.write({ ...secrets, client: { ...secrets.client, next } })).toBe('written')
  expect(api.updated.map(({ metadata }) => metadata.name)).toEqual(['envoycert'])
  expect(Object.keys(api.updated[0]?.['data'] ?? {}).toSorted()).toEqual([
    'ca.crt',
    'next.crt',
    'next.key',
    'other',
    'tls.crt',
    'tls.key',
  ])
})

test('a missing right is no error', async () => {
  const { store, secrets } = await heldOf(apiOf(made, 403))
  expect(await store.write({ ...secrets, server: { ...secrets.server, authorities: [] } })).toBe('forbidden')
})

test('the right to write is asked for of each of them', async () => {
  expect(await (await heldOf(apiOf(made))).store.mayWrite()).toBe(true)
  expect(await (await heldOf(apiOf(made, undefined, 'envoycert'))).store.mayWrite()).toBe(false)
})

test('the authorities of the legacy format follow first, and those of another set are left alone', async () => {
  const legacy = makeSecrets(set, { namespace: 'ns', nameSuffix: '', format: 'legacy' })
  const stray = await makeCertificates({ namespace: 'ns', lifetimeDays: 30 })
  const written = async (objects: readonly RawObject[]) => {
    const api = apiOf(objects)
    const { store, secrets } = await heldOf(api)
    const authorities = [...secrets.server.authorities, stray.ca]
    await store.write({
      server: { ...secrets.server, authorities },
      client: { ...secrets.client, authorities },
    })
    return api.updated
  }
  const updated = await written(legacy)
  expect(updated.map(({ metadata }) => metadata.name)).toEqual(['cacert', 'envoycert', 'contourcert'])
  const text = Buffer.from(`${set.ca}${stray.ca}`).toString('base64')
  expect(updated[0]?.['data']).toEqual({ 'cacert.pem': text })
  const [other] = makeSecrets(stray, { namespace: 'ns', nameSuffix: '', format: 'legacy' })
  const beside = other === undefined ? [] : [other, ...made]
  const names = (await written(beside)).map(({ metadata }) => metadata.name)
  expect(names).toEqual(['envoycert', 'contourcert'])
})

test('a conflict is one', async () => {
  const { store, secrets } = await heldOf(apiOf(made, 409))
  await expect(store.write({ ...secrets, server: { ...secrets.server, authorities: [] } })).rejects.toThrow(
    'no',
  )
})

test('Secrets of others, without an authority or missing are left alone, with the reason', async () => {
  const why = async (objects: readonly RawObject[]) => {
    const found = await new ClusterSecrets(apiOf(objects), 'ns').read()
    return found.kind === 'unusable' ? found.why : ''
  }
  expect(await why(made.slice(0, 1))).toBe('Secret envoycert does not exist')
  const foreign = made.map((raw) => ({
    ...raw,
    metadata: { ...raw.metadata, labels: { 'app.kubernetes.io/managed-by': 'cert-manager' } },
  }))
  expect(await why(foreign)).toBe('Secret contourcert was not made by certgen: who made it renews it')
  const bare = made.map((raw) => ({ ...raw, data: {} }))
  expect(await why(bare)).toBe('Secret contourcert is no key pair with its authority')
})
