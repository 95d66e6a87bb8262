import { Resolver } from 'node:dns/promises'
import { connect } from 'node:net'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DnsServer } from './dns-server.ts'
import { decodeQuestion } from './message.ts'
import type { World } from './zone.ts'

const many = Array.from({ length: 200 }, (_, i) => `10.244.1.${i + 1}`)
const world: World = {
  service: (namespace, name) => {
    const clusterIPs = name === 'many' ? ['None'] : ['10.96.0.7', 'fd00:10:96::7']
    const ports = [{ name: 'http', port: 80 }]
    return name === 'missing' ? undefined : { metadata: { namespace, name }, spec: { clusterIPs, ports } }
  },
  slices: (namespace) => [
    { metadata: { namespace }, endpoints: many.map((address) => ({ addresses: [address] })) },
  ],
}

let server: DnsServer
let resolver: Resolver

beforeAll(async () => {
  server = await DnsServer.start(['127.0.0.1'], world, 0)
  resolver = new Resolver({ timeout: 20_000, tries: 1 })
  resolver.setServers([`127.0.0.1:${server.port}`])
})
afterAll(() => server.close())

test('a real resolver reads A, AAAA and SRV', async () => {
  expect(await resolver.resolve4('Echo.Web.svc.cluster.local')).toEqual(['10.96.0.7'])
  expect(await resolver.resolve6('echo.web.svc.cluster.local')).toEqual(['fd00:10:96::7'])
  const [service] = await resolver.resolveSrv('_http._tcp.echo.web.svc.cluster.local')
  expect(service).toMatchObject({ name: 'echo.web.svc.cluster.local', port: 80, priority: 0, weight: 100 })
})

test('an answer too long for a datagram is asked for again over TCP', async () => {
  const addresses = await resolver.resolve4('many.web.svc.cluster.local')
  expect(addresses.toSorted()).toEqual(many.toSorted())
})

test('no such name, and no record of the type, are told apart', async () => {
  await expect(resolver.resolve4('missing.web.svc.cluster.local')).rejects.toMatchObject({
    code: 'ENOTFOUND',
  })
  await expect(resolver.resolveSrv('echo.web.svc.cluster.local')).rejects.toMatchObject({ code: 'ENODATA' })
})

test('bytes that are no question end the connection and nothing else', async () => {
  const socket = connect(server.port, '127.0.0.1')
  socket.write(Buffer.from([0, 3, 1, 2, 3]))
  await new Promise((resolve) => socket.once('close', resolve))
  expect(await resolver.resolve4('echo.web.svc.cluster.local')).toEqual(['10.96.0.7'])
})

test('no bytes make the decoder throw, and what it reads lies inside them', () => {
  const inside = fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, plausible) => {
    const message = Buffer.from(bytes)
    if (plausible && message.length >= 12) message.set([0x01, 0, 0, 1], 2)
    const question = decodeQuestion(message)
    return question === undefined || 12 + question.section.length <= message.length
  })
  expect(() => fc.assert(inside)).not.toThrow()
})
