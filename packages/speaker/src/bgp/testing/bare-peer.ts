/**
 * A peer on loopback that does what it is told: takes connections, opens sessions, and keeps every message it got.
 * It is made of our own codec, so it proves the sessions and not the bytes; those are proved against real peers.
 */
import { once } from 'node:events'
import net from 'node:net'
import { formatPrefix } from '@landfall/netip'
import {
  asFieldOf,
  type Capability,
  decodeMessage,
  encodeMessage,
  type Message,
  maxExtendedLength,
  nextFrame,
  type Received,
  type SessionContext,
  unicastOf,
} from '../codec/index.ts'

const context: SessionContext = { fourOctetAS: true, internal: true, messageLimit: maxExtendedLength }

export interface BarePeerOptions {
  readonly asn: number
  readonly holdSeconds?: number
  /** 127.0.0.1 unless given. */
  readonly address?: string
  /** Any that is free unless given. */
  readonly port?: number
  /** Offers graceful restart, with so long a time to be away. */
  readonly restartSeconds?: number
  /** Answers each OPEN with this instead of opening a session. */
  readonly refusal?: Message
  /** Takes connections and says nothing. */
  readonly mute?: boolean
}

export class BarePeer {
  readonly received: Received[] = []
  readonly routes = new Set<string>()
  /** performance.now() when a prefix was last announced. */
  readonly announcedAt = new Map<string, number>()
  connections = 0
  readonly #options: BarePeerOptions
  readonly #server: net.Server
  #socket: net.Socket | undefined

  private constructor(options: BarePeerOptions) {
    this.#options = options
    this.#server = net.createServer((socket) => this.#accept(socket))
  }

  static async listen(options: BarePeerOptions): Promise<BarePeer> {
    const peer = new BarePeer(options)
    peer.#server.listen(options.port ?? 0, options.address ?? '127.0.0.1')
    await once(peer.#server, 'listening')
    return peer
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('not listening')
    return address.port
  }

  send(message: Message): void {
    this.sendBytes(encodeMessage(message, context))
  }

  sendBytes(bytes: Uint8Array): void {
    this.#socket?.write(bytes)
  }

  /** Reads nothing more until `resume`. */
  pause(): void {
    this.#socket?.pause()
  }

  resume(): void {
    this.#socket?.resume()
  }

  notifications(): readonly string[] {
    return this.received.flatMap((one) =>
      one.kind === 'notification' ? [`${one.error.code}/${one.error.subcode}`] : [],
    )
  }

  /** The connection ends without a word. */
  drop(): void {
    this.#socket?.end()
  }

  async close(): Promise<void> {
    this.#socket?.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(socket: net.Socket): void {
    this.connections++
    this.#socket = socket
    this.routes.clear()
    let pending = Buffer.alloc(0)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      if (socket === this.#socket) this.routes.clear()
    })
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      for (let next = nextFrame(pending, maxExtendedLength); next.kind === 'frame'; ) {
        this.#onFrame(next.frame)
        pending = pending.subarray(next.frame.length)
        next = nextFrame(pending, maxExtendedLength)
      }
    })
  }

  #onFrame(frame: Uint8Array): void {
    const decoded = decodeMessage(frame, context)
    if (!decoded.ok) throw new Error(`unreadable: ${JSON.stringify(decoded.error)}`)
    const message = decoded.value
    this.received.push(message)
    if (message.kind === 'open' && this.#options.mute !== true) this.#answer()
    if (message.kind !== 'update') return
    const now = performance.now()
    for (const prefix of message.announced) {
      this.routes.add(formatPrefix(prefix))
      this.announcedAt.set(formatPrefix(prefix), now)
    }
    for (const prefix of message.withdrawn) this.routes.delete(formatPrefix(prefix))
  }

  #answer(): void {
    const { asn, holdSeconds, refusal, restartSeconds: seconds } = this.#options
    if (refusal !== undefined) return this.send(refusal)
    this.send({
      kind: 'open',
      asField: asFieldOf(asn),
      holdSeconds: holdSeconds ?? 90,
      routerID: 0xc0000201,
      capabilities: [
        { kind: 'multiprotocol', family: unicastOf(4) },
        { kind: 'multiprotocol', family: unicastOf(6) },
        { kind: 'extendedMessage' },
        ...(seconds === undefined ? [] : [restartCapability(seconds)]),
        { kind: 'fourOctetAS', asn },
      ],
    })
    this.send({ kind: 'keepalive' })
  }
}

function restartCapability(seconds: number): Capability {
  const families = [{ ...unicastOf(4), forwarding: true }]
  return { kind: 'gracefulRestart', restarting: false, notification: true, seconds, families }
}
