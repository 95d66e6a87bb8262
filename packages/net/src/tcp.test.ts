import { once } from 'node:events'
import type net from 'node:net'
import { type IP, parseIP } from '@landfall/netip'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { closeFd, shutFd } from './libc.ts'
import { listenTcp, openTcpSocket, shareConnection, type TcpListener } from './tcp.ts'

const ip = (text: string): IP => {
  const parsed = parseIP(text)
  if (parsed === undefined) throw new Error(text)
  return parsed
}
const port = (listener: TcpListener): number => (listener.server.address() as net.AddressInfo).port

const opened: { destroy(): void }[] = []
const listeners: TcpListener[] = []
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy()
  for (const listener of listeners.splice(0)) await listener.close()
})

function echo(local: IP): TcpListener {
  const listener = listenTcp({ local, port: 0 })
  listeners.push(listener)
  listener.server.on('connection', (socket) => {
    opened.push(socket)
    socket.pipe(socket)
  })
  return listener
}

async function outcome(socket: net.Socket, ms: number): Promise<string> {
  opened.push(socket)
  return await Promise.race([
    once(socket, 'connect').then(() => 'connected'),
    once(socket, 'error').then(([error]) => String((error as NodeJS.ErrnoException).code)),
    new Promise<string>((resolve) => setTimeout(() => resolve('silent'), ms)),
  ]).catch((error: NodeJS.ErrnoException) => String(error.code))
}

describe.each(['127.0.0.1', '::1'])('tcp on %s', (address) => {
  test('bytes go both ways with a source address and TTL options set', async () => {
    const listener = echo(ip(address))
    const socket = openTcpSocket({
      remote: ip(address),
      port: port(listener),
      local: ip(address),
      ttl: 255,
      minTtl: 1,
    })
    expect(await outcome(socket, 20_000)).toBe('connected')
    socket.write('open')
    const [data] = await once(socket, 'data')
    expect(String(data)).toBe('open')
    expect(socket.localAddress).toBe(address)
  })

  test('a key on both sides connects, on one side it is silent, and a removed key is gone', async () => {
    const listener = echo(ip(address))
    const dial = (md5Password?: string, ms = 20_000) =>
      outcome(openTcpSocket({ remote: ip(address), port: port(listener), md5Password }), ms)
    listener.setPassword(ip(address), 'secret')
    expect(await dial('secret')).toBe('connected')
    expect(await dial('wrong', 300)).toBe('silent')
    expect(await dial(undefined, 300)).toBe('silent')
    listener.setPassword(ip(address), undefined)
    expect(await dial()).toBe('connected')
  })

  test('a minimum TTL above what arrives keeps the session from moving data', async () => {
    const listener = echo(ip(address))
    const socket = openTcpSocket({ remote: ip(address), port: port(listener), minTtl: 255 })
    expect(await outcome(socket, 300)).toBe('silent')
  })
})

test('a refused connection is an error of the socket', async () => {
  expect(await outcome(openTcpSocket({ remote: ip('127.0.0.1'), port: 1 }), 20_000)).toBe('ECONNREFUSED')
})

test('a source address that is not on the host is an error of the socket', async () => {
  const socket = openTcpSocket({ remote: ip('127.0.0.1'), port: 1, local: ip('192.0.2.1') })
  expect(await outcome(socket, 20_000)).toBe('EADDRNOTAVAIL')
})

test('an unknown device is an error of the socket', async () => {
  const socket = openTcpSocket({ remote: ip('127.0.0.1'), port: 1, device: 'lfl2none' })
  expect(await outcome(socket, 20_000)).toBe('ENODEV')
})

test('a taken port is thrown', () => {
  const listener = echo(ip('127.0.0.1'))
  expect(() => listenTcp({ local: ip('127.0.0.1'), port: port(listener) })).toThrow(/EADDRINUSE/)
})

test('a shared connection can be ended by its descriptor, and lives on after a release', async () => {
  const ended: string[] = []
  const listener = echo(ip('127.0.0.1'))
  listener.server.on('connection', (accepted) => accepted.on('end', () => ended.push('end')))
  await once(listener.server, 'listening')
  const socket = openTcpSocket({ remote: ip('127.0.0.1'), port: port(listener) })
  socket.resume()
  await once(socket, 'connect')
  const [first, second] = [shareConnection(socket), shareConnection(socket)]
  if (first === undefined || second === undefined) throw new Error('no descriptor')
  closeFd(first)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(ended).toEqual([])
  shutFd(second)
  closeFd(second)
  await vi.waitFor(() => expect(ended).toEqual(['end']), 10_000)
  await vi.waitFor(() => expect(socket.closed).toBe(true), 10_000)
  expect(shareConnection(socket)).toBeUndefined()
})
