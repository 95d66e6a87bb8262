import { once } from 'node:events'
import net from 'node:net'
import { Worker } from 'node:worker_threads'
import { afterEach, expect, test, vi } from 'vitest'
import { tcpProgress } from './tcp-progress.ts'

const opened: net.Socket[] = []
let listener: Worker
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy()
  await listener.terminate()
})

/** Listens and never accepts: its kernel answers as long as connections fit into the queue. */
async function deaf(): Promise<number> {
  const program = `
    const { parentPort } = require('node:worker_threads')
    const server = require('node:net').createServer()
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)
    })`
  listener = new Worker(program, { eval: true })
  const [port] = (await once(listener, 'message')) as [number]
  return port
}

function open(port: number): net.Socket {
  const socket = net.connect({ port, host: '127.0.0.1' }).on('error', () => {})
  opened.push(socket)
  return socket
}

test('the kernel tells who was answered, and what was sent again', async () => {
  const port = await deaf()
  const first = open(port)
  await once(first, 'connect')
  expect(tcpProgress(first)).toEqual({ answered: true, sentAgain: 0, unanswered: 0 })
  const second = open(port)
  await once(second, 'connect')
  // The queue is full: what comes now is dropped.
  const third = open(port)
  await vi.waitUntil(() => (tcpProgress(third)?.sentAgain ?? 0) > 0, 30_000)
  expect(tcpProgress(third)).toMatchObject({ answered: false, unanswered: 1 })
  third.destroy()
  expect(tcpProgress(third)).toBeUndefined()
})
