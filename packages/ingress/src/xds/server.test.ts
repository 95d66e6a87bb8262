/** The rules that show only on the wire: a scripted client over gRPC, without TLS, on loopback. */
import { type ClientHttp2Stream, connect, constants } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '@envoyproxy/envoy-types/envoy/service/discovery/v3/discovery'
import { Client, type ClientDuplexStream, credentials, type ServiceError } from '@grpc/grpc-js'
import { Metrics, silentLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually } from '../envoy-process/envoy-process.ts'
import { type ResourceType, typeUrls } from './resource.ts'
import { XdsServer, type XdsServerOptions } from './server.ts'
import type { Refused } from './session/hub.ts'
import { type Plain, resource, snapshot } from './session/script.ts'

type DeltaRequest = MessageInitShape<typeof DeltaDiscoveryRequestSchema>
type FullRequest = MessageInitShape<typeof DiscoveryRequestSchema>

const ads = 'envoy.service.discovery.v3.AggregatedDiscoveryService'
const cds = 'envoy.service.cluster.v3.ClusterDiscoveryService'
const node = { id: 'envoy-1' }
const a = resource('a', '1')
const b = resource('b', '1')

let metrics: Metrics
let server: XdsServer
const refused: Refused[] = []
const channels: Client[] = []
let published: Plain = {}

async function open(options: Partial<XdsServerOptions> = {}): Promise<XdsServer> {
  metrics = new Metrics('test')
  const opened: XdsServer = new XdsServer({
    logger: silentLogger(),
    metrics,
    address: '127.0.0.1',
    port: 0,
    security: { kind: 'insecure' },
    onRefused: (one) => refused.push(one),
    onLayout: (layout, wanted) => {
      if (wanted) opened.publish(snapshot(published), layout)
    },
    ...options,
  })
  await opened.start()
  return opened
}

beforeEach(async () => {
  server = await open()
})

afterEach(async () => {
  for (const channel of channels.splice(0)) channel.close()
  refused.length = 0
  await server.stop()
})

function publish(plain: Plain): void {
  published = plain
  server.publish(snapshot(plain))
}

/** A connection of its own. */
function connectTo({ port }: XdsServer): Client {
  const options = { 'grpc.max_send_message_length': -1, 'grpc.use_local_subchannel_pool': 1 }
  const channel = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options)
  channels.push(channel)
  return channel
}

/** One stream; what came is read as `type +name -name`, by the order in which it came. */
class Stream {
  readonly channel: Client
  readonly call: ClientDuplexStream<Buffer, Buffer>
  readonly heard: string[] = []
  readonly nonces: string[] = []
  readonly delta: boolean
  error: ServiceError | undefined

  constructor(method = `${ads}/DeltaAggregatedResources`, to = server, channel?: Client) {
    const bytes = (buffer: Buffer) => buffer
    this.delta = method.includes('/Delta')
    this.channel = channel ?? connectTo(to)
    this.call = this.channel.makeBidiStreamRequest(`/${method}`, bytes, bytes)
    this.call.on('error', (error: ServiceError) => {
      this.error = error
    })
    this.call.on('data', (answer: Buffer) => this.#hear(answer))
  }

  #hear(answer: Buffer): void {
    if (!this.delta) {
      const { typeUrl, nonce, resources } = fromBinary(DiscoveryResponseSchema, answer)
      this.heard.push(`${shortOf(typeUrl)} ${resources.length}`)
      this.nonces.push(nonce)
      return
    }
    const { typeUrl, nonce, resources, removedResources } = fromBinary(DeltaDiscoveryResponseSchema, answer)
    const names = [...resources.map(({ name }) => `+${name}`), ...removedResources.map((name) => `-${name}`)]
    this.heard.push([shortOf(typeUrl), ...names].join(' '))
    this.nonces.push(nonce)
  }

  ask(request: DeltaRequest & FullRequest): this {
    const bytes = this.delta
      ? toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, request))
      : toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, request))
    this.call.write(Buffer.from(bytes))
    return this
  }

  /** What came, once it is so many responses. */
  async hears(count: number): Promise<readonly string[]> {
    await eventually(`${count} responses`, () => (this.heard.length >= count ? true : undefined))
    return this.heard
  }

  ended(): Promise<ServiceError> {
    return eventually('the stream has ended', () => this.error)
  }
}

function shortOf(url: string): string {
  return Object.entries(typeUrls).find(([, one]) => one === url)?.[0] ?? url
}

const of = (type: ResourceType) => ({ typeUrl: typeUrls[type] })

test('rule 1: the node is read from the first message, and a repeated one changes nothing', async () => {
  publish({ clusters: [a], endpoints: [a] })
  const stream = new Stream().ask({ node, ...of('clusters') })
  await stream.hears(1)
  stream.ask({ ...of('endpoints'), resourceNamesSubscribe: ['a'] })
  stream.ask({ node: { id: 'other' }, ...of('endpoints'), resourceNamesSubscribe: ['b'] })
  await stream.hears(2)
  expect(server.envoys).toMatchObject([{ node: 'envoy-1' }])
})

test('rule 2: the aggregated stream needs a type_url, one for a single type implies it', async () => {
  publish({ clusters: [a] })
  const { details } = await new Stream().ask({ node }).ended()
  expect(details).toContain('type_url')
  expect(await new Stream(`${cds}/DeltaClusters`).ask({ node }).hears(1)).toEqual(['clusters +a'])
  const foreign = await new Stream(`${cds}/DeltaClusters`).ask({ node, ...of('endpoints') }).ended()
  expect(foreign.details).toContain('this stream is not for')
})

test('rule 3: a type that is not served is ignored, and the stream goes on', async () => {
  publish({ clusters: [a] })
  const stream = new Stream()
    .ask({ node, typeUrl: 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig' })
    .ask(of('clusters'))
  expect(await stream.hears(1)).toEqual(['clusters +a'])
  expect(stream.error).toBeUndefined()
})

test('rule 4: delta and the state of the world, aggregated and each type apart, say the same', async () => {
  publish({ clusters: [a, b] })
  const heard = await Promise.all(
    [`${ads}/DeltaAggregatedResources`, `${cds}/DeltaClusters`].map((method) =>
      new Stream(method).ask({ node, ...of('clusters') }).hears(1),
    ),
  )
  expect(heard).toEqual([['clusters +a +b'], ['clusters +a +b']])
  const whole = await Promise.all(
    [`${ads}/StreamAggregatedResources`, `${cds}/StreamClusters`].map((method) =>
      new Stream(method).ask({ node, ...of('clusters') }).hears(1),
    ),
  )
  expect(whole).toEqual([['clusters 2'], ['clusters 2']])
})

test('rule 6: no nonce comes twice, and one of another stream acknowledges nothing', async () => {
  publish({ clusters: [a] })
  const one = new Stream().ask({ node, ...of('clusters') })
  const two = new Stream().ask({ node: { id: 'envoy-2' }, ...of('clusters') })
  await one.hears(1)
  await two.hears(1)
  expect(one.nonces[0]).not.toBe(two.nonces[0])
  two.ask({ ...of('clusters'), responseNonce: one.nonces[0] ?? '' })
  publish({ clusters: [a, b] })
  two.ask({ ...of('endpoints'), resourceNamesSubscribe: ['a'] })
  expect(await two.hears(2)).toEqual(['clusters +a', 'endpoints -a'])
  two.ask({ ...of('clusters'), responseNonce: two.nonces[0] ?? '' })
  expect(await two.hears(3)).toEqual(['clusters +a', 'endpoints -a', 'clusters +b'])
  expect(new Set([...one.nonces, ...two.nonces]).size).toBe(4)
})

test('rule 7: however a stream ends, nothing of it is left, of ten thousand either', {
  timeout: 300_000,
}, async () => {
  publish({ clusters: [a] })
  const end = async (streams: readonly Stream[]) => {
    await Promise.all(streams.map((stream) => stream.hears(1)))
    streams[0]?.call.end()
    streams[1]?.call.cancel()
    streams[2]?.channel.close()
    streams[2]?.call.cancel()
    streams[3]?.ask({ typeUrl: '' })
  }
  const ask = (stream: Stream) => stream.ask({ node, ...of('clusters') })
  for (let round = 0; round < 50; round++) await end([0, 1, 2, 3].map(() => ask(new Stream())))
  for (let connection = 0; connection < 14; connection++) {
    const channel = connectTo(server)
    for (let round = 0; round < 35; round++) {
      const streams = Array.from({ length: 20 }, () => ask(new Stream(undefined, server, channel)))
      await eventually('all heard', () => (streams.every(({ heard }) => heard.length > 0) ? true : undefined))
      // Of one connection no more are cancelled: Node ends one that cancels a thousand.
      for (const [index, { call }] of streams.entries()) {
        if (index % 2 === 0) call.end()
        else call.cancel()
      }
    }
  }
  await eventually('all have gone', () => (server.envoys.length === 0 ? true : undefined))
  expect(await metrics.exposition()).toContain('landfall_xds_streams 0\n')
})

test('rule 8: a message over the limit ends its stream alone', async () => {
  publish({ clusters: [a] })
  const other = new Stream().ask({ node, ...of('clusters') })
  await other.hears(1)
  const large = 'x'.repeat(33 * 1024 * 1024)
  const { details } = await new Stream()
    .ask({ node: { id: 'large' }, ...of('clusters'), resourceNamesSubscribe: [large] })
    .ended()
  expect(details).toMatch(/larger than max/)
  publish({ clusters: [a, b] })
  other.ask({ ...of('clusters'), responseNonce: other.nonces[0] ?? '' })
  expect(await other.hears(2)).toEqual(['clusters +a', 'clusters +b'])
})

test('rule 40: a refusal is counted by type and told with the Envoy and its words', async () => {
  publish({ clusters: [a] })
  const stream = new Stream().ask({ node, ...of('clusters') })
  await stream.hears(1)
  stream.ask({ ...of('clusters'), responseNonce: stream.nonces[0] ?? '', errorDetail: { message: 'no' } })
  await eventually('told', () => refused[0])
  expect(refused).toMatchObject([
    { type: 'clusters', name: 'a', version: a.version, message: 'no', node: 'envoy-1' },
  ])
  const text = await metrics.exposition()
  expect(text).toContain('landfall_xds_refused_resources_total{type="clusters"} 1')
  expect(text).toContain('landfall_xds_acknowledgements_total{type="clusters",outcome="refused"} 1')
})

test('rule 44: before the first snapshot nothing is answered, not even that there is nothing', async () => {
  const stream = new Stream().ask({ node, ...of('clusters') })
  await eventually('joined', () => (server.envoys.length === 1 ? true : undefined))
  expect([server.ready, stream.heard]).toEqual([false, []])
  publish({ clusters: [a] })
  expect(server.ready).toBe(true)
  expect(await stream.hears(1)).toEqual(['clusters +a'])
})

/** Of a client that reads nothing until it is resumed: gRPC's own takes in one message at least. */
function idleCall({ port }: XdsServer, id: string): ClientHttp2Stream {
  const call = connect(`http://127.0.0.1:${port}`).request({
    ':method': 'POST',
    ':path': `/${ads}/DeltaAggregatedResources`,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  const request = create(DeltaDiscoveryRequestSchema, { node: { id }, ...of('clusters') })
  const bytes = toBinary(DeltaDiscoveryRequestSchema, request)
  const head = Buffer.alloc(5)
  head.writeUInt32BE(bytes.length, 1)
  call.on('error', () => undefined)
  call.write(Buffer.concat([head, bytes]))
  return call
}

test('rule 51: a crowd is served in turn as bytes drain: who does not read holds the others up until it reads or goes', async () => {
  const narrow = await open({ bytesInFlight: 1 })
  const idle: ClientHttp2Stream[] = []
  try {
    narrow.publish(snapshot({ clusters: [resource('large', 'x'.repeat(1024 * 1024))] }))
    const served = async () => {
      const found = /^landfall_xds_responses_total\{type="clusters"\} (\d+)$/m.exec(
        await metrics.exposition(),
      )
      return Number(found?.[1] ?? 0)
    }
    const joined = (count: number) =>
      eventually(`${count} have joined`, () => (narrow.envoys.length === count ? true : undefined))
    const serves = (count: number) =>
      eventually(`${count} are served`, async () => ((await served()) === count ? true : undefined))
    for (const id of ['1', '2', '3']) {
      idle.push(idleCall(narrow, id))
      await joined(idle.length)
    }
    const crowd = [4, 5, 6].map((id) =>
      new Stream(undefined, narrow).ask({ node: { id: `${id}` }, ...of('clusters') }),
    )
    await joined(6)
    await delay(200)
    expect(await served()).toBe(1)
    idle[0]?.resume()
    await serves(2)
    idle[1]?.close(constants.NGHTTP2_CANCEL)
    await serves(3)
    idle[2]?.session?.destroy()
    for (const stream of crowd) expect(await stream.hears(1)).toEqual(['clusters +large'])
    expect(await served()).toBe(6)
  } finally {
    for (const call of idle) call.session?.destroy()
    await narrow.stop()
  }
})

test('rule 54: a replica that has not read the cluster yet takes nothing away', async () => {
  publish({ clusters: [a], scopes: [b] })
  const late = await open()
  try {
    const has = (type: ResourceType, of: typeof a) => ({
      node,
      typeUrl: typeUrls[type],
      initialResourceVersions: { [of.name]: of.version },
    })
    const stream = new Stream(undefined, late).ask(has('clusters', a)).ask(has('scopes', b))
    await eventually('joined', () => (late.envoys.length === 1 ? true : undefined))
    expect(stream.heard).toEqual([])
    const again = (name: string) => resource(name, '1')
    late.publish(snapshot({ clusters: [again('a')], scopes: [again('b')], endpoints: [a] }))
    stream.ask({ ...of('endpoints'), resourceNamesSubscribe: ['a'] })
    expect(await stream.hears(1)).toEqual(['endpoints +a'])
  } finally {
    await late.stop()
  }
})

test("calls are counted under the names of Go's gRPC servers", async () => {
  publish({ clusters: [a] })
  const of = (service: string, method: string) =>
    `{grpc_type="bidi_stream",grpc_service="${service}",grpc_method="${method}"}`
  const counted = async (what: string, labels: string, code?: string) => {
    const all = code === undefined ? labels : labels.replace('}', `,grpc_code="${code}"}`)
    const line = `grpc_server_${what}_total${all} `
    const found = (await metrics.exposition()).split('\n').find((one) => one.startsWith(line))
    return found === undefined ? undefined : Number(found.slice(line.length))
  }
  const [aggregated, alone] = [of(ads, 'DeltaAggregatedResources'), of(cds, 'DeltaClusters')]
  expect(await counted('started', aggregated)).toBe(0)
  const stream = new Stream().ask({ node, typeUrl: typeUrls.clusters })
  await stream.hears(1)
  expect(
    await Promise.all(['started', 'msg_received', 'msg_sent'].map((what) => counted(what, aggregated))),
  ).toEqual([1, 1, 1])
  expect(await counted('handled', aggregated, 'OK')).toBe(0)
  stream.call.end()
  await eventually('the end is counted', async () =>
    (await counted('handled', aggregated, 'OK')) === 1 ? true : undefined,
  )
  await new Stream(`${cds}/DeltaClusters`).ask({ node, typeUrl: typeUrls.endpoints }).ended()
  expect(await counted('handled', alone, 'InvalidArgument')).toBe(1)
})
