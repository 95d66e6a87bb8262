/** What is logged and asked where nothing is registered, nothing granted, or the files are somebody else's. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeAuthority, makeLeaf, validFor } from '@landfall/certificates'
import type { RawObject } from '@landfall/kube'
import { FakeApiServer, statusOf } from '@landfall/kube/testing'
import { createLogger, defaultTls } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type CertificateSource, filesIn } from './certificate.ts'
import { conversion, trusts, validation } from './registration.ts'
import { Webhooks } from './webhooks.ts'

let api: FakeApiServer
let objects: (path: string) => RawObject | number
let lines: Record<string, unknown>[] = []
let folder = ''

beforeEach(async () => {
  lines = []
  folder = mkdtempSync(join(tmpdir(), 'landfall-webhook-'))
  objects = () => 404
  api = new FakeApiServer(({ path }) => {
    const found = objects(path)
    return typeof found === 'number' ? { status: found, body: statusOf(found, 'No') } : { body: found }
  })
  await api.listen()
})
afterEach(async () => {
  await api.close()
  rmSync(folder, { recursive: true })
})

/** Until the first look was answered. */
async function look(
  certificate: CertificateSource,
): Promise<{ readonly seen: string; readonly port: number }> {
  const stop = new AbortController()
  const cluster = api.cluster()
  const webhooks = new Webhooks({
    cluster,
    logger: createLogger({ write: (line) => void lines.push(JSON.parse(line)) }),
    signal: stop.signal,
    certificate,
    address: '127.0.0.1',
    port: 0,
    tls: defaultTls,
    mayWrite: () => true,
  })
  let port = 0
  let seen = ''
  await webhooks.run((found) => {
    port = webhooks.port
    seen = found
    stop.abort()
  })
  cluster.close()
  return { seen, port }
}

const never: CertificateSource = () => Promise.reject(new Error('asked for a certificate'))
const events = () => lines.map(({ event }) => event)
const registered = { metadata: { name: validation.name }, webhooks: [{ name: 'a', clientConfig: {} }] }

test('nothing registered: nothing is served, made or said', async () => {
  expect(await look(never)).toEqual({ seen: 'notRegistered', port: 0 })
  objects = (path) => (path.endsWith(conversion.name) ? { metadata: { name: '' }, spec: {} } : 403)
  expect(await look(never)).toEqual({ seen: 'notRegistered', port: 0 })
  expect(events()).toEqual([])
})

test('a role that grants no look is said', async () => {
  objects = () => 403
  expect(await look(never)).toEqual({ seen: 'notGranted', port: 0 })
  expect(events()).toEqual(['webhookNotGranted'])
})

test('a follower waits for the leader’s certificate', async () => {
  objects = (path) => (path.endsWith(validation.name) ? registered : 404)
  expect(await look(() => Promise.resolve(undefined))).toEqual({ seen: 'waiting', port: 0 })
  expect(events()).toEqual(['webhookWaits'])
})

test('the certificate is asked for by the names that are registered', async () => {
  const service = { name: 'webhook-service', namespace: 'metallb-system', path: '/x' }
  const webhooks = [{ service }, { service }, { url: 'https://h.example:9443/x' }, {}].map(
    (clientConfig) => ({
      name: 'a',
      clientConfig,
    }),
  )
  objects = (path) => (path.endsWith(validation.name) ? { ...registered, webhooks } : 404)
  let asked: readonly string[] = []
  await look((called) => {
    asked = called
    return Promise.resolve(undefined)
  })
  expect(new Set(asked)).toEqual(new Set(['webhook-service.metallb-system.svc', 'h.example']))
})

test('files of somebody else are shown, and nothing is written', async () => {
  objects = (path) => (path.endsWith(validation.name) ? registered : 404)
  const authority = await makeAuthority('CN=x', 'ecdsa-p256', validFor(1))
  const pair = await makeLeaf(authority, { subject: 'CN=x', names: ['x'], usage: 'server' })
  writeFileSync(join(folder, 'tls.crt'), pair.certificate)
  writeFileSync(join(folder, 'tls.key'), pair.key)
  const { seen, port } = await look(filesIn(folder))
  expect([seen, port > 0]).toEqual(['served', true])
  expect(new Set(api.requests.map(({ method }) => method))).toEqual(new Set(['GET']))
})

test('a registration that may not be written is served all the same, and what to do is said', async () => {
  const authority = await makeAuthority('CN=x', 'ecdsa-p256', validFor(1))
  const pair = await makeLeaf(authority, { subject: 'CN=x', names: ['x'], usage: 'server' })
  let reads = 0
  objects = (path) => {
    if (!path.endsWith(validation.name)) return 404
    return reads++ === 0 ? registered : 403
  }
  const { seen } = await look(() => Promise.resolve({ ...pair, ca: authority.certificate }))
  expect(seen).toBe('served')
  expect(events()).toEqual(['webhookServed', 'webhookNotTrusted'])
  expect(lines[1]?.['msg']).toContain('write ca.crt of the Secret into its caBundle')
})

test('the trust goes into each client, and nothing else of the object changes', () => {
  const hooks = [
    { name: 'a', clientConfig: { service: { name: 's' } }, rules: [1] },
    { name: 'b', clientConfig: { url: 'u', caBundle: 'old' } },
  ]
  const raw = { metadata: { name: 'x', labels: { a: 'b' } }, webhooks: hooks }
  const ca = Buffer.from('PEM of the authority\n').toString('base64')
  const written = validation.trusting(raw, ca)
  expect(written).toEqual({
    ...raw,
    webhooks: hooks.map((hook) => ({ ...hook, clientConfig: { ...hook.clientConfig, caBundle: ca } })),
  })
  expect(validation.clients(written).map((client) => trusts(client, 'PEM of the authority\n'))).toEqual([
    true,
    true,
  ])
  expect(validation.clients(raw).map((client) => trusts(client, 'PEM of the authority\n'))).toEqual([
    false,
    false,
  ])
  const clientConfig = { service: { path: '/convert' } }
  const spec = { group: 'metallb.io', conversion: { strategy: 'Webhook', webhook: { clientConfig, x: 1 } } }
  expect(conversion.trusting({ metadata: { name: 'c' }, spec }, ca)['spec']).toEqual({
    group: 'metallb.io',
    conversion: { strategy: 'Webhook', webhook: { clientConfig: { ...clientConfig, caBundle: ca }, x: 1 } },
  })
})
