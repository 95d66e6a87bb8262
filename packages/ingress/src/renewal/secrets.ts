/**
 * The two Secrets in the cluster: read whole, and written only when nobody else has them in hand. Of certgen's legacy
 * format there is a third, `cacert`, which names the authorities alone: it follows, if it is theirs.
 */
import { X509Certificate } from 'node:crypto'
import { type Cluster, hasStatus, mayI, type RawObject, secretType } from '@landfall/kube'
import { legacyAuthorities, madeHere } from '../certgen/secrets.ts'
import { type Held, keys, readHeld, type SecretData, splitPem, writeHeld } from './material.ts'
import type { Secrets } from './plan.ts'

export type Found =
  | { readonly kind: 'held'; readonly secrets: Secrets }
  | { readonly kind: 'unusable'; readonly why: string }

type Api = Pick<Cluster, 'get' | 'update' | 'request'>

interface Raw {
  readonly server: RawObject
  readonly client: RawObject
  /** `cacert`. */
  readonly legacy: RawObject | undefined
}

export class ClusterSecrets {
  readonly #cluster: Api
  readonly #namespace: string
  #raw: Raw | undefined

  constructor(cluster: Api, namespace: string) {
    this.#cluster = cluster
    this.#namespace = namespace
  }

  async read(): Promise<Found> {
    const [server, client, legacy] = await Promise.all([
      this.#get('contourcert'),
      this.#get('envoycert'),
      this.#get(legacyAuthorities.name),
    ])
    if (typeof server === 'string') return { kind: 'unusable', why: server }
    if (typeof client === 'string') return { kind: 'unusable', why: client }
    const [heldServer, heldClient] = [heldIn(server), heldIn(client)]
    if (heldServer === undefined) return unusable(server, 'is no key pair with its authority')
    if (heldClient === undefined) return unusable(client, 'is no key pair with its authority')
    for (const [raw, held] of [
      [server, heldServer],
      [client, heldClient],
    ] as const) {
      if (!isOurs(raw, held)) return unusable(raw, 'was not made by certgen: who made it renews it')
    }
    const secrets = { server: heldServer, client: heldClient }
    const follows = typeof legacy === 'object' && isOfThese(legacy, secrets)
    this.#raw = { server, client, legacy: follows ? legacy : undefined }
    return { kind: 'held', secrets }
  }

  /** Whether what was read last may be; true where the API server does not say. */
  async mayWrite(): Promise<boolean> {
    const all = Object.values(this.#raw ?? {}).filter((raw) => raw !== undefined)
    const asked = all.map(({ metadata: { name } }) =>
      mayI(this.#cluster, {
        verb: 'update',
        group: '',
        resource: 'secrets',
        namespace: this.#namespace,
        name,
      }),
    )
    return !(await Promise.all(asked)).includes(false)
  }

  /** What was read last, with other contents; a conflict throws, and is tried again from the start. */
  async write({ server, client }: Secrets): Promise<'written' | 'forbidden'> {
    const raw = this.#raw
    if (raw === undefined) throw new Error('nothing was read to be written')
    const { legacy } = raw
    const authorities = server.authorities.join('')
    try {
      if (legacy !== undefined && textsIn(legacy)[legacyAuthorities.key] !== authorities)
        await this.#cluster.update(secretType, withTexts(legacy, { [legacyAuthorities.key]: authorities }))
      if (changed(raw.client, client)) await this.#cluster.update(secretType, withHeld(raw.client, client))
      if (changed(raw.server, server)) await this.#cluster.update(secretType, withHeld(raw.server, server))
      return 'written'
    } catch (error) {
      if (hasStatus(error, 403)) return 'forbidden'
      throw error
    }
  }

  async #get(name: string): Promise<RawObject | string> {
    try {
      return await this.#cluster.get(secretType, `${this.#namespace}/${name}`)
    } catch (error) {
      if (hasStatus(error, 403)) return `Secret ${name} may not be read`
      if (hasStatus(error, 404)) return `Secret ${name} does not exist`
      throw error
    }
  }
}

function unusable({ metadata }: RawObject, why: string): Found {
  return { kind: 'unusable', why: `Secret ${metadata.name} ${why}` }
}

/** Ours, or of Contour's own certgen. */
function isOurs({ metadata }: RawObject, { certificate }: Held): boolean {
  const manager = metadata.labels?.[madeHere.label]
  if (manager === madeHere.value) return true
  return (
    manager === undefined && /(^|\n)CN=Project Contour(\n|$)/.test(new X509Certificate(certificate).issuer)
  )
}

function dataOf(raw: RawObject): Readonly<Record<string, unknown>> {
  const data: unknown = raw['data']
  return typeof data === 'object' && data !== null ? { ...data } : {}
}

/** What a Secret holds, decoded. */
export function textsIn(raw: RawObject): SecretData {
  const texts = Object.entries(dataOf(raw)).map(([name, value]) => [
    name,
    Buffer.from(String(value), 'base64').toString('utf8'),
  ])
  return Object.fromEntries(texts)
}

function heldIn(raw: RawObject): Held | undefined {
  return readHeld(textsIn(raw))
}

/** One that names no authority of these is of another set. */
function isOfThese(raw: RawObject, { server, client }: Secrets): boolean {
  const manager = raw.metadata.labels?.[madeHere.label]
  const named = splitPem(textsIn(raw)[legacyAuthorities.key] ?? '')
  const used = [...server.authorities, ...client.authorities]
  return (manager === undefined || manager === madeHere.value) && named.some((one) => used.includes(one))
}

function changed(raw: RawObject, held: Held): boolean {
  return JSON.stringify(heldIn(raw)) !== JSON.stringify(held)
}

function withHeld(raw: RawObject, held: Held): RawObject {
  return withTexts(raw, writeHeld(held), Object.values(keys))
}

/** @param own keys that go when they are not among the texts */
function withTexts(raw: RawObject, texts: SecretData, own: readonly string[] = []): RawObject {
  const others = Object.entries(dataOf(raw)).filter(([name]) => !own.includes(name))
  const written = Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString('base64')])
  const labels = { ...raw.metadata.labels, [madeHere.label]: madeHere.value }
  return {
    ...raw,
    metadata: { ...raw.metadata, labels },
    data: Object.fromEntries([...others, ...written]),
  }
}
