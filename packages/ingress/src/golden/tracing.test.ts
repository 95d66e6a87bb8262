/** Traces through a real Envoy: what a server of OpenTelemetry is told of requests, by the settings. */
import { toBinary } from '@bufbuild/protobuf'
import { EmptySchema } from '@bufbuild/protobuf/wkt'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { defaultDagOptions, type TracingService } from '../dag/options.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { Stand, type Way } from '../xds/real-envoy/stand.ts'
import { GrpcServer } from './grpc-servers.ts'
import {
  Backend,
  Client,
  extensionObject,
  pairOf,
  proxyObject,
  secretObject,
  serviceObjects,
  settled,
  translateFor,
} from './traffic.ts'

const ways: readonly Way[] = ['delta', 'streams']
const server = pairOf('server')

const service: TracingService = {
  extensionService: 'web/traces',
  includePodDetail: true,
  serviceName: 'edge-of-the-shop',
  overallSampling: 100,
  clientSampling: 100,
  randomSampling: 100,
  maxPathTagLength: 20,
  customTags: [
    { tagName: 'zone-tag', literal: 'zone-a' },
    { tagName: 'who-tag', requestHeaderName: 'x-who' },
  ],
}

describe.skipIf(withoutEnvoy()).each(ways)('traces, in an Envoy by way of %s', (way) => {
  const stand = new Stand()
  const backend = new Backend('one')
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
  const traces = new GrpcServer(path, [EmptySchema, EmptySchema], () => ({}))

  /** Messages of OTLP are only searched for texts: their fields are kept as unknown ones. */
  const told = () =>
    traces.seen.map((message) => Buffer.from(toBinary(EmptySchema, message)).toString('latin1')).join('')

  /** @param name of the ExtensionService that there is */
  const publish = (tracing: TracingService, name = 'traces') => {
    const text = [
      serviceObjects('one', [{ http: backend.port }]),
      serviceObjects(name, [{ http: traces.port }]),
      secretObject('cert', { 'tls.crt': server.cert, 'tls.key': server.key }),
      extensionObject(name, 'protocol: h2c, timeoutPolicy: {response: 1s}'),
      proxyObject('plain', 'routes: [{services: [{name: one, port: 80}]}]'),
      proxyObject('secure', 'routes: [{services: [{name: one, port: 80}]}]', ', tls: {secretName: cert}'),
    ].join('')
    const dag = { ...defaultDagOptions, tracing }
    stand.publishEach((layout) => translateFor(stand, text, layout, { dag }))
  }

  beforeAll(async () => {
    vi.stubEnv('HOSTNAME', 'envoy-abc').stubEnv('CONTOUR_NAMESPACE', 'edge-namespace')
    await Promise.all([stand.open(), backend.open(), traces.open()])
    await stand.startEnvoy(way)
    publish(service)
    await eventually('the port opens', () => stand.http('plain.test'))
    await eventually('the port of TLS opens', () => stand.https('secure.test'))
  }, 60_000)

  afterAll(async () => {
    vi.unstubAllEnvs()
    await stand.close()
    backend.close()
    traces.close()
  })

  test('each request is told, with what the settings say of it', async () => {
    const secure = new Client(stand.httpsPort, 'tls')
    await secure.send('secure.test', { path: '/a-path-of-more-than-twenty', headers: { 'x-who': 'alice' } })
    secure.close()
    await eventually('the spans', () => (told().includes('alice') ? true : undefined))
    const texts = ['edge-of-the-shop', 'zone-tag', 'zone-a', 'who-tag', 'envoy-abc', 'edge-namespace']
    for (const text of texts) expect(told()).toContain(text)
    expect(told()).toContain('/a-path-of-more-than')
    expect(told()).not.toContain('/a-path-of-more-than-twenty')
  })

  test('without the ExtensionService requests pass, and Envoy refuses nothing', async () => {
    publish(service, 'another')
    await eventually('settled', () => settled(stand))
    expect(stand.refused).toEqual([])
    expect(await stand.http('plain.test')).toEqual({ status: 200, body: 'one' })
  })
})
