/** For tests: a hub with clients that are told line by line what to ask, accept and refuse. */
import {
  makeResource,
  type References,
  type Resource,
  type ResourceType,
  resourceTypes,
  type Snapshot,
} from '../resource.ts'
import type { Client, Outgoing } from './client.ts'
import { Hub, type Refused } from './hub.ts'

export type Plain = { readonly [T in ResourceType]?: readonly Resource[] }

export function resource(name: string, content: string, references?: References): Resource {
  return makeResource(name, new TextEncoder().encode(`${name}=${content}`), references)
}

export function snapshot(plain: Plain): Snapshot {
  const maps = resourceTypes.map((type) => [
    type,
    new Map((plain[type] ?? []).map((entry) => [entry.name, entry])),
  ])
  return Object.fromEntries(maps) as Snapshot
}

/** In content that a naive Envoy refuses. */
export const bad = 'bad'
export const isBad = ({ bytes }: Resource): boolean => new TextDecoder().decode(bytes).includes(bad)

export function demand(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise)
}

export interface Ask {
  readonly subscribe?: readonly string[]
  readonly unsubscribe?: readonly string[]
  readonly has?: Readonly<Record<string, string>>
}

export class Script {
  readonly refused: Refused[] = []
  readonly cleared: string[] = []
  readonly hub: Hub
  whenRefused = (): void => {}
  whenWoken = (_client: Client): void => {}
  now = 0

  constructor() {
    this.hub = new Hub({
      onRefused: (refused) => {
        this.refused.push(refused)
        this.whenRefused()
      },
      onCleared: ({ type, name }) => this.cleared.push(`${type}/${name}`),
      onWake: (client) => this.whenWoken(client),
    })
  }

  publish(plain: Plain): void {
    this.hub.publish(snapshot(plain))
  }

  client(id = 'envoy', build = '1.40.0'): ScriptedClient {
    return new ScriptedClient(this, this.hub.connect({ id, build }))
  }
}

export class ScriptedClient {
  readonly client: Client
  readonly #script: Script

  constructor(script: Script, client: Client) {
    this.#script = script
    this.client = client
  }

  ask(type: ResourceType, ask: Ask = {}): this {
    const { subscribe = [], unsubscribe = [], has = {} } = ask
    this.client.request(type, { subscribe, unsubscribe, initialVersions: new Map(Object.entries(has)) })
    return this
  }

  /** The responses that are due, unanswered. */
  take(): readonly Outgoing[] {
    return this.client.next(this.#script.now)
  }

  /** The responses that are due as text: `type +name -name`. */
  read(): readonly string[] {
    return this.take().map(text)
  }

  ack(type: ResourceType): this {
    this.#settle(type, undefined)
    return this
  }

  nack(type: ResourceType, message: string): this {
    this.#settle(type, message)
    return this
  }

  #settle(type: ResourceType, message: string | undefined): void {
    const flight = this.client.subscriptions[type].flight
    if (flight === undefined) throw new Error(`no response of ${type} is in flight`)
    this.#script.hub.settle(this.client, type, flight.nonce, message)
  }

  /** Refuses what comes of the type until nothing more of it comes. */
  settleRefusing(type: ResourceType, message: string): void {
    this.take()
    while (this.client.subscriptions[type].flight !== undefined) {
      this.nack(type, message)
      this.take()
    }
  }

  /** Accepts everything until nothing more comes; answers all that came. */
  settle(): readonly string[] {
    const all: string[] = []
    for (let round = 0; round < 1000; round++) {
      all.push(...this.read())
      const flying = resourceTypes.filter((type) => this.client.subscriptions[type].flight !== undefined)
      if (flying.length === 0) return all
      for (const type of flying) this.ack(type)
    }
    throw new Error('the server does not come to rest')
  }
}

export function text({ type, resources, removed }: Outgoing): string {
  return [type, ...resources.map(({ name }) => `+${name}`), ...removed.map((name) => `-${name}`)].join(' ')
}
