import { ApiError, type RawObject } from '@landfall/kube'
import { beforeAll, expect, test } from 'vitest'
import { makeCertificates } from '../certgen/certificates.ts'
import { makeSecrets } from '../certgen/secrets.ts'
import { ClusterSecrets } from './secrets.ts'

let made: readonly RawObject[]

beforeAll(async () => {
  const set = await makeCertificates({ namespace: 'ns', lifetimeDays: 30 })
  made = makeSecrets(set, { namespace: 'ns', nameSuffix: '', format: 'compact' })
})

function apiOf(objects: readonly RawObject[], refuse?: number) {
  const updated: RawObject[] = []
  const refused = (): never => {
    throw new ApiError('PUT', refuse ?? 0, 'Refused', 'no')
  }
  return {
    updated,
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
