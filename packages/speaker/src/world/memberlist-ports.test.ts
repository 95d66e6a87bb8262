import { once } from 'node:events'
import net from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { MemberlistPorts } from './memberlist-ports.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

async function listen(host: string, port = 0): Promise<net.Server> {
  const server = net.createServer((socket) => socket.on('error', () => {})).listen(port, host)
  open.push(server)
  await once(server, 'listening')
  return server
}

function portOf(server: net.Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening')
  return address.port
}

interface Watched {
  readonly ports: MemberlistPorts
  readonly changes: (readonly string[])[]
  readonly next: () => Promise<void>
}

function watch(port: number, wanted = (): boolean => true): Watched {
  const changes: (readonly string[])[] = []
  let told = Promise.withResolvers<void>()
  const nodes = [
    { node: 'n1', addresses: ['127.0.0.1'] },
    { node: 'n2', addresses: ['127.0.0.2', '127.0.0.3'] },
  ]
  const ports = new MemberlistPorts({
    port,
    nodes: () => (wanted() ? nodes : []),
    onChange: (answering) => {
      changes.push(answering)
      told.resolve()
      told = Promise.withResolvers()
    },
    pauseMs: 5,
    idlePauseMs: 5,
  })
  open.push({ close: () => ports.stop() })
  return { ports, changes, next: () => told.promise }
}

test('after the first round it is known where somebody listens, on whichever address', async () => {
  const server = await listen('127.0.0.3')
  const { ports } = watch(portOf(server))
  await ports.start()
  expect([...ports.nodes]).toEqual(['n2'])
})

test('who comes and who goes is told, and nothing else', async () => {
  const first = await listen('127.0.0.1')
  const port = portOf(first)
  const { ports, changes, next } = watch(port)
  await ports.start()
  expect([...ports.nodes]).toEqual(['n1'])
  const both = next()
  await listen('127.0.0.2', port)
  await both
  const one = next()
  first.close()
  await one
  expect(changes).toEqual([['n1', 'n2'], ['n2']])
})

test('nobody is asked, and nobody known, without reason', async () => {
  const server = await listen('127.0.0.1')
  let asked = 0
  server.on('connection', () => asked++)
  let wanted = false
  const { ports, next } = watch(portOf(server), () => wanted)
  await ports.start()
  expect([asked, ports.nodes.size]).toEqual([0, 0])
  const found = next()
  wanted = true
  await found
  const gone = next()
  wanted = false
  await gone
  expect(ports.nodes.size).toBe(0)
})
