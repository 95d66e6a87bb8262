import { once } from 'node:events'
import net from 'node:net'
import { shareConnection, UdpSocket } from '@landfall/net'
import { type IP, parseIP } from '@landfall/netip'
import { expect, onTestFinished, test, vi } from 'vitest'
import { decodeControl, encodeControl } from './codec/index.ts'
import { BfdEngine, type BfdSession, type FromBfd } from './index.ts'

const ip = (text: string): IP => parseIP(text) ?? expect.unreachable(text)

const session = (local: string, remote: string): BfdSession => ({
  id: 'peer',
  local: ip(local),
  remote: ip(remote),
  device: undefined,
  multihop: false,
  profile: {
    transmitMs: 50,
    receiveMs: 50,
    // A second: a pause of this thread is no end of its peer.
    multiplier: 20,
    echoMs: undefined,
    passive: false,
    minimumTtl: 254,
  },
})

function engine() {
  const said: FromBfd[] = []
  const bfd = new BfdEngine((message) => said.push(message))
  onTestFinished(() => bfd.stop())
  const states = () => said.flatMap((one) => (one.kind === 'state' ? [one.state] : []))
  return { bfd, said, states }
}

test('two ends on loopback meet; one that stops is no failure to the other', async () => {
  const [a, b] = [engine(), engine()]
  a.bfd.handle({ kind: 'open', session: session('127.0.0.91', '127.0.0.92') })
  b.bfd.handle({ kind: 'open', session: session('127.0.0.92', '127.0.0.91') })
  await vi.waitFor(() => expect([a.states().at(-1), b.states().at(-1)]).toEqual(['up', 'up']), 30_000)
  await b.bfd.stop()
  await vi.waitFor(() => expect(a.states().at(-1)).toBe('down'), 30_000)
  expect(a.said.filter((one) => one.kind === 'state' && one.held)).toEqual([])
})

test('a port that another daemon has is an obstacle, and had once it is free', async () => {
  const taken = new UdpSocket({ local: ip('127.0.0.93'), port: 3784, ttl: 255 })
  const { bfd, said, states } = engine()
  bfd.handle({ kind: 'open', session: session('127.0.0.93', '127.0.0.94') })
  expect(said).toMatchObject([{ kind: 'obstacle', id: 'peer', obstacle: 'portInUse' }])
  taken.close()
  await vi.waitFor(() => expect(states()).toEqual(['down']), 30_000)
})

test('of two peers at one address the second has no BFD while the first has it', async () => {
  const { bfd, said } = engine()
  const of = (id: string) => ({ ...session('127.0.0.97', '127.0.0.98'), id })
  bfd.handle({ kind: 'open', session: of('first') })
  bfd.handle({ kind: 'open', session: of('second') })
  expect(said.filter(({ kind }) => kind === 'obstacle')).toMatchObject([
    { id: 'second', obstacle: 'pathTaken' },
  ])
  bfd.handle({ kind: 'close', id: 'first' })
  const state = expect.objectContaining({ kind: 'state', id: 'second' })
  await vi.waitFor(() => expect(said).toContainEqual(state), 30_000)
})

test('a connection that nobody ends when its peer is lost is ended here', async () => {
  const { socket, fd } = await connection()
  const { bfd, said, states } = engine()
  const peer = answeringPeer('127.0.0.96', '127.0.0.95')
  bfd.handle({ kind: 'open', session: session('127.0.0.95', '127.0.0.96') })
  await vi.waitFor(() => expect(states().at(-1)).toBe('up'), 30_000)
  bfd.handle({ kind: 'guard', id: 'peer', fd })
  peer.close()
  await vi.waitFor(() => expect(said).toContainEqual({ kind: 'shut', id: 'peer' }), 30_000)
  expect(said.filter((one) => one.kind === 'state').at(-1)).toMatchObject({ diagnostic: 1, held: true })
  await vi.waitFor(() => expect(socket.closed).toBe(true), 30_000)
})

test('so is one that was there before BFD could begin', async () => {
  const { socket, fd } = await connection()
  const taken = new UdpSocket({ local: ip('127.0.0.87'), port: 3784, ttl: 255 })
  const { bfd, said, states } = engine()
  const peer = answeringPeer('127.0.0.88', '127.0.0.87')
  bfd.handle({ kind: 'open', session: session('127.0.0.87', '127.0.0.88') })
  bfd.handle({ kind: 'guard', id: 'peer', fd })
  taken.close()
  await vi.waitFor(() => expect(states().at(-1)).toBe('up'), 30_000)
  peer.close()
  await vi.waitFor(() => expect(said).toContainEqual({ kind: 'shut', id: 'peer' }), 30_000)
  await vi.waitFor(() => expect(socket.closed).toBe(true), 30_000)
})

test.each(['unguard', 'close'] as const)('%s lets a connection go that waited with its BFD', async (kind) => {
  const { socket, fd, accepted } = await connection()
  const taken = new UdpSocket({ local: ip('127.0.0.87'), port: 3784, ttl: 255 })
  onTestFinished(() => taken.close())
  const { bfd } = engine()
  bfd.handle({ kind: 'open', session: session('127.0.0.87', '127.0.0.88') })
  bfd.handle({ kind: 'guard', id: 'peer', fd })
  bfd.handle({ kind, id: 'peer' })
  // A descriptor that was kept would keep it open.
  socket.destroy()
  const other = await accepted
  await vi.waitFor(() => expect(other.readableEnded).toBe(true), 30_000)
})

/** One that is established, and a second descriptor of it. */
async function connection() {
  const server = net.createServer((socket) => socket.resume()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const accepted = once(server, 'connection').then(([socket]) => socket as net.Socket)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening')
  const socket = net.connect(address.port, '127.0.0.1').resume()
  await once(socket, 'connect')
  const fd = shareConnection(socket)
  if (fd === undefined) throw new Error('no descriptor')
  return { socket, fd, accepted }
}

/** Goes along with everything until it is closed, and then says nothing more. */
function answeringPeer(local: string, remote: string): UdpSocket {
  const next = { adminDown: 'down', down: 'init', init: 'up', up: 'up' } as const
  const socket = new UdpSocket({
    local: ip(local),
    port: 3784,
    ttl: 255,
    onDatagram: (datagram) => {
      const packet = decodeControl(datagram)
      if (typeof packet === 'string') throw new Error(packet)
      const answer = {
        ...packet,
        state: next[packet.state],
        poll: false,
        final: packet.poll,
        myDiscriminator: 7,
        yourDiscriminator: packet.myDiscriminator,
      }
      socket.send(encodeControl(answer), ip(remote), 3784)
    },
  })
  socket.setSenders([{ ip: ip(remote), minTtl: 255 }])
  return socket
}

test('a descriptor for a session that is gone is not kept', () => {
  const { bfd } = engine()
  const socket = new net.Socket()
  expect(shareConnection(socket)).toBeUndefined()
  expect(() => bfd.handle({ kind: 'unguard', id: 'nobody' })).not.toThrow()
})
