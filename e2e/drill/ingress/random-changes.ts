/** Changes of hosts by chance: they come, go, move, break, take certificates, and their endpoints wander. */
import { setTimeout as sleep } from 'node:timers/promises'
import { hostOf, names, namespace, type Objects, proxyObject, sliceObject } from '../../ingress/objects.ts'
import { podAddress } from '../../ingress/own-network.ts'
import type { Authority } from '../../scenarios/certificate.ts'

const secrets = ['pair-a', 'pair-b'] as const
/** Of those changes that are made of a host that is there; the rest are new content. */
const share = { gone: 0.1, endpoints: 0.35, service: 0.4, secret: 0.42 } as const
/** Of a Service: below a second serve goes on as if it were there. */
const longestAwayMs = 2000

export class RandomChanges {
  done = 0
  readonly #objects: Objects
  readonly #authority: Authority
  readonly #names: readonly string[]
  readonly #there = new Set<string>()
  readonly #busy = new Set<string>()

  private constructor(objects: Objects, authority: Authority, all: readonly string[]) {
    this.#objects = objects
    this.#authority = authority
    this.#names = all
  }

  /** With all Services, and no host yet. */
  static async prepare(objects: Objects, authority: Authority, count: number): Promise<RandomChanges> {
    const all = names('c', count)
    await objects.createServices(all)
    const changes = new RandomChanges(objects, authority, all)
    for (const secret of secrets) await changes.#certify(secret, 'create')
    return changes
  }

  /** One of them; nothing where the last one of the same object has not ended. */
  async make(): Promise<void> {
    const name = pick(this.#names)
    if (this.#busy.has(name)) return
    this.#busy.add(name)
    try {
      await this.#change(name, Math.random())
      this.done++
    } finally {
      this.#busy.delete(name)
    }
  }

  async #change(name: string, chance: number): Promise<void> {
    const objects = this.#objects
    if (!this.#there.has(name)) {
      await objects.create('proxy', this.#content(name))
      this.#there.add(name)
    } else if (chance < share.gone) {
      await objects.delete('proxy', name)
      this.#there.delete(name)
    } else if (chance < share.endpoints) {
      const count = Math.floor(Math.random() * 4)
      const endpoints = Array.from({ length: count }, (_, n) => ({
        ip: podAddress(4 * Math.floor(Math.random() * 50) + n),
      }))
      await objects.replace('slice', sliceObject(name, endpoints))
    } else if (chance < share.service) {
      await objects.deleteServices([name])
      await sleep(Math.random() * longestAwayMs)
      await objects.createServices([name])
    } else if (chance < share.secret) {
      await this.#certify(pick(secrets), 'replace')
    } else await objects.replace('proxy', this.#content(name))
  }

  /** A merge leaves a certificate as it is, where nothing is said of one. */
  #content(name: string) {
    const secret = Math.random() < 0.2 ? { secret: pick([...secrets, 'missing']) } : {}
    const version = `version ${Math.floor(Math.random() * 1000)}`
    return proxyObject(name, { version, services: this.#backends(name), ...secret })
  }

  #backends(name: string) {
    const chance = Math.random()
    if (chance < 0.05) return [{ name: 'missing' }]
    if (chance < 0.6) return [{ name }]
    const weight = Math.floor(Math.random() * 100)
    return [
      { name, weight },
      { name: pick(this.#names), weight: 100 - weight },
    ]
  }

  async #certify(name: string, how: 'create' | 'replace'): Promise<void> {
    const { cert, key } = await this.#authority.pair(hostOf('*'))
    const stringData = { 'tls.crt': cert, 'tls.key': key }
    const metadata = { namespace, name }
    await this.#objects[how]('secret', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata,
      type: 'kubernetes.io/tls',
      stringData,
    })
  }
}

function pick<T>(from: readonly T[]): T {
  const one = from[Math.floor(Math.random() * from.length)]
  if (one === undefined) throw new Error('nothing to pick from')
  return one
}
