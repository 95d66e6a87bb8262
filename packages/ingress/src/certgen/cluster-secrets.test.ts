import { ApiError, type RawObject } from '@landfall/kube'
import { expect, test } from 'vitest'
import { makeCertificates } from './certificates.ts'
import { type SecretApi, writeSecrets } from './cluster-secrets.ts'
import { madeHere, makeSecrets } from './secrets.ts'

class Stored {
  readonly objects = new Map<string, RawObject>()
  readonly writes: string[] = []

  readonly api: SecretApi = {
    get: async (_type, key) => {
      const found = this.objects.get(key)
      if (found === undefined) throw new ApiError(`GET ${key}`, 404, 'NotFound', 'not found')
      return found
    },
    create: async (_type, object) => this.#put('create', object),
    update: async (_type, object) => this.#put('update', object),
  }

  #put(verb: string, object: RawObject): RawObject {
    this.objects.set(`${object.metadata.namespace}/${object.metadata.name}`, object)
    this.writes.push(`${verb} ${object.metadata.name}`)
    return object
  }
}

const options = { namespace: 'ns', nameSuffix: '', format: 'compact' as const }
const make = async () => makeSecrets(await makeCertificates({ namespace: 'ns', lifetimeDays: 1 }), options)

test('a set is created once, kept afterwards, and replaced when told to', async () => {
  const stored = new Stored()
  expect(await writeSecrets(stored.api, await make(), false)).toBe('created')
  const before = stored.objects.get('ns/contourcert')
  expect(await writeSecrets(stored.api, await make(), false)).toBe('kept')
  expect(stored.objects.get('ns/contourcert')).toBe(before)
  expect(await writeSecrets(stored.api, await make(), true)).toBe('overwritten')
  expect(stored.objects.get('ns/contourcert')?.['data']).not.toEqual(before?.['data'])
  expect(stored.writes).toEqual([
    'create contourcert',
    'create envoycert',
    'update contourcert',
    'update envoycert',
  ])
})

const day = 24 * 3600 * 1000
const after = (days: number) => new Date(Date.now() + days * day)

test('a set of ours with less than a third of its life left is renewed unasked', async () => {
  const stored = new Stored()
  await writeSecrets(stored.api, await make(), false)
  const before = stored.objects.get('ns/contourcert')?.['data']
  expect(await writeSecrets(stored.api, await make(), false, after(0.6))).toBe('kept')
  expect(await writeSecrets(stored.api, await make(), false, after(0.7))).toBe('renewed')
  expect(stored.objects.get('ns/contourcert')?.['data']).not.toEqual(before)
  expect(stored.writes.slice(2)).toEqual(['update contourcert', 'update envoycert'])
})

test("a set of somebody else's is left to end", async () => {
  const stored = new Stored()
  await writeSecrets(stored.api, await make(), false)
  const found = stored.objects.get('ns/envoycert')
  if (found === undefined) throw new Error('not written')
  stored.objects.set('ns/envoycert', { ...found, metadata: { ...found.metadata, labels: {} } })
  expect(await writeSecrets(stored.api, await make(), false, after(2))).toBe('kept')
  expect(stored.writes).toHaveLength(2)
})

test('half a set of ours is completed by a whole new one', async () => {
  const stored = new Stored()
  await writeSecrets(stored.api, await make(), false)
  stored.objects.delete('ns/envoycert')
  await writeSecrets(stored.api, await make(), false)
  const authority = (name: string) => JSON.stringify(stored.objects.get(name)?.['data']).slice(0, 600)
  expect(authority('ns/contourcert')).toBe(authority('ns/envoycert'))
})

test("half a set of somebody else's is left alone, and the message says what to do", async () => {
  const stored = new Stored()
  const foreign = { metadata: { name: 'contourcert', namespace: 'ns' }, data: {} }
  stored.objects.set('ns/contourcert', foreign)
  await expect(writeSecrets(stored.api, await make(), false)).rejects.toThrow(
    /contourcert exists and envoycert does not.*--overwrite/,
  )
  expect(stored.objects.get('ns/contourcert')).toBe(foreign)
  expect(await writeSecrets(stored.api, await make(), true)).toBe('overwritten')
})

test('where none may be read, a set is created, kept and replaced all the same', async () => {
  const stored = new Stored()
  const api: SecretApi = {
    get: async (_type, key) => {
      throw new ApiError(`GET ${key}`, 403, 'Forbidden', 'forbidden')
    },
    create: async (type, object) => {
      const key = `${object.metadata.namespace}/${object.metadata.name}`
      if (stored.objects.has(key)) throw new ApiError(`POST ${key}`, 409, 'AlreadyExists', 'exists')
      return await stored.api.create(type, object)
    },
    update: stored.api.update,
  }
  expect(await writeSecrets(api, await make(), true)).toBe('created')
  expect(await writeSecrets(api, await make(), false)).toBe('kept')
  expect(await writeSecrets(api, await make(), true)).toBe('overwritten')
  expect(stored.writes).toEqual([
    'create contourcert',
    'create envoycert',
    'update contourcert',
    'update envoycert',
  ])
  stored.objects.delete('ns/contourcert')
  await expect(writeSecrets(api, await make(), false)).rejects.toThrow(/envoycert is of another.*--overwrite/)
})

test('each Secret has its CA; legacy adds one for the CA alone; the suffix is on every name', async () => {
  const set = await makeCertificates({ namespace: 'ns', lifetimeDays: 1 })
  const secrets = makeSecrets(set, { namespace: 'ns', nameSuffix: '-v1', format: 'legacy' })
  expect(secrets.map(({ metadata }) => metadata.name)).toEqual([
    'cacert-v1',
    'contourcert-v1',
    'envoycert-v1',
  ])
  for (const secret of secrets) expect(secret.metadata.labels?.[madeHere.label]).toBe(madeHere.value)
  const data = secrets[1]?.['data'] as Record<string, string>
  expect(Object.keys(data)).toEqual(['ca.crt', 'tls.crt', 'tls.key'])
  expect(Buffer.from(data['ca.crt'] ?? '', 'base64').toString()).toBe(set.ca)
})
