/**
 * A program in a network of its own, from which it reaches nothing but some ports of this machine's loopback: they are the
 * same there. For a program that would else ask the machine's network for things.
 */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'

/** What the program finds in its environment: its ports, and the sockets in files, which both networks see. */
export const passageVariable = 'LANDFALL_PASSAGE'

const relay = join(import.meta.dirname, 'passage-inside.ts')
const enter = 'ip link set lo up && exec "$@"'

export class Passage {
  readonly #sockets: Readonly<Record<string, string>>
  readonly #servers: readonly Server[]
  readonly #open = new Set<Socket>()

  private constructor(sockets: Readonly<Record<string, string>>, servers: readonly Server[]) {
    this.#sockets = sockets
    this.#servers = servers
    for (const server of servers)
      server.on('connection', (socket) => {
        this.#open.add(socket)
        socket.once('close', () => this.#open.delete(socket))
      })
  }

  /** @param folder for the sockets */
  static async open(folder: string, ports: readonly number[]): Promise<Passage> {
    const sockets = Object.fromEntries(ports.map((port) => [port, join(folder, `${port}.sock`)]))
    const servers = Object.entries(sockets).map(([port, path]) =>
      createServer((one) => coupled(one, connect(Number(port), '127.0.0.1'))).listen(path),
    )
    await Promise.all(servers.map((server) => once(server, 'listening')))
    return new Passage(sockets, servers)
  }

  /** @returns the command line that runs a program of ours inside */
  through(program: string, ...args: readonly string[]): readonly string[] {
    const variable = `${passageVariable}=${JSON.stringify(this.#sockets)}`
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--import', relay]
    const apart = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--net', 'sh', '-ec', enter, 'sh']
    return [...apart, 'env', variable, ...node, program, ...args]
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    await Promise.all(this.#servers.map((server) => once(server.close(), 'close')))
  }
}

/** What one says the other hears, and they end together. */
export function coupled(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one)
  for (const [socket, partner] of [[one, other] as const, [other, one] as const])
    socket.on('error', () => partner.destroy()).on('close', () => partner.destroy())
}
