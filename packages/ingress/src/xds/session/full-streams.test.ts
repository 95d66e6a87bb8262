/**
 * Random histories for a naive Envoy by the state of the world with a stream for each thing: it ends with what is wanted,
 * serves by no table before the clusters that this names, and comes to rest; nothing good is told refused.
 */
import { create, toBinary } from '@bufbuild/protobuf'
import { ListenerSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeResource, type Resource } from '../resource.ts'
import { gateMs, returnMs } from './client.ts'
import { EnvoyOfStreams, type Follows, type Stream } from './envoy-of-streams.ts'
import type { Refused } from './hub.ts'
import { bad, demand, isBad, resource, Script, snapshot } from './script.ts'

interface Listener extends Follows {
  readonly content: string
  readonly cluster: string | undefined
}

function listener(name: string, { content, tables, secrets, cluster }: Listener): Resource {
  const statPrefix = JSON.stringify({ content, tables, secrets, cluster })
  const bytes = toBinary(ListenerSchema, create(ListenerSchema, { name, statPrefix }))
  return makeResource(name, bytes, { clusters: cluster === undefined ? [] : [cluster] })
}

const content = fc.constantFrom('1', '2', bad)
const clusterName = fc.constantFrom('a', 'b', 'c')
const tableName = fc.constantFrom('x', 'y')
const secretName = fc.constantFrom('s', 't')
const orGone = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 })

const edit = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('clusters' as const),
      name: clusterName,
      to: orGone(
        fc.record({
          content,
          endpoints: fc.constantFrom('e', 'f'),
          secret: fc.option(secretName, { nil: undefined }),
        }),
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('routes' as const),
      name: tableName,
      to: orGone(fc.record({ content, cluster: clusterName })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('listeners' as const),
      name: fc.constantFrom('l', 'm'),
      to: orGone(
        fc.record({
          content,
          tables: fc.subarray(['x', 'y']),
          secrets: fc.subarray(['s', 't']),
          cluster: fc.option(clusterName, { nil: undefined }),
        }),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('endpoints' as const),
      name: fc.constantFrom('e', 'f'),
      to: content,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('secrets' as const), name: secretName, to: content }),
  },
)
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never

/** As translation does: a table names only clusters that are there, and all that is named is there. */
class World {
  readonly clusters = new Map<string, { content: string; endpoints: string; secret: string | undefined }>()
  readonly routes = new Map<string, { content: string; cluster: string }>()
  readonly listeners = new Map<string, Listener>()
  readonly endpoints = new Map<string, string>()
  readonly secrets = new Map<string, string>()

  edit({ kind, name, to }: Edit): void {
    const map: Map<string, unknown> = this[kind]
    if (to === undefined) map.delete(name)
    else map.set(name, to)
  }

  get snapshot() {
    const all = [...this.listeners.values()]
    const tables = new Map(
      all.flatMap(({ tables }) => tables).map((one) => [one, { content: '1', cluster: 'a' }]),
    )
    for (const [name, table] of this.routes) tables.set(name, table)
    const used = [
      ...[...tables.values()].map(({ cluster }) => cluster),
      ...all.flatMap(({ cluster }) => cluster ?? []),
    ]
    const clusters = new Map(
      used.map((one) => [one, { content: '1', endpoints: 'e', secret: undefined as string | undefined }]),
    )
    for (const [name, cluster] of this.clusters) clusters.set(name, cluster)
    const secrets = new Set([
      ...all.flatMap((one) => one.secrets),
      ...[...clusters.values()].flatMap(({ secret }) => secret ?? []),
    ])
    const endpoints = new Set([...clusters.values()].map((one) => one.endpoints))
    return snapshot({
      clusters: [...clusters].map(([name, one]) =>
        resource(name, `${one.content} ${one.endpoints} ${one.secret}`, {
          endpoints: [one.endpoints],
          secrets: one.secret === undefined ? [] : [one.secret],
        }),
      ),
      routes: [...tables].map(([name, one]) =>
        resource(name, `${one.content}${one.cluster}`, { clusters: [one.cluster] }),
      ),
      listeners: [...this.listeners].map(([name, one]) => listener(name, one)),
      endpoints: [...endpoints].map((one) => resource(one, this.endpoints.get(one) ?? '1')),
      secrets: [...secrets].map((one) => resource(one, this.secrets.get(one) ?? '1')),
    })
  }
}

const pick = fc.nat({ max: 11 })
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      edits: fc.array(edit, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      pick,
      answer: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(gateMs / 2, gateMs, returnMs),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('break' as const), pick, unanswered: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('return' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('break all' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** What an Envoy serves that does not begin with nothing. */
const served: readonly Edit[] = [
  { kind: 'routes', name: 'x', to: { content: '1', cluster: 'a' } },
  { kind: 'routes', name: 'y', to: { content: '1', cluster: 'b' } },
  {
    kind: 'listeners',
    name: 'l',
    to: { content: '1', tables: ['x', 'y'], secrets: ['s'], cluster: undefined },
  },
]

class History {
  readonly script = new Script()
  readonly world = new World()
  readonly envoy: EnvoyOfStreams
  last = this.world.snapshot
  readonly #bad = new Set<string>()

  constructor(prompt: boolean) {
    this.script.hub.publish(this.last)
    this.envoy = new EnvoyOfStreams(this.script, prompt)
  }

  take(step: Step): void {
    const { envoy } = this
    const nth = (streams: readonly Stream[], index: number, then: (stream: Stream) => void): void => {
      const stream = streams[index % streams.length]
      if (stream !== undefined) then(stream)
    }
    if (step.kind === 'publish') this.publish(step.edits)
    if (step.kind === 'read') nth(envoy.unread, step.pick, (stream) => envoy.read(stream, step.answer))
    if (step.kind === 'turn') envoy.turn()
    if (step.kind === 'pass') envoy.pass(this.script.now + step.ms)
    if (step.kind === 'return') nth(envoy.away, step.pick, (stream) => envoy.comeBack(stream))
    if (step.kind === 'break all') for (const stream of envoy.open) envoy.breakOff(stream)
    if (step.kind === 'break')
      nth(step.unanswered ? envoy.unread : envoy.open, step.pick, (stream) => {
        if (step.unanswered) envoy.read(stream, 'never')
        else envoy.breakOff(stream)
      })
    envoy.check()
  }

  publish(edits: readonly Edit[]): void {
    for (const one of edits) this.world.edit(one)
    this.last = this.world.snapshot
    for (const type of ['clusters', 'routes', 'listeners', 'endpoints', 'secrets'] as const)
      for (const one of this.last[type]?.values() ?? [])
        if (isBad(one)) this.#bad.add(`${type}/${one.name}/${one.version}`)
    for (const one of this.envoy.had) {
      const [type, name = ''] = one.split('/')
      if (!this.last[type as 'clusters' | 'listeners'].has(name)) this.envoy.had.delete(one)
    }
    this.script.hub.publish(this.last)
    this.envoy.schedule()
  }

  end(): void {
    const { envoy } = this
    envoy.rest()
    // What waited for a stream that is closed, which might have come back, goes with whatever is published next.
    envoy.schedule()
    envoy.rest()
    envoy.check()
    this.#hasWhole('clusters', new Map([...envoy.clusters].map(([name, one]) => [name, one.resource])))
    this.#hasWhole('listeners', envoy.listeners)
    const used = new Set(envoy.inForce.flatMap(({ references }) => references?.clusters ?? []))
    const users = [...this.last.listeners.values(), ...(this.last.routes?.values() ?? [])]
    // Of what one holds on to that comes back it is not known what that needs.
    const isUnknown = envoy.hasBroken && users.some((one) => isBad(one) || this.#lacks(one))
    const { store, refusals } = this.script.hub
    for (const name of envoy.clusters.keys()) {
      const isWanted = store.get('clusters', name) ?? refusals.pinned('clusters', name)
      demand(isUnknown || isWanted !== undefined || used.has(name), `cluster ${name} is not wanted`)
    }
    for (const name of envoy.listeners.keys())
      demand(this.last.listeners.has(name), `listener ${name} is not wanted`)
    for (const { active, warming } of envoy.clusters.values()) {
      const stream = warming ?? active
      if (stream !== undefined) this.#hasNamed('endpoints', stream)
    }
    for (const stream of envoy.secrets.values()) this.#hasNamed('secrets', stream)
    for (const stream of envoy.tables.values()) this.#hasNamed('routes', stream)
  }

  get refusedThoughGood(): readonly Refused[] {
    return this.script.refused.filter(
      ({ type, name, version }) => !this.#bad.has(`${type}/${name}/${version}`),
    )
  }

  #lacks({ references }: Resource): boolean {
    return references?.clusters?.some((name) => isBad(this.last.clusters.get(name) as Resource)) === true
  }

  #hasWhole(type: 'clusters' | 'listeners', held: ReadonlyMap<string, Resource>): void {
    for (const [name, target] of this.last[type]) {
      if (!isBad(target) && !this.#lacks(target))
        demand(held.get(name)?.version === target.version, `${type} ${name} is not as wanted`)
      else demand(held.has(name) || !this.envoy.had.has(`${type}/${name}`), `${type} ${name} was there`)
    }
  }

  #hasNamed(type: 'endpoints' | 'secrets' | 'routes', { names: [name = ''], held }: Stream): void {
    const target = this.last[type]?.get(name)
    if (target === undefined || this.#lacks(target)) return
    if (!isBad(target)) demand(held?.version === target.version, `${type} ${name} is not as wanted`)
    else demand(type !== 'routes' || held !== undefined, `nothing stands in for ${name}`)
  }
}

test('any history by a stream for each thing ends well', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(
      fc.record({ prompt: fc.boolean(), breaks: fc.boolean(), serves: fc.boolean() }),
      fc.array(step, { maxLength: 60, size: 'max' }),
      ({ prompt, breaks, serves }, steps) => {
        const history = new History(prompt)
        if (serves) history.publish(served)
        if (serves) history.envoy.rest()
        for (const one of steps) if (breaks || !one.kind.startsWith('break')) history.take(one)
        history.end()
        expect(history.refusedThoughGood).toEqual([])
      },
    ),
    { numRuns: 250 },
  )
})
