import { FakeApiServer } from '@landfall/kube/testing'
import { Metrics, silentLogger } from '@landfall/telemetry'
import { expect, test } from 'vitest'
import { readFileText } from '../configuration/read.ts'
import type { Settings } from '../configuration/settings.ts'
import type { ConfigurationSource } from '../options.ts'
import { ConfigurationKeeper } from './configuration.ts'
import { serveOptions } from './serve-options.ts'

test('what a file says is judged with the flags, and changes nothing where the two contradict each other', async () => {
  const server = new FakeApiServer(() => ({ body: {} }))
  await server.listen()
  const cluster = server.cluster()
  const metrics = new Metrics('test')
  const taken: Settings[] = []
  const keeper = new ConfigurationKeeper({
    source: { kind: 'file', path: 'contour.yaml' },
    cluster,
    logger: silentLogger(),
    metrics,
    flags: { statsPort: 8010 },
    started: { statsPort: 8010 },
    isLeader: () => true,
    onChange: (settings) => taken.push(settings),
  })
  const read = async (port: number) => {
    const files = 'server-certificate-path: /a, server-key-path: /b'
    keeper.take({ ...readFileText(`metrics: {envoy: {port: ${port}, ${files}}}\n`), object: undefined })
    return /^landfall_configuration_valid (\d)$/m.exec(await metrics.exposition())?.[1]
  }
  // The usual port of health, which a flag has put elsewhere.
  expect(await read(8002)).toBe('1')
  expect(await read(8010)).toBe('0')
  expect(taken.map(({ envoyMetricsPort }) => envoyMetricsPort)).toEqual([8002])
  cluster.close()
  await server.close()
})

test('at the start the two must not contradict each other', () => {
  const text = 'metrics: {envoy: {port: 8002, server-certificate-path: /a, server-key-path: /b}}\n'
  const start = { version: '', signal: AbortSignal.abort(), namespace: 'a', leaderElection: undefined }
  const file: ConfigurationSource = { kind: 'file', path: 'contour.yaml' }
  const run = (flags: Settings, configuration: ConfigurationSource = file) => {
    const settings = { xdsInsecure: true, ...readFileText(text).settings, ...flags }
    return serveOptions(settings, { ...start, configuration, disabledFeatures: [] })
  }
  expect(() => run({})).toThrow(/^metrics.envoy.server-certificate-path: needs a port of its own/)
  expect(() => run({}, { kind: 'object', namespace: 'a', name: 'b' })).toThrow(
    /^envoy.metrics.tls.certFile: needs a port of its own/,
  )
  expect(run({ statsPort: 8010 }).live.engine.listeners.metrics).toEqual({ address: '::', port: 8002 })
})
