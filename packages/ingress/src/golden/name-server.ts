/** For tests of behaviour: a server of the DNS on loopback that knows a few names (RFC 1035, A and AAAA records over UDP). */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'

export class NameServer {
  readonly asked: string[] = []
  port = 0
  readonly #addresses: Readonly<Record<string, string>>
  readonly #addresses6: Readonly<Record<string, string>>
  readonly #socket = createSocket('udp4')

  /**
   * @param addresses IPv4, by name in lower case
   * @param addresses6 IPv6, with all their zeros
   */
  constructor(
    addresses: Readonly<Record<string, string>>,
    addresses6: Readonly<Record<string, string>> = {},
  ) {
    this.#addresses = addresses
    this.#addresses6 = addresses6
    this.#socket.on('message', (query, { port, address }) =>
      this.#socket.send(this.#answer(query), port, address),
    )
  }

  async open(): Promise<this> {
    this.#socket.bind(0, '127.0.0.1')
    await once(this.#socket, 'listening')
    this.port = this.#socket.address().port
    return this
  }

  close(): void {
    this.#socket.close()
  }

  #answer(query: Buffer): Buffer {
    const { name, end } = questionOf(query)
    const question = query.subarray(12, end)
    const isKnown = name in this.#addresses || name in this.#addresses6
    const type = query.readUInt16BE(end - 4)
    this.asked.push(name)
    const head = Buffer.alloc(12)
    query.copy(head, 0, 0, 2)
    head.writeUInt16BE(isKnown ? 0x8180 : 0x8183, 2)
    head.writeUInt16BE(1, 4)
    const address = this.#bytesOf(name, type)
    if (address === undefined) return Buffer.concat([head, question])
    head.writeUInt16BE(1, 6)
    const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 1, 0, address.length])
    return Buffer.concat([head, question, record, address])
  }

  #bytesOf(name: string, type: number): Buffer | undefined {
    const text = type === 1 ? this.#addresses[name] : type === 28 ? this.#addresses6[name] : undefined
    if (text === undefined) return undefined
    if (type === 1) return Buffer.from(text.split('.').map(Number))
    return Buffer.from(
      text
        .split(':')
        .map((part) => part.padStart(4, '0'))
        .join(''),
      'hex',
    )
  }
}

/** The one name that is asked for, and where its question ends. */
function questionOf(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length).toLowerCase())
    at += 1 + length
  }
  return { name: labels.join('.'), end: at + 5 }
}
