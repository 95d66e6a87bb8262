// Cluster DNS on the wire: UDP and TCP on port 53 of the given addresses. Each node's kubelet runs one
// on an address of the node's own, so that no pod has to be up for a name to be resolved.
// In: addresses and the World that answers are made from. Nothing is asked of any other server.
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, isIPv6, type Server, type Socket } from 'node:net'
import { decodeQuestion, encodeAnswer } from './message.ts'
import { answer, type World } from './zone.ts'

const IDLE_MS = 10_000
const TCP_LIMIT = 65_535

export class DnsServer {
  readonly #sockets: UdpSocket[] = []
  readonly #servers: Server[] = []

  static async start(addresses: readonly string[], world: World, port = 53): Promise<DnsServer> {
    const dns = new DnsServer()
    for (const address of addresses) await dns.#listen(address, port, world)
    return dns
  }

  /** Of the first address; for tests that let the system choose. */
  get port(): number {
    return this.#sockets[0]?.address().port ?? 0
  }

  close(): void {
    for (const socket of this.#sockets) socket.close()
    for (const server of this.#servers) server.close()
  }

  async #listen(address: string, port: number, world: World): Promise<void> {
    const udp = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    udp.on('message', (message, from) => {
      const reply = respond(message, world, 'datagram')
      if (reply !== undefined) udp.send(reply, from.port, from.address)
    })
    await new Promise<void>((resolve, reject) => {
      udp.once('error', reject)
      udp.bind(port, address, resolve)
    })
    this.#sockets.push(udp)
    const tcp = createServer((socket) => serve(socket, world))
    await new Promise<void>((resolve, reject) => {
      tcp.once('error', reject)
      tcp.listen(udp.address().port, address, resolve)
    })
    this.#servers.push(tcp)
  }
}

function respond(message: Buffer, world: World, over: 'datagram' | 'stream'): Buffer | undefined {
  const question = decodeQuestion(message)
  if (question === undefined) return undefined
  return encodeAnswer(
    question,
    answer(question, world),
    over === 'stream' ? TCP_LIMIT : question.datagramSize,
  )
}

/** Each message has its length in two bytes before it (RFC 1035 §4.2.2). */
function serve(socket: Socket, world: World): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.setTimeout(IDLE_MS, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0)
      const reply = respond(rest.subarray(2, end), world, 'stream')
      rest = rest.subarray(end)
      if (reply === undefined) {
        socket.destroy()
        return
      }
      const length = Buffer.alloc(2)
      length.writeUInt16BE(reply.length)
      socket.write(Buffer.concat([length, reply]))
    }
  })
}
