/** The two variants of the protocol over one kind of client: delta, and the state of the world. */
import type { ResourceType } from '../resource.ts'
import type { Client, Outgoing, Settlement } from './client.ts'
import { FullState } from './full-state.ts'
import type { Hub } from './hub.ts'
import type { Streams } from './streams-of-node.ts'
import {
  type Common,
  decodeFullRequest,
  decodeRequest,
  encodeFullResponse,
  encodeResponse,
  type Request,
} from './wire.ts'

export class DeltaDialect {
  #request: Request | undefined

  /** @throws on bytes that are none of its requests */
  decode(bytes: Uint8Array): Common {
    this.#request = decodeRequest(bytes)
    return this.#request
  }

  /** Gives the client what was decoded last; answers what that settled. */
  take(hub: Hub, client: Client, type: ResourceType): Settlement | undefined {
    const request = this.#request
    if (request === undefined) return undefined
    const settlement =
      request.nonce === '' ? undefined : hub.settle(client, type, request.nonce, request.error)
    const names = request.subscribe.length + request.unsubscribe.length
    const isFirst = !client.subscriptions[type].started
    if (names > 0 || isFirst) client.request(type, request)
    if (isFirst) hub.began(client, type)
    return settlement
  }

  encode(response: Outgoing): Uint8Array | undefined {
    return encodeResponse(response)
  }
}

export class FullDialect {
  #request: ReturnType<typeof decodeFullRequest> | undefined
  readonly #streams: Streams
  #state: FullState | undefined

  constructor(streams: Streams) {
    this.#streams = streams
  }

  /** @throws on bytes that are none of its requests */
  decode(bytes: Uint8Array): Common {
    this.#request = decodeFullRequest(bytes)
    return this.#request
  }

  /** Gives the client what was decoded last; answers what that settled. */
  take(hub: Hub, client: Client, type: ResourceType): Settlement | undefined {
    const request = this.#request
    if (request === undefined) return undefined
    this.#state ??= new FullState(client, this.#streams)
    if (this.#state.isStale(type, request)) return { kind: 'stale' }
    hub.took(client, type, this.#state.answered(type, request))
    const settlement =
      request.nonce === '' ? undefined : hub.settle(client, type, request.nonce, request.error)
    const isFirst = !client.subscriptions[type].started
    this.#state.request(type, request)
    if (isFirst) hub.began(client, type)
    return settlement
  }

  /** Undefined: this variant has no words for it. */
  encode(response: Outgoing): Uint8Array | undefined {
    const full = this.#state?.respond(response)
    return full && encodeFullResponse(full)
  }
}
