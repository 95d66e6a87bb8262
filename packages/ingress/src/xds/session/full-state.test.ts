/** The rules for the state of the world, by their numbers in the checklist. */
import { create, toBinary } from '@bufbuild/protobuf'
import { ListenerSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener'
import { describe, expect, test } from 'vitest'
import { makeResource, type ResourceType } from '../resource.ts'
import { returnMs } from './client.ts'
import { FullState } from './full-state.ts'
import { responseBytes } from './limits.ts'
import { type Plain, resource, Script } from './script.ts'

const a = resource('a', '1')
const a2 = resource('a', '2')
const b = resource('b', '1')

/** One Envoy of the state of the world, told line by line what to ask, accept and refuse. */
class Envoy {
  readonly script: Script
  readonly #state: FullState
  readonly client
  nonce = ''
  version = ''

  constructor(script: Script) {
    this.script = script
    this.client = script.hub.connect({ id: 'envoy', build: '1.30.0' })
    this.#state = new FullState(this.client, 'aggregated')
  }

  ask(type: ResourceType, names: readonly string[], change: { nonce?: string; error?: string } = {}): this {
    const { nonce = this.nonce, error } = change
    const request = { names, nonce, error, version: this.version }
    if (this.#state.isStale(type, request)) return this
    this.script.hub.took(this.client, type, this.#state.answered(type, request))
    if (nonce !== '') this.script.hub.settle(this.client, type, nonce, error)
    this.#state.request(type, request)
    return this
  }

  /** The responses that are due, as `type name=version …`. */
  read(): readonly string[] {
    return this.client.next(this.script.now).flatMap((outgoing) => {
      const response = this.#state.respond(outgoing)
      if (response === undefined) {
        this.script.hub.settle(this.client, outgoing.type, outgoing.nonce, undefined)
        return []
      }
      this.nonce = response.nonce
      this.version = response.version
      return [[response.type, ...response.resources.map(content)].join(' ')]
    })
  }
}

function content({ bytes }: { readonly bytes: Uint8Array }): string {
  return new TextDecoder().decode(bytes)
}

function start(plain: Plain): Envoy {
  const script = new Script()
  script.publish(plain)
  return new Envoy(script)
}

describe('state of the world', () => {
  test('rule 9: a request with an old nonce is not read', () => {
    const envoy = start({ endpoints: [a, b] }).ask('endpoints', ['a'])
    expect(envoy.read()).toEqual(['endpoints a=1'])
    expect(envoy.ask('endpoints', ['a', 'b'], { nonce: 'old' }).read()).toEqual([])
    expect(envoy.ask('endpoints', ['a', 'b']).read()).toEqual(['endpoints b=1'])
  })

  test('rule 10: the newest request counts, those before it need no answer', () => {
    const envoy = start({ endpoints: [a, b] })
      .ask('endpoints', ['a'])
      .ask('endpoints', ['b'], { nonce: '' })
    expect(envoy.read()).toEqual(['endpoints b=1'])
    expect(envoy.ask('endpoints', ['b']).read()).toEqual([])
  })

  test('rule 11: refused is what has an error, whatever version it tells', () => {
    const envoy = start({ endpoints: [a] }).ask('endpoints', ['a'])
    envoy.read()
    envoy.ask('endpoints', ['a'], { error: 'no' })
    expect(envoy.script.refused.map(({ name, message }) => [name, message])).toEqual([['a', 'no']])
  })

  test('rule 12: listeners and clusters come whole, the others as far as they changed', () => {
    const envoy = start({ clusters: [a, b], endpoints: [a, b] }).ask('clusters', [])
    expect(envoy.read()).toEqual(['clusters a=1 b=1'])
    envoy.ask('clusters', [])
    envoy.script.publish({ clusters: [a2, b], endpoints: [a, b] })
    expect(envoy.read()).toEqual(['clusters a=2 b=1'])
    envoy.ask('clusters', [])
    envoy.script.publish({ clusters: [a2], endpoints: [a, b] })
    expect(envoy.read()).toEqual(['clusters a=2'])
    envoy.ask('clusters', [])
    envoy.script.publish({ endpoints: [a, b] })
    expect(envoy.read()).toEqual(['clusters'])
    const other = new Envoy(envoy.script).ask('endpoints', ['a', 'b'])
    expect(other.read()).toEqual(['endpoints a=1 b=1'])
    other.ask('endpoints', ['a', 'b'])
    envoy.script.publish({ endpoints: [a2, b] })
    expect(other.read()).toEqual(['endpoints a=2'])
  })

  test('rule 12: what is sent while a refusal is told is among all from then on', () => {
    const c = resource('c', '1')
    const envoy = start({ clusters: [a] }).ask('clusters', [])
    expect(envoy.read()).toEqual(['clusters a=1'])
    envoy.ask('clusters', []).script.publish({ clusters: [a, b, c] })
    expect(envoy.read()).toEqual(['clusters a=1 b=1 c=1'])
    envoy.ask('clusters', [], { error: 'no' })
    expect(envoy.read()).toEqual(['clusters a=1 b=1'])
    const meanwhile: string[] = []
    envoy.script.whenRefused = () => meanwhile.push(...envoy.read())
    envoy.ask('clusters', [], { error: 'no' })
    expect(meanwhile).toEqual(['clusters a=1 c=1'])
    envoy.ask('clusters', []).script.publish({ clusters: [a2, b, c] })
    expect(envoy.read()).toEqual(['clusters a=2 c=1'])
  })

  test('rule 13, 14: a newly named resource is sent, also one that was named before', () => {
    const envoy = start({ endpoints: [a, b] }).ask('endpoints', ['a'])
    expect(envoy.read()).toEqual(['endpoints a=1'])
    expect(envoy.ask('endpoints', ['a', 'b']).read()).toEqual(['endpoints b=1'])
    expect(envoy.ask('endpoints', ['b']).read()).toEqual([])
    expect(envoy.ask('endpoints', ['a', 'b']).read()).toEqual(['endpoints a=1'])
  })

  test('rule 15: who comes back with the version of today is sent nothing, any other everything', () => {
    const before = start({ clusters: [a, b] }).ask('clusters', [])
    before.read()
    const { version, script } = before
    const same = new Envoy(script)
    same.version = version
    expect(same.ask('clusters', []).read()).toEqual([])
    script.publish({ clusters: [a2, b] })
    expect(same.read()).toEqual(['clusters a=2 b=1'])
    const old = new Envoy(script)
    old.version = version
    expect(old.ask('clusters', []).read()).toEqual(['clusters a=2 b=1'])
  })

  test('rule 16: no name comes twice in a response', () => {
    const envoy = start({ clusters: [a, b] }).ask('clusters', [])
    envoy.read()
    envoy.ask('clusters', [], { error: 'no' })
    const [response = ''] = envoy.read()
    const names = response.split(' ').slice(1)
    expect(new Set(names).size).toBe(names.length)
  })

  test('rule 17: naming nothing means everything, until something is named', () => {
    const envoy = start({ clusters: [a, b] }).ask('clusters', [])
    expect(envoy.read()).toEqual(['clusters a=1 b=1'])
    envoy.ask('clusters', ['b'])
    expect(envoy.read()).toEqual(['clusters b=1'])
    envoy.ask('clusters', [])
    envoy.script.publish({ clusters: [a2, b] })
    expect(envoy.read()).toEqual([])
  })

  test('rule 17: `*` means everything beside what is named', () => {
    const envoy = start({ clusters: [a, b] }).ask('clusters', ['*', 'a'])
    expect(envoy.read()).toEqual(['clusters a=1 b=1'])
    envoy.ask('clusters', ['a'])
    envoy.script.publish({ clusters: [a2, resource('b', '2')] })
    expect(envoy.read()).toEqual(['clusters a=2'])
  })

  test('rule 25: an empty world is an answer', () => {
    expect(start({}).ask('listeners', []).read()).toEqual(['listeners'])
  })

  test('rule 41: of a refused set the culprit alone is held back, the last good one stays', () => {
    const envoy = start({ clusters: [a, b] }).ask('clusters', [])
    envoy.read()
    envoy.ask('clusters', [])
    const bad = resource('bad', '1')
    envoy.script.publish({ clusters: [a2, b, bad] })
    const seen: string[] = []
    for (let round = 0; round < 10; round++) {
      const [response] = envoy.read()
      if (response === undefined) break
      seen.push(response)
      envoy.ask('clusters', [], response.includes('bad') ? { error: 'bad one' } : {})
    }
    expect(seen[0]).toBe('clusters a=2 b=1 bad=1')
    expect(seen).toContain('clusters a=2 b=1')
    expect(envoy.script.refused.map(({ name }) => name)).toEqual(['bad'])
    expect(envoy.read()).toEqual([])
  })
})

test('rule 41: who comes back loses nothing by what it refuses, if its words name that', () => {
  const bad = resource('bad', '1')
  const envoy = start({ clusters: [a, bad, b] })
  envoy.version = 'of another'
  expect(envoy.ask('clusters', []).read()).toEqual(['clusters a=1 bad=1 b=1'])
  envoy.version = 'of another'
  envoy.ask('clusters', [], { error: 'Error adding/updating cluster(s) bad: no' })
  expect(envoy.script.refused.map(({ name }) => name)).toEqual(['bad'])
  // What it came with under that name is not known: a list would take it away.
  expect(envoy.read()).toEqual([])
  envoy.script.publish({ clusters: [resource('a', '2'), bad, b] })
  expect(envoy.read()).toEqual(['clusters a=2 b=1'])
  expect(envoy.ask('clusters', []).read()).toEqual([])
})

test('what one that comes back refuses and is then wanted no more is gone from what it has', () => {
  const envoy = start({ listeners: [makeResource('http', new Uint8Array())] })
  envoy.version = 'of another'
  envoy.ask('listeners', []).read()
  envoy.ask('listeners', [], { error: 'no' })
  expect(envoy.read()).toEqual([])
  envoy.script.publish({})
  expect(envoy.read()).toEqual(['listeners'])
})

describe('streams of one Envoy', () => {
  const route = (version: string, cluster: string) => resource('table', version, { clusters: [cluster] })
  const one = resource('one', '1', { endpoints: ['one'] })
  const two = resource('two', '1', { endpoints: ['two'] })
  const ends = [resource('one', 'x'), resource('two', 'x')]

  class Streams {
    readonly script = new Script()
    readonly #open = new Map<string, { client: ReturnType<Script['hub']['connect']>; type: ResourceType }>()

    open(name: string, type: ResourceType, subscribe: readonly string[], returns = false): void {
      const client = this.script.hub.connect({ id: 'e', build: '1.31.0' }, 'separate')
      client.request(type, { subscribe, unsubscribe: [], initialVersions: new Map(), returns })
      this.#open.set(name, { client, type })
    }

    close(name: string): void {
      const client = this.#open.get(name)?.client
      if (client !== undefined) this.script.hub.disconnect(client)
    }

    /** What is due on a stream. */
    due(name: string): readonly string[] {
      const client = this.#open.get(name)?.client
      const responses = client?.next(this.script.now) ?? []
      return responses.flatMap(({ resources, removed }) => [
        ...resources.map(content),
        ...removed.map((gone) => `-${gone}`),
      ])
    }

    ack(name: string, error?: string): void {
      const stream = this.#open.get(name)
      const nonce = stream?.client.subscriptions[stream.type].flight?.nonce
      if (stream !== undefined && nonce !== undefined)
        this.script.hub.settle(stream.client, stream.type, nonce, error)
    }

    /** The streams that are woken from now on. */
    woken(): ReadonlySet<string> {
      const names = new Set<string>()
      this.script.whenWoken = (client) => {
        for (const [name, one] of this.#open) if (one.client === client) names.add(name)
      }
      return names
    }
  }

  test('a table waits for the clusters of another stream, and those leave after it', () => {
    const envoy = new Streams()
    envoy.script.publish({ clusters: [one], routes: [route('1', 'one')], endpoints: ends })
    envoy.open('cds', 'clusters', [])
    envoy.open('rds', 'routes', ['table'])
    expect(envoy.due('rds')).toEqual([])
    expect(envoy.due('cds')).toEqual(['one=1'])
    envoy.ack('cds')
    expect(envoy.due('rds')).toEqual([])
    envoy.open('eds one', 'endpoints', ['one'])
    expect(envoy.due('eds one')).toEqual(['one=x'])
    envoy.ack('eds one')
    expect(envoy.due('rds')).toEqual(['table=1'])
    envoy.ack('rds')

    envoy.script.publish({ clusters: [two], routes: [route('2', 'two')], endpoints: ends })
    expect(envoy.due('rds')).toEqual([])
    expect(envoy.due('cds')).toEqual(['two=1'])
    envoy.ack('cds')
    expect(envoy.due('cds')).toEqual([])
    envoy.open('eds two', 'endpoints', ['two'])
    envoy.due('eds two')
    envoy.ack('eds two')
    expect(envoy.due('rds')).toEqual(['table=2'])
    expect(envoy.due('cds')).toEqual([])
    envoy.ack('rds')
    expect(envoy.due('cds')).toEqual(['-one'])
  })

  test('a table waits for the stream of clusters of an Envoy that has one from somebody else', () => {
    const envoy = new Streams()
    envoy.script.publish({ clusters: [one], routes: [route('1', 'one')], endpoints: ends })
    envoy.open('rds', 'routes', ['table'], true)
    expect(envoy.due('rds')).toEqual([])
    envoy.script.now = returnMs - 1
    expect(envoy.due('rds')).toEqual([])
    envoy.open('cds', 'clusters', [], true)
    envoy.open('eds one', 'endpoints', ['one'], true)
    expect(envoy.due('cds')).toEqual(['one=1'])
    envoy.ack('cds')
    envoy.due('eds one')
    expect(envoy.due('rds')).toEqual(['table=1'])
  })

  test('so does one that it asks for anew', () => {
    const envoy = new Streams()
    envoy.script.publish({ clusters: [one], routes: [route('1', 'one')], endpoints: ends })
    envoy.open('cds', 'clusters', [])
    envoy.due('cds')
    envoy.ack('cds')
    envoy.open('eds one', 'endpoints', ['one'])
    envoy.due('eds one')
    envoy.ack('eds one')
    envoy.close('cds')
    envoy.script.publish({ clusters: [one, two], routes: [route('1', 'two')], endpoints: ends })
    envoy.open('rds', 'routes', ['table'])
    expect(envoy.due('rds')).toEqual([])
    envoy.script.now = returnMs
    expect(envoy.due('rds')).toEqual(['table=1'])
  })

  test('a cluster that waits to leave does so when the last table or listener is judged', () => {
    const envoy = new Streams()
    envoy.script.publish({ clusters: [one], listeners: [makeResource('http', new Uint8Array())] })
    envoy.open('cds', 'clusters', [])
    envoy.due('cds')
    envoy.ack('cds')
    envoy.open('lds', 'listeners', [])
    envoy.due('lds')
    envoy.script.publish({ listeners: [makeResource('http', new Uint8Array())] })
    envoy.ack('lds', 'no')
    expect(envoy.due('cds')).toEqual([])
    const woken = envoy.woken()
    envoy.due('lds')
    expect([...woken]).toEqual(['cds'])
    expect(envoy.due('cds')).toEqual(['-one'])
  })

  test('what it has of listeners and clusters stays until there is all of ours', () => {
    const envoy = new Streams()
    const listener = (name: string, clusters: readonly string[]) =>
      makeResource(name, toBinary(ListenerSchema, create(ListenerSchema, { name })), { clusters })
    const listeners = [listener('plain', []), listener('stream', ['one'])]
    const large = ['x', 'y', 'z'].map((name) => resource(name, 'x'.repeat(responseBytes)))
    envoy.script.publish({ clusters: [one, ...large], listeners, endpoints: ends })
    envoy.open('lds', 'listeners', [], true)
    expect(envoy.due('lds')).toEqual([])
    envoy.open('cds', 'clusters', [], true)
    expect(envoy.due('cds')).toHaveLength(4)
    envoy.ack('cds')
    expect(envoy.due('lds')).toEqual([])
    envoy.open('eds one', 'endpoints', ['one'], true)
    envoy.due('eds one')
    expect(envoy.due('lds')).toHaveLength(2)
  })

  test('a table waits for the endpoints of each cluster, though others have the same', () => {
    const envoy = new Streams()
    const other = resource('other', '1', { endpoints: ['one'] })
    envoy.script.publish({ clusters: [one, other], routes: [route('1', 'other')], endpoints: ends })
    envoy.open('cds', 'clusters', [])
    envoy.open('rds', 'routes', ['table'])
    envoy.due('cds')
    envoy.ack('cds')
    for (const [stream, table] of [
      ['eds one', []],
      ['eds other', ['table=1']],
    ] as const) {
      envoy.open(stream, 'endpoints', ['one'])
      expect(envoy.due(stream)).toEqual(['one=x'])
      expect(envoy.due('rds')).toEqual(table)
    }
  })

  test('but not for ever, and not of one that has nothing', () => {
    for (const [returns, ms] of [
      [true, returnMs],
      [false, 0],
    ] as const) {
      const envoy = new Streams()
      envoy.script.publish({ clusters: [one], routes: [route('1', 'one')], endpoints: ends })
      envoy.open('rds', 'routes', ['table'], returns)
      const before = envoy.due('rds')
      envoy.script.now = ms
      expect([...before, ...envoy.due('rds')]).toEqual(['table=1'])
    }
  })
})
