/**
 * One delta ADS stream: bytes from gRPC into the client's state machine and its responses back, within the byte
 * budget. Ends by itself with the call; whatever the call throws ends only this stream.
 */
import { type ServerDuplexStream, status } from '@grpc/grpc-js'
import { describeError, type Logger } from '@landfall/telemetry'
import type { ByteBudget } from './budget.ts'
import type { ResourceType } from './resource.ts'
import type { Client, Settlement } from './session/client.ts'
import type { Hub } from './session/hub.ts'
import { decodeRequest, encodeResponse, type Request } from './session/wire.ts'

export interface StreamEvents {
  readonly onSettled: (stream: AdsStream, type: ResourceType, settlement: Settlement, error?: string) => void
  readonly onSent: (type: ResourceType, bytes: number) => void
  readonly onGateTimeouts: (count: number) => void
  readonly onClosed: (stream: AdsStream) => void
}

export type Call = ServerDuplexStream<Buffer, Buffer>

export class AdsStream {
  readonly #call: Call
  readonly #hub: Hub
  readonly #budget: ByteBudget
  readonly #logger: Logger
  readonly #events: StreamEvents
  /** Gives the stream its turn to send; see `send`. */
  readonly #schedule: (stream: AdsStream) => void
  readonly #resume = (): void => this.#schedule(this)
  readonly #unserved = new Set<string>()
  client: Client | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: {
    readonly call: Call
    readonly hub: Hub
    readonly budget: ByteBudget
    readonly logger: Logger
    readonly events: StreamEvents
    readonly schedule: (stream: AdsStream) => void
  }) {
    this.#call = options.call
    this.#hub = options.hub
    this.#budget = options.budget
    this.#logger = options.logger
    this.#events = options.events
    this.#schedule = options.schedule
    this.#call.on('data', (bytes: Buffer) => this.#receive(bytes))
    this.#call.on('error', () => this.#close())
    this.#call.on('cancelled', () => this.#close())
    this.#call.on('close', () => this.#close())
    // A reset shows 'end' before 'cancelled'; ending a call that is gone already does nothing.
    this.#call.on('end', () => this.end())
  }

  get peer(): string {
    return this.#call.getPeer()
  }

  end(): void {
    if (!this.#closed) this.#call.end()
    this.#close()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    this.#budget.forget(this.#resume)
    if (this.client !== undefined) this.#hub.disconnect(this.client)
    this.#events.onClosed(this)
  }

  #refuse(details: string): void {
    this.#call.emit('error', { code: status.INVALID_ARGUMENT, details })
    this.#close()
  }

  #receive(bytes: Buffer): void {
    if (this.#closed) return
    let request: Request
    try {
      request = decodeRequest(bytes)
    } catch (error) {
      return this.#refuse(`not a DeltaDiscoveryRequest: ${describeError(error)}`)
    }
    if (request.typeUrl === '') return this.#refuse('the request names no type_url')
    this.client ??= this.#hub.connect(request.node ?? { id: '', build: '' })
    if (request.type === undefined) return this.#ignore(request.typeUrl)
    this.#handle(this.client, request.type, request)
    this.#schedule(this)
  }

  #handle(client: Client, type: ResourceType, request: Request): void {
    if (request.nonce !== '') {
      const settlement = this.#hub.settle(client, type, request.nonce, request.error)
      this.#events.onSettled(this, type, settlement, request.error)
    }
    const names = request.subscribe.length + request.unsubscribe.length
    if (names > 0 || !client.subscriptions[type].started) client.request(type, request)
  }

  #ignore(typeUrl: string): void {
    if (this.#unserved.has(typeUrl) || this.#unserved.size > 20) return
    this.#unserved.add(typeUrl)
    this.#logger.debug('typeNotServed', { typeUrl, node: this.client?.node.id })
  }

  /** Writes what is due, if there is room for it. */
  send(now: number): void {
    if (this.#closed || this.client === undefined || !this.#budget.admit(this.#resume)) return
    for (const response of this.client.next(now)) {
      const bytes = encodeResponse(response)
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      this.#budget.take(buffer.length)
      // Called on success, on error and when the stream is torn down.
      this.#call.write(buffer, () => this.#budget.release(buffer.length))
      this.#events.onSent(response.type, buffer.length)
    }
    this.#setTimer(this.client, now)
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
