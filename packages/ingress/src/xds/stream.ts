/**
 * One stream: bytes from gRPC into the client's state machine and its responses back, within the byte budget. Ends by
 * itself with the call; whatever the call throws ends only this stream.
 */
import { type ServerDuplexStream, status } from '@grpc/grpc-js'
import { describeError, type Logger } from '@landfall/telemetry'
import type { ByteBudget } from './budget.ts'
import type { CallCounts } from './call-metrics.ts'
import type { ResourceType } from './resource.ts'
import type { Client, Node, Settlement } from './session/client.ts'
import { DeltaDialect, FullDialect } from './session/dialect.ts'
import type { Hub } from './session/hub.ts'
import type { Streams } from './session/streams-of-node.ts'
import type { Common } from './session/wire.ts'

/** How a client came in: by which variant of the protocol, and for everything or for one type. */
export interface Way {
  readonly variant: 'delta' | 'full'
  /** The one type of the stream; undefined: aggregated. */
  readonly only: ResourceType | undefined
}

export function streamsOf({ only }: Way): Streams {
  return only === undefined ? 'aggregated' : 'separate'
}

/** The desired state that the Envoy follows, and the Envoy as that knows it. */
export interface Joined {
  readonly hub: Hub
  readonly client: Client
}

export interface StreamEvents {
  readonly onSettled: (stream: AdsStream, type: ResourceType, settlement: Settlement, error?: string) => void
  readonly onSent: (type: ResourceType, bytes: number) => void
  readonly onGateTimeouts: (count: number) => void
  readonly onClosed: (stream: AdsStream) => void
}

export type Call = ServerDuplexStream<Buffer, Buffer>

export class AdsStream {
  readonly #call: Call
  readonly way: Way
  readonly #counts: CallCounts
  readonly #join: (node: Node) => Joined
  readonly #dialect: DeltaDialect | FullDialect
  readonly #budget: ByteBudget
  readonly #logger: Logger
  readonly #events: StreamEvents
  /** Gives the stream its turn to send; see `send`. */
  readonly #schedule: (stream: AdsStream) => void
  readonly #resume = (): void => this.#schedule(this)
  readonly #unserved = new Set<string>()
  #joined: Joined | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false
  /** Bytes that gRPC has and that no socket took yet. */
  #underway = 0

  constructor(options: {
    readonly call: Call
    readonly way: Way
    readonly counts: CallCounts
    /** Asked with the first message, which says who it is. */
    readonly join: (node: Node) => Joined
    readonly budget: ByteBudget
    readonly logger: Logger
    readonly events: StreamEvents
    readonly schedule: (stream: AdsStream) => void
  }) {
    this.#call = options.call
    this.way = options.way
    this.#counts = options.counts
    this.#join = options.join
    this.#dialect =
      options.way.variant === 'delta' ? new DeltaDialect() : new FullDialect(streamsOf(options.way))
    this.#budget = options.budget
    this.#logger = options.logger
    this.#events = options.events
    this.#schedule = options.schedule
    this.#call.on('data', (bytes: Buffer) => this.#receive(bytes))
    this.#call.on('error', () => this.#close(status.UNKNOWN))
    this.#call.on('cancelled', () => this.#close(status.CANCELLED))
    this.#call.on('close', () => this.#close(status.CANCELLED))
    // A reset shows 'end' before 'cancelled'; ending a call that is gone already does nothing.
    this.#call.on('end', () => this.end())
  }

  /** Undefined before the first message. */
  get client(): Client | undefined {
    return this.#joined?.client
  }

  get peer(): string {
    return this.#call.getPeer()
  }

  end(): void {
    if (!this.#closed) this.#call.end()
    this.#close(status.OK)
  }

  #close(code: status): void {
    if (this.#closed) return
    this.#closed = true
    this.#counts.handled(code)
    clearTimeout(this.#timer)
    this.#budget.forget(this.#resume)
    if (this.#joined !== undefined) this.#joined.hub.disconnect(this.#joined.client)
    this.#events.onClosed(this)
    this.#gone(this.#underway)
  }

  #refuse(details: string): void {
    const code = status.INVALID_ARGUMENT
    this.#close(code)
    this.#call.emit('error', { code, details })
  }

  #receive(bytes: Buffer): void {
    if (this.#closed) return
    this.#counts.received()
    let request: Common
    try {
      request = this.#dialect.decode(bytes)
    } catch (error) {
      return this.#refuse(`not a request of this protocol: ${describeError(error)}`)
    }
    const type = this.#typeOf(request)
    if (type === undefined && request.typeUrl === '') return this.#refuse('the request names no type_url')
    if (type === 'foreign') return this.#refuse(`this stream is not for ${request.typeUrl}`)
    this.#joined ??= this.#join(request.node ?? { id: '', build: '' })
    if (type === undefined) return this.#ignore(request.typeUrl)
    const { hub, client } = this.#joined
    const settled = this.#dialect.take(hub, client, type)
    if (settled !== undefined) this.#events.onSettled(this, type, settled, request.error)
    this.#schedule(this)
  }

  #typeOf({ type, typeUrl }: Common): ResourceType | 'foreign' | undefined {
    const { only } = this.way
    if (only === undefined) return type
    return typeUrl === '' || type === only ? only : 'foreign'
  }

  #ignore(typeUrl: string): void {
    if (this.#unserved.has(typeUrl) || this.#unserved.size > 20) return
    this.#unserved.add(typeUrl)
    this.#logger.debug('typeNotServed', { typeUrl, node: this.client?.node.id })
  }

  /** Writes what is due, if there is room for it. */
  send(now: number): void {
    if (this.#closed || this.#joined === undefined || !this.#budget.admit(this.#resume)) return
    const { hub, client } = this.#joined
    for (const response of client.next(now)) {
      const bytes = this.#dialect.encode(response)
      if (bytes === undefined) {
        hub.settle(client, response.type, response.nonce, undefined)
        setImmediate(() => this.#schedule(this))
        continue
      }
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      this.#underway += buffer.length
      this.#budget.take(buffer.length)
      this.#call.write(buffer, () => this.#gone(buffer.length))
      this.#counts.sent()
      this.#events.onSent(response.type, buffer.length)
    }
    this.#setTimer(client, now)
  }

  /** Of what is under way when the stream ends gRPC tells nothing more, or not all. */
  #gone(bytes: number): void {
    const left = Math.min(bytes, this.#underway)
    this.#underway -= left
    if (left > 0) this.#budget.release(left)
  }

  #setTimer(client: Client, now: number): void {
    const timeouts = client.takeTimeouts()
    if (timeouts > 0) this.#events.onGateTimeouts(timeouts)
    clearTimeout(this.#timer)
    const at = client.wakeAt()
    if (at === undefined) return
    this.#timer = setTimeout(() => this.#schedule(this), Math.max(1, at - now))
    this.#timer.unref()
  }
}
