import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Metrics, silentLogger } from '@landfall/telemetry'
import { afterEach, expect, test } from 'vitest'
import { makeCertificates } from '../certgen/certificates.ts'
import { Engine } from '../engine/engine.ts'
import { defaultEngineOptions } from '../engine/engine-options.ts'
import { eventually } from '../envoy-process/envoy-process.ts'
import { readObjects } from '../golden/objects.ts'
import { pem, proxyObject, secretObject, serviceObjects } from '../golden/traffic.ts'
import { emptyWorld, take } from '../model/objects.ts'
import type { Layout } from '../xds/layout.ts'
import { XdsServer, type XdsServerOptions } from '../xds/server.ts'
import { type ClientOptions, runClient } from './index.ts'

const objects = [
  secretObject('cert', { 'tls.crt': pem('server.pem'), 'tls.key': pem('server.key') }),
  serviceObjects('one', [{ http: 8080 }]),
  proxyObject('shop', 'routes: [{services: [{name: one, port: 80}]}]', ', tls: {secretName: cert}'),
].join('')

function snapshot(layout: Layout) {
  const { changes, slices } = readObjects(objects)
  const world = emptyWorld()
  for (const change of changes) take(world, change)
  const engine = new Engine(world, { ...defaultEngineOptions, layout })
  engine.apply(changes)
  engine.applySlices(slices)
  return engine.snapshot()
}

let server: XdsServer
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function serve(security: XdsServerOptions['security'], metrics = new Metrics('0')): Promise<void> {
  server = new XdsServer({
    logger: silentLogger(),
    metrics,
    address: '127.0.0.1',
    port: 0,
    security,
    onLayout: (layout, wanted) => {
      if (wanted) server.publish(snapshot(layout), layout)
    },
  })
  server.publish(snapshot('scoped'))
  await server.start()
  closing.push(() => server.stop())
}

interface Shown {
  readonly nonce: string
  readonly resources: readonly { readonly name: string }[]
}

/** The lines that came until one is there, and what ends the client. */
function follow(options: Partial<ClientOptions>) {
  const lines: string[] = []
  const ended = new AbortController()
  const running = runClient({
    type: 'clusters',
    server: `127.0.0.1:${server.port}`,
    tls: undefined,
    delta: false,
    nack: false,
    nodeId: 'ContourCLI',
    names: [],
    signal: ended.signal,
    print: (line) => lines.push(line),
    ...options,
  })
  closing.unshift(async () => {
    ended.abort()
    await running
  })
  return eventually('a response', () => lines[0]).then((line) => ({
    text: line,
    shown: JSON.parse(line) as Shown,
  }))
}

const types = ['clusters', 'endpoints', 'listeners', 'routes', 'secrets'] as const
const names = { endpoints: ['web/one/http'], secrets: ['web/cert'], routes: ['https/shop.test'] }

test.each(types.flatMap((type) => [true, false].map((delta) => ({ type, delta }))))(
  '$type are printed, delta: $delta',
  async ({ type, delta }) => {
    await serve({ kind: 'insecure' })
    const asked = type in names ? names[type as keyof typeof names] : []
    const { text, shown } = await follow({ type, delta, names: asked })
    expect(shown.nonce).not.toBe('')
    expect(shown.resources.length).toBeGreaterThan(0)
    expect(text).not.toContain('PRIVATE KEY')
    expect(text).not.toContain(Buffer.from(pem('server.key')).toString('base64').slice(0, 40))
    expect(text.includes('"private_key":"[redacted]"')).toBe(type === 'secrets')
  },
)

test.each([true, false])('--nack refuses what comes, delta: %s', async (delta) => {
  const metrics = new Metrics('0')
  await serve({ kind: 'insecure' }, metrics)
  await follow({ type: 'clusters', delta, nack: true })
  const refused = await eventually('refused', async () =>
    /landfall_xds_acknowledgements_total\{type="clusters",outcome="refused"\} [1-9]/.test(
      await metrics.exposition(),
    )
      ? true
      : undefined,
  )
  expect(refused).toBe(true)
})

test('with certificates, as an Envoy has them', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'landfall-client-'))
  closing.push(() => rmSync(directory, { recursive: true }))
  const set = await makeCertificates({ namespace: 'ns', lifetimeDays: 1 })
  const write = (name: string, text: string) => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }
  const ca = write('ca.crt', set.ca)
  const files = (name: string, pair: typeof set.server) => ({
    ca,
    certificate: write(`${name}.crt`, pair.certificate),
    key: write(`${name}.key`, pair.key),
  })
  await serve({ kind: 'tls', files: files('server', set.server), clientNames: ['envoy'] })
  const { shown } = await follow({ tls: files('client', set.client) })
  expect(shown.resources.length).toBe(1)
})
