import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { until } from '../bgp/testing/until.ts'
import { headerOf } from './codec/testing.ts'
import { KeyRing } from './core/key-ring.ts'
import { HeartbeatSocket } from './heartbeat-socket.ts'

const open: HeartbeatSocket[] = []
afterEach(() => Promise.all(open.splice(0).map((socket) => socket.close())))

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}

function speaker(bindAddress: string, port: number, keys: KeyRing) {
  const heard: string[] = []
  const overheard: string[] = []
  const socket = new HeartbeatSocket({
    port,
    bindAddress,
    keys,
    onMessage: ({ header }) => heard.push(header.node),
    onRefused: (reason) => heard.push(reason),
    onOverheard: (source) => overheard.push(source),
    onWaiting: (error) => heard.push(error.message),
    onError: (error) => heard.push(error.message),
  })
  open.push(socket)
  const beat = (...to: string[]): void => {
    socket.send([{ to, message: { header: headerOf(bindAddress), body: undefined } }])
  }
  return { socket, heard, overheard, beat }
}

test('while the secret is replaced, one who knows only the new one is heard and answered with it', async () => {
  const port = await freePort()
  const [old, fresh] = [Uint8Array.of(1), Uint8Array.of(2)]
  const keys = new KeyRing(old)
  const elder = speaker('127.0.0.1', port, keys)
  const newcomer = speaker('127.0.0.2', port, new KeyRing(fresh))
  await until('both sockets', () => elder.socket.bound && newcomer.socket.bound)
  newcomer.beat('127.0.0.1')
  await until('a stranger', () => elder.heard.join() === 'notAuthentic')
  expect(elder.overheard).toEqual(['127.0.0.2'])
  keys.renew(fresh, performance.now())
  elder.beat('127.0.0.2')
  await until('the old key', () => newcomer.heard.join() === 'notAuthentic')
  newcomer.beat('127.0.0.1')
  await until('the new key', () => elder.heard.at(-1) === '127.0.0.2')
  elder.beat('127.0.0.2')
  await until('the answer', () => newcomer.heard.length === 2)
  expect([elder.heard, newcomer.heard]).toEqual([
    ['notAuthentic', '127.0.0.2'],
    ['notAuthentic', '127.0.0.1'],
  ])
})

test('of a peer the first address is sent to that is of a family of the socket', async () => {
  const port = await freePort()
  const keys = new KeyRing(undefined)
  const [one, two] = [speaker('127.0.0.1', port, keys), speaker('::1', port, keys)]
  await until('both sockets', () => one.socket.bound && two.socket.bound)
  one.beat('2001:db8::1')
  one.beat('2001:db8::1', '127.0.0.1')
  two.beat('127.0.0.1', '::1')
  await until('both', () => one.heard.length + two.heard.length >= 2)
  expect([one.heard, two.heard]).toEqual([['127.0.0.1'], ['::1']])
})
