/** Rules 51 and 52 on the wire: connections that grow old; a client behind a relay that goes silent without closing anything, and one that asks itself. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { create, toBinary } from '@bufbuild/protobuf'
import { DeltaDiscoveryRequestSchema } from '@envoyproxy/envoy-types/envoy/service/discovery/v3/discovery'
import { type ChannelOptions, Client, credentials } from '@grpc/grpc-js'
import { Metrics, silentLogger } from '@landfall/telemetry'
import { afterEach, expect, test } from 'vitest'
import { eventually } from '../envoy-process/envoy-process.ts'
import { type ConnectionAge, usualAge, usualKeepalive } from './connections.ts'
import { typeUrls } from './resource.ts'
import { XdsServer } from './server.ts'
import { snapshot } from './session/script.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function open(age: ConnectionAge = usualAge): Promise<XdsServer> {
  const server = new XdsServer({
    logger: silentLogger(),
    metrics: new Metrics('test'),
    address: '127.0.0.1',
    port: 0,
    security: { kind: 'insecure' },
    keepalive: { intervalMs: 200, timeoutMs: 2000 },
    age,
  })
  await server.start()
  server.publish(snapshot({}))
  closing.push(() => server.stop())
  return server
}

/** Passes bytes on until it is silenced, and closes nothing then. */
class Relay {
  readonly #server: Server
  readonly #sockets: Socket[] = []
  #closed = false
  port = 0

  constructor(to: number) {
    this.#server = createServer((near) => {
      if (this.#closed) {
        near.destroy()
        return
      }
      const far = connect(to, '127.0.0.1')
      for (const socket of [near, far]) socket.on('error', () => socket.destroy())
      near.pipe(far)
      far.pipe(near)
      this.#sockets.push(near, far)
    })
  }

  async open(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    this.port = address.port
    closing.unshift(() => {
      this.#closed = true
      for (const socket of this.#sockets) socket.destroy()
      this.#server.close()
    })
    return this
  }

  silence(): void {
    for (const socket of this.#sockets) socket.unpipe().pause()
  }
}

/** @returns how many streams have ended */
function follow(port: number, options: ChannelOptions = {}): () => number {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options)
  closing.unshift(() => client.close())
  const bytes = (buffer: Buffer) => buffer
  const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources'
  const request = create(DeltaDiscoveryRequestSchema, { node: { id: 'envoy' }, typeUrl: typeUrls.clusters })
  let ended = 0
  let closed = false
  const start = () => {
    if (closed) return
    const call = client.makeBidiStreamRequest(path, bytes, bytes)
    call.on('error', () => undefined)
    call.on('data', () => undefined)
    call.on('end', () => {
      ended++
      start()
    })
    call.write(Buffer.from(toBinary(DeltaDiscoveryRequestSchema, request)))
  }
  start()
  closing.unshift(() => {
    closed = true
  })
  return () => ended
}

const joined = (server: XdsServer) =>
  eventually('joined', () => (server.envoys.length === 1 ? true : undefined))

test('rule 51: a connection does not grow older than it may, and its client comes back', async () => {
  const server = await open({ ageMs: 300, graceMs: 100 })
  const ended = follow(server.port)
  await joined(server)
  await eventually('it ended', () => (ended() > 0 ? true : undefined))
  await joined(server)
  expect(usualAge.ageMs).toBeGreaterThan(10 * usualAge.graceMs)
})

test('rule 52: a client that is silent is found, one that answers stays', async () => {
  const server = await open()
  const relay = await new Relay(server.port).open()
  follow(relay.port)
  await joined(server)
  await delay(1000)
  expect(server.envoys).toHaveLength(1)
  relay.silence()
  await eventually('it is gone', () => (server.envoys.length === 0 ? true : undefined))
})

test('rule 52: a client may ask often itself', async () => {
  const server = await open()
  follow(server.port, { 'grpc.keepalive_time_ms': 50, 'grpc.keepalive_timeout_ms': 5000 })
  await joined(server)
  await delay(1000)
  expect(server.envoys).toHaveLength(1)
})

test('rule 52: what is usual finds a silent client within 35 s', () => {
  expect(usualKeepalive.intervalMs + usualKeepalive.timeoutMs).toBeLessThan(35_000)
})
