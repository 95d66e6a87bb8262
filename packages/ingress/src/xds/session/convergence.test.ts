/**
 * Random histories of changes, answers, refusals and reconnects against a naive Envoy: it ends with exactly what is
 * wanted, never loses a cluster that one of its scopes names, never holds refused content, and always comes to rest.
 */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Resource, type ResourceType, resourceTypes } from '../resource.ts'
import type { Client, Outgoing } from './client.ts'
import { bad, demand, isBad, resource, Script, snapshot } from './script.ts'

/** Does what Envoy does with a delta stream, and checks what it must never see. */
class NaiveEnvoy {
  readonly holds = new Map<ResourceType, Map<string, Resource>>(
    resourceTypes.map((type) => [type, new Map()]),
  )
  readonly waiting: Outgoing[] = []
  readonly subscribed = new Set<string>()
  readonly refusedContent = new Set<string>()
  client: Client
  readonly #script: Script

  constructor(script: Script) {
    this.#script = script
    this.client = this.connect()
  }

  connect(): Client {
    this.waiting.length = 0
    this.client = this.#script.hub.connect({ id: 'naive', build: '1' })
    for (const type of ['clusters', 'scopes'] as const) this.#ask(type, [], this.#versions(type))
    if (this.subscribed.size > 0) this.#ask('endpoints', [...this.subscribed], this.#versions('endpoints'))
    return this.client
  }

  #versions(type: ResourceType): Map<string, string> {
    return new Map([...this.#held(type)].map(([name, { version }]) => [name, version]))
  }

  #held(type: ResourceType): Map<string, Resource> {
    return this.holds.get(type) ?? new Map()
  }

  #ask(type: ResourceType, subscribe: string[], initialVersions = new Map<string, string>()): void {
    this.client.request(type, { subscribe, unsubscribe: [], initialVersions })
  }

  read(): void {
    this.waiting.push(...this.client.next(this.#script.now))
  }

  /** Processes the oldest unread response. */
  process(): void {
    const response = this.waiting.shift()
    if (response === undefined) return
    const poisoned = response.resources.filter(isBad)
    if (poisoned.length > 0) {
      if (response.resources.length === 1 && response.removed.length === 0) {
        const key = `${response.type}/${poisoned[0]?.name}/${poisoned[0]?.version}`
        demand(!this.refusedContent.has(key), `${key} sent again alone`)
        this.refusedContent.add(key)
      }
      this.#script.hub.settle(this.client, response.type, response.nonce, 'refused')
      return
    }
    for (const name of response.removed) this.#remove(response.type, name)
    for (const entry of response.resources) this.#add(response.type, entry)
    this.#script.hub.settle(this.client, response.type, response.nonce, undefined)
  }

  #add(type: ResourceType, entry: Resource): void {
    this.#held(type).set(entry.name, entry)
    if (type === 'clusters' && !this.subscribed.has(entry.name)) {
      this.subscribed.add(entry.name)
      this.#ask('endpoints', [entry.name])
    }
  }

  #remove(type: ResourceType, name: string): void {
    this.#held(type).delete(name)
    if (type !== 'clusters') return
    for (const scope of this.#held('scopes').values()) {
      demand(!scope.references?.clusters?.includes(name), `${scope.name} still names ${name}`)
    }
    this.#held('endpoints').delete(name)
    this.subscribed.delete(name)
    this.client.request('endpoints', { subscribe: [], unsubscribe: [name], initialVersions: new Map() })
  }

  /** Every scope's clusters are there, with endpoints: else a request fails. */
  check(): void {
    for (const scope of this.#held('scopes').values()) {
      for (const name of scope.references?.clusters ?? []) {
        if (!this.#script.hub.store.get('clusters', name)) continue
        demand(this.#held('clusters').has(name), `${scope.name} without its cluster ${name}`)
        demand(this.#held('endpoints').has(name), `${name} without endpoints`)
      }
    }
  }

  rest(): void {
    for (let round = 0; round < 500; round++) {
      this.read()
      if (this.waiting.length === 0) return
      while (this.waiting.length > 0) this.process()
    }
    throw new Error('does not come to rest')
  }
}

const name = fc.constantFrom('a', 'b', 'c', 'd')
/** Two of one host go in one response. */
const scopeName = fc.constantFrom('http/a', 'https/a', 'http/b', 'https/b')
const content = fc.constantFrom('1', '2', '3')
const world = fc.record({
  clusters: fc.dictionary(name, content, { noNullPrototype: true }),
  scopes: fc.dictionary(
    scopeName,
    fc.record({ content: fc.constantFrom('1', '2', '3', bad), cluster: name }),
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

/** As translation does: a scope names only clusters that are there, and each cluster has endpoints. */
function wanted({ clusters, scopes }: World) {
  const names = new Set([...Object.keys(clusters), ...Object.values(scopes).map(({ cluster }) => cluster)])
  return snapshot({
    clusters: [...names].map((entry) => resource(entry, clusters[entry] ?? '1', { endpoints: [entry] })),
    endpoints: [...names].map((entry) => resource(entry, 'endpoints')),
    scopes: Object.entries(scopes).map(([entry, scope]) =>
      resource(entry, `${scope.content}${scope.cluster}`, { clusters: [scope.cluster] }),
    ),
  })
}

test('any history ends well', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const script = new Script()
      script.hub.publish(wanted({ clusters: {}, scopes: {} }))
      const envoy = new NaiveEnvoy(script)
      let last = wanted({ clusters: {}, scopes: {} })
      for (const entry of steps) {
        if (entry.kind === 'publish') {
          last = wanted(entry.world)
          script.hub.publish(last)
        } else if (entry.kind === 'read') envoy.read()
        else if (entry.kind === 'process') envoy.process()
        else {
          script.hub.disconnect(envoy.client)
          envoy.connect()
        }
        envoy.check()
      }
      envoy.rest()
      envoy.check()
      for (const type of ['clusters', 'scopes', 'endpoints'] as const) {
        for (const [entry, target] of last[type]) {
          if (isBad(target)) continue
          expect(envoy.holds.get(type)?.get(entry)?.version, `${type} ${entry}`).toBe(target.version)
        }
      }
      for (const entry of envoy.holds.get('scopes')?.keys() ?? []) expect(last.scopes.has(entry)).toBe(true)
    }),
    { numRuns: 500 },
  )
})
