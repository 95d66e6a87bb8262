/** For tests: a port of loopback on which connections are never accepted, nor refused. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

const listener = `
const { parentPort } = require('node:worker_threads')
const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port)
  // From here on nobody accepts.
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
})`
const mostTried = 16
const quietMs = 300

export class Unaccepting {
  port = 0
  readonly #worker = new Worker(listener, { eval: true })
  readonly #sockets: Socket[] = []

  /** Fills the queue of the kernel, until one more is not taken into it. */
  async open(): Promise<this> {
    const [port]: unknown[] = await once(this.#worker, 'message')
    this.port = Number(port)
    for (let n = 0; n < mostTried; n++) {
      const socket = connect(this.port, '127.0.0.1').on('error', () => undefined)
      this.#sockets.push(socket)
      await Promise.race([once(socket, 'connect'), sleep(quietMs)])
      // What came in the meantime is heard of first.
      await setImmediate()
      if (socket.connecting) return this
    }
    throw new Error('the queue is not full')
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await this.#worker.terminate()
  }
}
