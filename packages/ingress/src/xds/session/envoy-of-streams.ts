/**
 * For tests: a naive Envoy by the state of the world on Contour's bootstrap, with a stream for each thing that it wants, and
 * the server's turns. It opens and closes streams with what it takes, and checks what it must never see.
 */
import { fromBinary } from '@bufbuild/protobuf'
import { ListenerSchema } from '@envoyproxy/envoy-types/envoy/config/listener/v3/listener'
import type { Resource, ResourceType } from '../resource.ts'
import type { Client } from './client.ts'
import { type FullResponse, FullState } from './full-state.ts'
import { sentWhole } from './limits.ts'
import { demand, isBad, type Script } from './script.ts'

/** What a listener names that has streams of its own, as its `stat_prefix`. */
export interface Follows {
  readonly tables: readonly string[]
  readonly secrets: readonly string[]
}

function followsOf({ bytes }: Resource): Follows {
  return JSON.parse(fromBinary(ListenerSchema, bytes).statPrefix)
}

interface Sent extends FullResponse {
  /** Tables and listeners that were wanted when it was sent. */
  readonly users: ReadonlySet<string>
  /** Clusters that were wanted and good when it was sent. */
  readonly clusters: ReadonlySet<string>
  /** A deadline let it out, or it was for one of whom nothing was known, or the stream of clusters broke meanwhile. */
  late: boolean
}

interface Connection {
  readonly client: Client
  readonly state: FullState
  nonce: string
  timer: number | undefined
}

export class Stream {
  readonly type: ResourceType
  readonly names: readonly string[]
  readonly waiting: Sent[] = []
  connection: Connection | undefined
  version = ''
  /** Of a type that is sent by name. */
  held: Resource | undefined
  /** It took a part of what it refused, and tells nobody. */
  hasRefused = false

  constructor(type: ResourceType, name?: string) {
    this.type = type
    this.names = name === undefined ? [] : [name]
  }
}

interface Cluster {
  resource: Resource
  /** Of the endpoints with which it serves, and of those that the newest content waits for. */
  active: Stream | undefined
  warming: Stream | undefined
}

export class EnvoyOfStreams {
  readonly clusters = new Map<string, Cluster>()
  readonly listeners = new Map<string, Resource>()
  readonly tables = new Map<string, Stream>()
  readonly secrets = new Map<string, Stream>()
  /** Clusters and listeners, as `type/name`, that it took without refusing any on the stream that is open, and are wanted since. */
  readonly had = new Set<string>()
  readonly #script: Script
  /** The server sends at once, or when it gets to it. */
  readonly #prompt: boolean
  readonly #streams = new Set<Stream>()
  readonly #due = new Set<Stream>()
  #draining = false
  /** Some stream broke: of what was told on it the server knows nothing more. */
  hasBroken = false
  /** Tables and listeners that did not wait to the end for their clusters. */
  readonly #late = new Set<Resource>()
  /** Clusters of one list that it refused: of those each is asked of it without the others. */
  #together = new Set<string>()
  /** The server has seen that it has something, since it had no stream. */
  #isKnown = false

  constructor(script: Script, prompt: boolean) {
    this.#script = script
    this.#prompt = prompt
    script.whenRefused = () => this.schedule(this.#streams)
    script.whenWoken = (client) =>
      this.schedule([...this.#streams].filter(({ connection }) => connection?.client === client))
    this.#open(new Stream('clusters'))
  }

  get open(): readonly Stream[] {
    return [...this.#streams].filter(({ connection }) => connection !== undefined)
  }

  get away(): readonly Stream[] {
    return [...this.#streams].filter(({ connection }) => connection === undefined)
  }

  get unread(): readonly Stream[] {
    return this.open.filter(({ waiting }) => waiting.length > 0)
  }

  /** Tables and listeners by which it serves. */
  get inForce(): readonly Resource[] {
    return [...this.listeners.values(), ...[...this.tables.values()].flatMap(({ held }) => held ?? [])]
  }

  #open(stream: Stream): Stream {
    this.#streams.add(stream)
    this.comeBack(stream)
    return stream
  }

  comeBack(stream: Stream): void {
    const client = this.#script.hub.connect({ id: 'naive', build: '1' }, 'separate')
    stream.connection = { client, state: new FullState(client, 'separate'), nonce: '', timer: undefined }
    if (this.open.length === 1) this.#isKnown = false
    this.#isKnown ||= stream.type === 'clusters' || stream.version !== ''
    this.#ask(stream, undefined)
  }

  /** Not while it has taken a part of what it refused: the version that it would tell is the one before. */
  breakOff(stream: Stream): void {
    if (stream.hasRefused || stream.connection === undefined) return
    this.hasBroken = true
    this.#script.hub.disconnect(stream.connection.client)
    stream.connection = undefined
    stream.waiting.length = 0
    if (stream.type === 'clusters')
      for (const { waiting } of this.#streams) for (const response of waiting) response.late = true
    for (const one of this.had) if (one.startsWith(stream.type)) this.had.delete(one)
  }

  #close(stream: Stream | undefined): void {
    if (stream === undefined) return
    if (stream.connection !== undefined) this.#script.hub.disconnect(stream.connection.client)
    this.#streams.delete(stream)
    this.#due.delete(stream)
  }

  #ask(stream: Stream, error: string | undefined): void {
    const { type, names, version, connection } = stream
    if (connection === undefined) return
    const { client, state, nonce } = connection
    const request = { names, version, nonce, error }
    demand(!state.isStale(type, request), 'answers what was sent last')
    this.#script.hub.took(client, type, state.answered(type, request))
    if (nonce !== '') this.#script.hub.settle(client, type, nonce, error)
    const isFirst = !client.subscriptions[type].started
    state.request(type, request)
    if (isFirst) this.#script.hub.began(client, type)
    this.schedule([stream])
  }

  schedule(streams: Iterable<Stream> = this.#streams): void {
    for (const stream of streams) this.#due.add(stream)
    if (this.#prompt) this.turn()
  }

  /** The server sends what is due. */
  turn(): void {
    if (this.#draining) return
    this.#draining = true
    for (const stream of this.#due) {
      this.#due.delete(stream)
      this.#send(stream)
    }
    this.#draining = false
  }

  /** The time of a timer of the server that is set, the earliest. */
  get timer(): number | undefined {
    const all = this.open.flatMap(({ connection }) => connection?.timer ?? [])
    return all.length === 0 ? undefined : Math.min(...all)
  }

  /** It is later now. */
  pass(now: number): void {
    this.#script.now = now
    this.schedule(this.open.filter(({ connection }) => (connection?.timer ?? now + 1) <= now))
  }

  #send(stream: Stream): void {
    const { connection, type } = stream
    if (connection === undefined) return
    const { client, state } = connection
    const all = client.next(this.#script.now)
    const late = client.takeTimeouts() > 0 || !this.#isKnown
    const { store } = this.#script.hub
    const clusters = new Set(this.#goodClusters())
    const users = new Set([...store.all('routes').keys(), ...store.all('listeners').keys()])
    for (const outgoing of all) {
      const response = state.respond(outgoing)
      if (response === undefined) {
        this.#script.hub.settle(client, type, outgoing.nonce, undefined)
        this.#due.add(stream)
      } else stream.waiting.push({ ...response, clusters, users, late })
    }
    connection.timer = client.wakeAt()
  }

  /** Reads the oldest response of the stream. @param answer before or after it opens what it needs, or the stream breaks before */
  read(stream: Stream, answer: 'before' | 'after' | 'never' = 'before'): void {
    const { type, waiting, connection } = stream
    const response = waiting[0]
    if (response === undefined || connection === undefined) return
    const wrong = response.resources.filter(isBad).map(({ name }) => name)
    const refused = wrong.length > 0
    if (type === 'clusters' && wrong.length > 1) this.#together = new Set(wrong)
    const words = wrong.map((name) => `${name}: bad`).join(', ')
    const error = refused ? `Error adding/updating ${type.slice(0, -1)}(s) ${words}` : undefined
    if (refused && answer === 'never') return
    waiting.shift()
    connection.nonce = response.nonce
    if (!refused) stream.version = response.version
    const whole = sentWhole.has(type)
    stream.hasRefused = whole && refused
    if (whole && !refused)
      for (const { name } of response.resources)
        if (this.#script.hub.store.get(type, name) !== undefined) this.had.add(`${type}/${name}`)
    if (answer === 'never') this.breakOff(stream)
    if (answer === 'before') this.#ask(stream, error)
    if (type === 'clusters') this.#takeClusters(response)
    else if (type === 'listeners') this.#takeListeners(response)
    else if (!refused) this.#takeNamed(stream, response)
    if (answer === 'after') this.#ask(stream, error)
    this.#follow()
    if (type === 'clusters' && ![...this.#streams].some((one) => one.type === 'listeners'))
      this.#open(new Stream('listeners'))
  }

  #takeClusters({ resources, clusters: wanted, users }: Sent): void {
    const names = new Set(resources.map(({ name }) => name))
    for (const [name, { active, warming }] of this.clusters) {
      if (names.has(name)) continue
      this.clusters.delete(name)
      this.#close(active)
      this.#close(warming)
      if (this.hasBroken && (!wanted.has(name) || this.#together.has(name))) continue
      for (const user of this.inForce)
        demand(
          this.#late.has(user) || !users.has(user.name) || user.references?.clusters?.includes(name) !== true,
          `${name} is gone that ${user.name} needs`,
        )
    }
    for (const one of resources) {
      const before = this.clusters.get(one.name)
      if (!isBad(one)) this.#together.delete(one.name)
      if (isBad(one) || before?.resource.version === one.version) continue
      this.#close(before?.warming)
      const cluster: Cluster = { resource: one, active: before?.active, warming: undefined }
      this.clusters.set(one.name, cluster)
      cluster.warming = this.#open(new Stream('endpoints', one.references?.endpoints?.[0]))
    }
  }

  #takeListeners(response: Sent): void {
    const names = new Set(response.resources.map(({ name }) => name))
    for (const name of this.listeners.keys()) if (!names.has(name)) this.listeners.delete(name)
    for (const one of response.resources) {
      if (isBad(one)) continue
      if (this.listeners.get(one.name)?.version !== one.version) this.#expectClusters(one, response)
      this.listeners.set(one.name, one)
    }
  }

  #takeNamed(stream: Stream, response: Sent): void {
    const [only] = response.resources
    demand(only !== undefined && response.resources.length === 1, 'one by one')
    demand(only?.name === stream.names[0], 'what was asked for')
    stream.held = only
    if (stream.type === 'routes' && only !== undefined) this.#expectClusters(only, response)
    for (const cluster of this.clusters.values()) {
      if (cluster.warming !== stream) continue
      this.#close(cluster.active)
      cluster.active = stream
      cluster.warming = undefined
    }
  }

  /** The clusters that it names are there, if they were wanted and good when it was sent, and are. */
  #expectClusters(user: Resource, { clusters, late }: Sent): void {
    const { name, references } = user
    if (late) this.#late.add(user)
    if (late) return
    for (const cluster of this.#goodClusters())
      if (clusters.has(cluster) && references?.clusters?.includes(cluster) === true)
        demand(this.clusters.has(cluster), `${name} before its cluster ${cluster}`)
  }

  #goodClusters(): readonly string[] {
    const all = [...this.#script.hub.store.all('clusters').values()]
    return all.filter((one) => !isBad(one)).map(({ name }) => name)
  }

  /** Opens the streams of what it has and closes those of what it has no more. */
  #follow(): void {
    const named = [...this.listeners.values()].map(followsOf)
    this.#adjust('routes', this.tables, new Set(named.flatMap(({ tables }) => tables)))
    const ofClusters = [...this.clusters.values()].flatMap(
      ({ resource }) => resource.references?.secrets ?? [],
    )
    this.#adjust(
      'secrets',
      this.secrets,
      new Set([...named.flatMap(({ secrets }) => secrets), ...ofClusters]),
    )
  }

  #adjust(type: ResourceType, streams: Map<string, Stream>, names: ReadonlySet<string>): void {
    for (const [name, stream] of streams) {
      if (names.has(name)) continue
      streams.delete(name)
      this.#close(stream)
    }
    for (const name of names) if (!streams.has(name)) streams.set(name, this.#open(new Stream(type, name)))
  }

  /** It has what it is taken to have, once it has read what came. */
  check(): void {
    for (const { type, connection, waiting, held, hasRefused } of this.open) {
      if (waiting.length > 0) continue
      for (const [name, { version }] of connection?.client.subscriptions[type].held ?? []) {
        const own = { clusters: this.clusters.get(name)?.resource, listeners: this.listeners.get(name) }
        const one = type === 'clusters' || type === 'listeners' ? own[type] : held
        demand(one !== undefined, `${type} ${name} is not there`)
        demand(hasRefused || one?.version === version, `${type} ${name} is another`)
      }
    }
  }

  /** Until all is read and every timer has passed. */
  rest(): void {
    let messages = 0
    for (let round = 0; round < 100; round++) {
      for (const stream of this.away) this.comeBack(stream)
      this.turn()
      for (let [stream] = this.unread; stream !== undefined; [stream] = this.unread) {
        demand(++messages < 300, 'does not come to rest')
        this.read(stream)
        this.turn()
      }
      const { timer } = this
      if (timer === undefined) return
      this.pass(Math.max(timer, this.#script.now))
    }
    throw new Error('there is always another timer')
  }
}
