/** The two Secrets in the cluster: read whole, and written only when nobody else has them in hand. */
import { X509Certificate } from 'node:crypto'
import { type Cluster, hasStatus, type RawObject, secretType } from '@landfall/kube'
import { madeHere } from '../certgen/secrets.ts'
import { type Held, keys, readHeld, writeHeld } from './material.ts'
import type { Secrets } from './plan.ts'

export type Found =
  | { readonly kind: 'held'; readonly secrets: Secrets }
  | { readonly kind: 'unusable'; readonly why: string }

type Api = Pick<Cluster, 'get' | 'update'>

export class ClusterSecrets {
  readonly #cluster: Api
  readonly #namespace: string
  #raw: { readonly server: RawObject; readonly client: RawObject } | undefined

  constructor(cluster: Api, namespace: string) {
    this.#cluster = cluster
    this.#namespace = namespace
  }

  async read(): Promise<Found> {
    const [server, client] = await Promise.all([this.#get('contourcert'), this.#get('envoycert')])
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
    this.#raw = { server, client }
    return { kind: 'held', secrets: { server: heldServer, client: heldClient } }
  }

  /** What was read last, with other contents; a conflict throws, and is tried again from the start. */
  async write({ server, client }: Secrets): Promise<'written' | 'forbidden'> {
    const raw = this.#raw
    if (raw === undefined) throw new Error('nothing was read to be written')
    try {
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

function heldIn(raw: RawObject): Held | undefined {
  const texts = Object.entries(dataOf(raw)).map(([name, value]) => [
    name,
    Buffer.from(String(value), 'base64').toString('utf8'),
  ])
  return readHeld(Object.fromEntries(texts))
}

function changed(raw: RawObject, held: Held): boolean {
  return JSON.stringify(heldIn(raw)) !== JSON.stringify(held)
}

function withHeld(raw: RawObject, held: Held): RawObject {
  const others = Object.entries(dataOf(raw)).filter(([name]) => !Object.values<string>(keys).includes(name))
  const own = Object.entries(writeHeld(held)).map(([name, text]) => [
    name,
    Buffer.from(text).toString('base64'),
  ])
  const labels = { ...raw.metadata.labels, [madeHere.label]: madeHere.value }
  return {
    ...raw,
    metadata: { ...raw.metadata, labels },
    data: Object.fromEntries([...others, ...own]),
  }
}
