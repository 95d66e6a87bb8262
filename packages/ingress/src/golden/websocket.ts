/** For tests of behaviour: one end of a websocket (RFC 6455), as far as texts in one frame each and the frame that ends it. */
import { createHash, randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'

const textOpcode = 1
const closeOpcode = 8

/** What the server answers to the client's key. */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

export class WebSocketEnd {
  readonly received: string[] = []
  /** The other end has said that it ends. */
  ended = false
  readonly #socket: Duplex
  readonly #masks: boolean
  readonly #onText: (text: string, end: WebSocketEnd) => void
  #unread: Buffer

  /** @param role clients mask what they send, servers do not */
  constructor(
    socket: Duplex,
    head: Buffer,
    role: 'client' | 'server',
    onText: (text: string, end: WebSocketEnd) => void = () => {},
  ) {
    this.#socket = socket
    this.#masks = role === 'client'
    this.#onText = onText
    this.#unread = head
    socket.on('data', (chunk: Buffer) => {
      this.#unread = Buffer.concat([this.#unread, chunk])
      this.#read()
    })
    socket.on('error', () => socket.destroy())
    this.#read()
  }

  send(text: string): void {
    this.#write(textOpcode, Buffer.from(text))
  }

  end(): void {
    this.#write(closeOpcode, Buffer.from([3, 232]))
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #write(opcode: number, payload: Buffer): void {
    const mask = this.#masks ? randomBytes(4) : Buffer.alloc(0)
    const bit = this.#masks ? 0x80 : 0
    const short = payload.length < 126
    const head = Buffer.alloc(short ? 2 : 10)
    head[0] = 0x80 | opcode
    head[1] = bit | (short ? payload.length : 127)
    if (!short) head.writeBigUInt64BE(BigInt(payload.length), 2)
    this.#socket.write(Buffer.concat([head, mask, masked(payload, mask)]))
  }

  #read(): void {
    for (let frame = frameIn(this.#unread); frame !== undefined; frame = frameIn(this.#unread)) {
      this.#unread = this.#unread.subarray(frame.length)
      if (frame.opcode === closeOpcode) this.ended = true
      else {
        const text = frame.payload.toString()
        this.received.push(text)
        this.#onText(text, this)
      }
    }
  }
}

/** Undefined while it is not all there. */
function frameIn(bytes: Buffer) {
  if (bytes.length < 2) return undefined
  const [first = 0, second = 0] = bytes
  const short = second & 0x7f
  const extra = short < 126 ? 0 : short === 126 ? 2 : 8
  const maskAt = 2 + extra
  const payloadAt = maskAt + (second & 0x80 ? 4 : 0)
  if (bytes.length < payloadAt) return undefined
  const size = extra === 0 ? short : extra === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  const length = payloadAt + size
  if (bytes.length < length) return undefined
  const payload = masked(bytes.subarray(payloadAt, length), bytes.subarray(maskAt, payloadAt))
  return { opcode: first & 0x0f, payload, length }
}

function masked(payload: Buffer, mask: Buffer): Buffer {
  return mask.length === 0
    ? payload
    : Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0)))
}
