import { type IP, parseIP } from '@landfall/netip'
import { expect, onTestFinished, test } from 'vitest'
import { UdpSocket } from './udp.ts'

function ip(text: string): IP {
  const parsed = parseIP(text)
  if (parsed === undefined) throw new Error(text)
  return parsed
}

function open(address: string, port: number, ttl: number, heard?: string[]): UdpSocket {
  const socket = new UdpSocket({
    local: ip(address),
    port,
    ttl,
    ...(heard === undefined
      ? {}
      : { onDatagram: (data, source) => heard.push(`${Buffer.from(data).toString()} from ${source}`) }),
  })
  onTestFinished(() => socket.close())
  return socket
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 20))
const localhost = { 4: '127.0.0.1', 6: '::1' } as const

test.each([4, 6] as const)('IPv%d: only allowed senders are heard, and only from nearby', async (family) => {
  const address = localhost[family]
  const heard: string[] = []
  const port = 49_900 + family
  const receiver = open(address, port, 255, heard)
  const near = open(address, port + 10, 255)
  const far = open(address, port + 20, 254)
  near.send(Buffer.from('early'), ip(address), port)
  await soon()
  receiver.setSenders([
    { ip: ip(family === 4 ? '192.0.2.1' : '2001:db8::1'), minTtl: 1 },
    { ip: ip(address), minTtl: 255 },
  ])
  far.send(Buffer.from('far'), ip(address), port)
  near.send(Buffer.from('near'), ip(address), port)
  await soon()
  receiver.setSenders([{ ip: ip(address), minTtl: 254 }])
  far.send(Buffer.from('now'), ip(address), port)
  await soon()
  receiver.setSenders([{ ip: ip(family === 4 ? '127.0.0.2' : '::2'), minTtl: 1 }])
  near.send(Buffer.from('stranger'), ip(address), port)
  await soon()
  expect(heard).toEqual([`near from ${address}`, `now from ${address}`])
})

test('a port that is taken is an error with its code', () => {
  open('127.0.0.1', 49_990, 255)
  expect(() => open('127.0.0.1', 49_990, 255)).toThrow(expect.objectContaining({ code: 'EADDRINUSE' }))
})
