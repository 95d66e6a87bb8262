/**
 * State-of-the-world xDS over the client that speaks delta (xDS protocol, "Basic Protocol Overview"): requests name
 * everything that is wanted, and a response of listeners or clusters holds all of them, of other types what changed.
 * In: requests; the client's responses. Out: what is to be settled; whole responses. No IO.
 */
import { createHash } from 'node:crypto'
import { type Resource, type ResourceType, resourceTypes } from '../resource.ts'
import type { Client, Outgoing } from './client.ts'
import { sentWhole } from './limits.ts'
import type { Streams } from './streams-of-node.ts'

export interface FullRequest {
  /** All that is wanted; none at first: everything. */
  readonly names: readonly string[]
  /** What was accepted last; '' on a client that has nothing. */
  readonly version: string
  readonly nonce: string
  readonly error: string | undefined
}

export interface FullResponse {
  readonly type: ResourceType
  readonly nonce: string
  readonly version: string
  readonly resources: readonly Resource[]
}

interface TypeState {
  started: boolean
  nonce: string
  names: ReadonlySet<string>
  /** Named nothing so far, which of some types means everything. */
  namesNone: boolean
  /** What the client acknowledged, or took of what it refused, of the types that are sent whole. */
  shown: Map<string, Resource>
  flying: Map<string, Resource>
}

export class FullState {
  readonly #client: Client
  readonly #streams: Streams
  readonly #types = new Map<ResourceType, TypeState>(
    resourceTypes.map((type) => [
      type,
      {
        started: false,
        nonce: '',
        names: new Set(),
        namesNone: false,
        shown: new Map(),
        flying: new Map(),
      },
    ]),
  )

  constructor(client: Client, streams: Streams) {
    this.#client = client
    this.#streams = streams
  }

  /** True when the request answers nothing that was sent last, and so is not to be read. */
  isStale(type: ResourceType, { nonce }: FullRequest): boolean {
    return nonce !== '' && nonce !== this.#of(type).nonce
  }

  /** Takes in the names of a request. */
  request(type: ResourceType, request: FullRequest): void {
    const state = this.#of(type)
    const names = new Set(request.names)
    const subscribe = [...names].filter((name) => !state.names.has(name))
    const unsubscribe = [...state.names].filter((name) => !names.has(name))
    const first = !state.started
    if (state.namesNone && names.size > 0) unsubscribe.push('*')
    state.namesNone = names.size === 0 && (first || state.namesNone)
    if (!first && subscribe.length + unsubscribe.length === 0) return
    state.started = true
    state.names = names
    const initialVersions = first ? this.#known(type, request) : new Map<string, string>()
    this.#client.request(type, {
      subscribe,
      unsubscribe,
      initialVersions,
      returns: first && request.version !== '',
    })
  }

  /**
   * Takes in what a request answers, before the client does: whoever hears of a refusal may have more sent at once.
   * Answers what it took of a response that it refuses.
   */
  answered(type: ResourceType, { nonce, error }: FullRequest): readonly Resource[] {
    const { flight } = this.#client.subscriptions[type]
    if (nonce === '' || flight?.nonce !== nonce) return []
    const state = this.#of(type)
    const taken = error === undefined || !sentWhole.has(type) ? [] : takenOf(flight.resources, error)
    if (error === undefined) state.shown = state.flying
    for (const resource of taken) state.shown.set(resource.name, resource)
    state.flying = state.shown
    return taken
  }

  /** Undefined: there is nothing that this protocol could say, and what was to be said counts as accepted. */
  respond({ type, nonce, resources, removed }: Outgoing): FullResponse | undefined {
    const state = this.#of(type)
    if (!sentWhole.has(type)) {
      if (resources.length === 0) return undefined
      state.nonce = nonce
      return { type, nonce, version: versionOf(resources), resources }
    }
    const subscription = this.#client.subscriptions[type]
    const flying = new Map([...state.shown].filter(([name]) => subscription.covers(name)))
    for (const resource of resources) flying.set(resource.name, resource)
    for (const name of removed) flying.delete(name)
    state.flying = flying
    state.nonce = nonce
    const all = [...flying.values()]
    return { type, nonce, version: versionOf(all), resources: all }
  }

  /**
   * The versions of what a client that comes back has: those of today if together they make the version that it
   * tells, else none, and it is told everything anew. Where all types share a stream the version of what is named is that
   * of a response, of which it may have dropped something since.
   */
  #known(type: ResourceType, { names, version }: FullRequest): ReadonlyMap<string, string> {
    const present = this.#client.present(type)
    const wanted = names.length === 0 || names.includes('*') ? [...present.keys()] : names
    const resources = wanted.flatMap((name) => present.get(name) ?? [])
    const isProof = this.#streams === 'separate' || sentWhole.has(type)
    if (!isProof || resources.length === 0 || versionOf(resources) !== version) return new Map()
    if (sentWhole.has(type)) {
      const state = this.#of(type)
      state.shown = new Map(resources.map((resource) => [resource.name, resource]))
      state.flying = state.shown
    }
    return new Map(resources.map((resource) => [resource.name, resource.version]))
  }

  #of(type: ResourceType): TypeState {
    const state = this.#types.get(type)
    if (state === undefined) throw new Error(`no such resource type: ${type}`)
    return state
  }
}

/** Of clusters and listeners that it refuses an Envoy takes those that its words do not name, if they name any. */
function takenOf(resources: readonly Resource[], words: string): readonly Resource[] {
  if (!words.startsWith('Error adding/updating ') || words.endsWith('(truncated)')) return []
  const others = resources.filter(
    ({ name }) => !words.includes(` ${name}: `) && !words.includes(`\n${name}: `),
  )
  return others.length === resources.length ? [] : others
}

/** Equal for equal content, whatever the order. */
function versionOf(resources: readonly Resource[]): string {
  const lines = resources.map(({ name, version }) => `${name} ${version}`).toSorted()
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16)
}
