/** For tests of behaviour: a server of the DNS on loopback that knows a few names (RFC 1035, A records over UDP). */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'

export class NameServer {
  readonly asked: string[] = []
  port = 0
  readonly #addresses: Readonly<Record<string, string>>
  readonly #socket = createSocket('udp4')

  /** @param addresses IPv4, by name in lower case */
  constructor(addresses: Readonly<Record<string, string>>) {
    this.#addresses = addresses
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
    const known = this.#addresses[name]
    const wantsAddress = query.readUInt16BE(end - 4) === 1
    this.asked.push(name)
    const head = Buffer.alloc(12)
    query.copy(head, 0, 0, 2)
    head.writeUInt16BE(known === undefined ? 0x8183 : 0x8180, 2)
    head.writeUInt16BE(1, 4)
    if (known === undefined || !wantsAddress) return Buffer.concat([head, question])
    head.writeUInt16BE(1, 6)
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4])
    return Buffer.concat([head, question, record, Buffer.from(known.split('.').map(Number))])
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
