/**
 * Random histories for a naive Envoy by the state of the world: it has what it is taken to have, is sent a table after the
 * clusters that it names, ends with what is wanted, and comes to rest. What is due while a refusal is told is sent then.
 */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Resource, ResourceType } from '../resource.ts'
import type { Client } from './client.ts'
import { type FullResponse, FullState } from './full-state.ts'
import { bad, demand, isBad, resource, Script, snapshot } from './script.ts'

const types = ['clusters', 'endpoints', 'routes'] as const
type Type = (typeof types)[number]

class NaiveEnvoy {
  readonly holds: Record<Type, Map<string, Resource>> = {
    clusters: new Map(),
    endpoints: new Map(),
    routes: new Map(),
  }
  readonly #script: Script
  readonly #waiting: FullResponse[] = []
  readonly #versions = new Map<ResourceType, string>()
  readonly #nonces = new Map<ResourceType, string>()
  #hasRefused = false
  #client: Client
  #state: FullState

  constructor(script: Script) {
    this.#script = script
    script.whenRefused = () => this.read()
    this.#client = script.hub.connect({ id: 'naive', build: '1' })
    this.#state = new FullState(this.#client, 'aggregated')
    this.#begin()
  }

  /** Not after a refusal: of what it took of that it would tell nobody, the version is the one before. */
  reconnect(): void {
    if (this.#hasRefused) return
    this.#script.hub.disconnect(this.#client)
    this.#waiting.length = 0
    this.#nonces.clear()
    this.#client = this.#script.hub.connect({ id: 'naive', build: '1' })
    this.#state = new FullState(this.#client, 'aggregated')
    this.#begin()
  }

  #begin(): void {
    this.#ask('clusters')
    if (this.holds.clusters.size > 0) this.#ask('endpoints')
    this.#ask('routes')
  }

  #names(type: Type): readonly string[] {
    if (type === 'clusters') return []
    return type === 'routes' ? tables : [...this.holds.clusters.keys()]
  }

  #ask(type: Type, error?: string): void {
    const nonce = this.#nonces.get(type) ?? ''
    const request = { names: this.#names(type), version: this.#versions.get(type) ?? '', nonce, error }
    if (this.#state.isStale(type, request)) return
    this.#script.hub.took(this.#client, type, this.#state.answered(type, request))
    if (nonce !== '') this.#script.hub.settle(this.#client, type, nonce, error)
    this.#state.request(type, request)
  }

  read(): void {
    for (const outgoing of this.#client.next(this.#script.now)) {
      const response = this.#state.respond(outgoing)
      if (response === undefined) {
        this.#script.hub.settle(this.#client, outgoing.type, outgoing.nonce, undefined)
        this.read()
        continue
      }
      this.#waiting.push(response)
      if (response.type === 'routes') for (const table of response.resources) this.#expectClusters(table)
    }
  }

  /** Processes the oldest unread response. */
  process(): void {
    const response = this.#waiting.shift()
    if (response === undefined) return
    const type = response.type as Type
    this.#nonces.set(type, response.nonce)
    const refused = response.resources.some(isBad)
    if (!refused) this.#versions.set(type, response.version)
    // Of clusters it takes those that are good, and what is left out goes, be the response refused or not.
    if (type === 'clusters') {
      this.#hasRefused = refused
      this.#replaceClusters(response.resources)
    }
    if (type !== 'clusters' && !refused)
      for (const one of response.resources) this.holds[type].set(one.name, one)
    this.#ask(type, refused ? 'refused' : undefined)
    if (type === 'clusters') this.#ask('endpoints')
  }

  #replaceClusters(all: readonly Resource[]): void {
    const { clusters, endpoints } = this.holds
    const names = new Set(all.map(({ name }) => name))
    for (const name of [...clusters.keys()].filter((one) => !names.has(one))) {
      clusters.delete(name)
      endpoints.delete(name)
    }
    for (const one of all) if (!isBad(one)) clusters.set(one.name, one)
  }

  /** A table is sent after the clusters that it names, but for those that are refused. */
  #expectClusters({ name, references }: Resource): void {
    const { held } = this.#client.subscriptions.clusters
    for (const cluster of references?.clusters ?? []) {
      const now = this.#script.hub.store.get('clusters', cluster)
      if (now !== undefined && isBad(now)) continue
      demand(held.has(cluster), `${name} before its cluster ${cluster}`)
    }
  }

  /** It has what it is taken to have, once it has read what came. */
  check(): void {
    if (this.#waiting.length > 0) return
    for (const type of types)
      for (const name of this.#client.subscriptions[type].held.keys())
        demand(this.holds[type].has(name), `${type} ${name} is not there`)
  }

  rest(): void {
    for (let round = 0; round < 500; round++) {
      this.read()
      if (this.#waiting.length === 0) return
      while (this.#waiting.length > 0) this.process()
    }
    throw new Error('does not come to rest')
  }
}

const tables = ['x', 'y']
const name = fc.constantFrom('a', 'b', 'c', 'd')
const world = fc.record({
  clusters: fc.dictionary(name, fc.constantFrom('1', '2', bad), { noNullPrototype: true }),
  routes: fc.dictionary(
    fc.constantFrom(...tables),
    fc.record({ content: fc.constantFrom('1', '2', bad), cluster: name }),
    { noNullPrototype: true },
  ),
})
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('publish' as const), world }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('process' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reconnect' as const) }) },
)
type World = typeof world extends fc.Arbitrary<infer T> ? T : never

/** As translation does: a table names only clusters that are there, and each cluster has endpoints. */
function wanted({ clusters, routes }: World) {
  const names = new Set([...Object.keys(clusters), ...Object.values(routes).map(({ cluster }) => cluster)])
  return snapshot({
    clusters: [...names].map((one) => resource(one, clusters[one] ?? '1', { endpoints: [one] })),
    endpoints: [...names].map((one) => resource(one, 'endpoints')),
    routes: Object.entries(routes).map(([one, { content, cluster }]) =>
      resource(one, `${content}${cluster}`, { clusters: [cluster] }),
    ),
  })
}

test('any history by the state of the world ends well', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
      const script = new Script()
      let last = wanted({ clusters: {}, routes: {} })
      script.hub.publish(last)
      const envoy = new NaiveEnvoy(script)
      for (const one of steps) {
        if (one.kind === 'publish') {
          last = wanted(one.world)
          script.hub.publish(last)
        } else if (one.kind === 'read') envoy.read()
        else if (one.kind === 'process') envoy.process()
        else envoy.reconnect()
        envoy.check()
      }
      envoy.rest()
      envoy.check()
      const refused = [...last.clusters.values()].filter(isBad).map((one) => one.name)
      for (const type of types)
        for (const [one, target] of last[type] ?? []) {
          const needs = [...(type === 'endpoints' ? [one] : []), ...(target.references?.clusters ?? [])]
          if (isBad(target) || needs.some((cluster) => refused.includes(cluster))) continue
          expect(envoy.holds[type].get(one)?.version, `${type} ${one}`).toBe(target.version)
        }
    }),
    { numRuns: 500 },
  )
})
