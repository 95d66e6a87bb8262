/** The server against a real Envoy, over mutual TLS; the layout is the one that translation writes. */
import { X509Certificate } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Client, credentials } from '@grpc/grpc-js'
import { makeAuthority, makeLeaf, validFor } from '@landfall/certificates'
import { afterEach, describe, expect, test } from 'vitest'
import { type CertificateSet, makeCertificates } from '../../certgen/certificates.ts'
import { eventually, withoutEnvoy } from '../../envoy-process/envoy-process.ts'
import type { Resource } from '../resource.ts'
import { snapshot } from '../session/script.ts'
import {
  answer,
  cluster,
  endpoints,
  httpListener,
  httpsListener,
  refusedEndpoints,
  runtime,
  scope,
  secret,
  toCluster,
} from './resources.ts'
import { Stand } from './stand.ts'

let stand: Stand

async function open(): Promise<Stand> {
  stand = await new Stand().open()
  return stand
}

const hosts = (count: number): Resource[] =>
  Array.from({ length: count }, (_, index) => scope(`http/h${index}.test`, answer(`h${index}`)))

describe.skipIf(withoutEnvoy())('a real Envoy', { timeout: 60_000 }, () => {
  afterEach(() => stand.close())

  test('starts with the clusters that are foreseen, while nothing is published', async () => {
    await open()
    const envoy = await stand.startEnvoy()
    const port = await stand.backend('backend')
    const known = {
      clusters: [cluster('service')],
      endpoints: [endpoints('service', port)],
      runtime: [runtime({ 'some.key': 7 })],
    }
    stand.server.foresee(snapshot(known), 'scoped')
    await eventually('the cluster is warm', async () => {
      const clusters = await envoy.admin('/clusters').catch(() => '')
      return clusters.includes(`service::127.0.0.1:${port}::`) ? true : undefined
    })
    expect(await stand.http('shop.test')).toBeUndefined()
    stand.publish({
      ...known,
      listeners: [httpListener(stand.httpPort)],
      scopes: [scope('http/shop.test', toCluster('service'), ['service'])],
    })
    await stand.answers('shop.test', 'backend')
    expect(stand.refused).toEqual([])
  })

  test('starts: no host that exists ever answers 404, not even the last of 1,000', async () => {
    await open()
    const envoy = await stand.startEnvoy()
    const port = await stand.backend('backend')
    stand.publish({
      clusters: [cluster('service')],
      endpoints: [endpoints('service', port)],
      listeners: [httpListener(stand.httpPort)],
      scopes: [...hosts(1000), scope('http/last.test', toCluster('service'), ['service'])],
      runtime: [runtime({ 'some.key': 7 })],
    })
    const first = await eventually('the port opens', () => stand.http('last.test'))
    expect(first).toEqual({ status: 200, body: 'backend' })
    expect(await envoy.stat('listener_manager.total_listeners_active')).toBe(1)
    expect(await envoy.admin('/runtime')).toContain('some.key')
    expect(await envoy.log()).not.toContain('rejected')
    expect(stand.refused).toEqual([])
  })

  test('serves HTTPS with the certificate of the secret, and follows its rotation', async () => {
    await open()
    await stand.startEnvoy()
    const make = async () => (await makeCertificates({ namespace: 'a', lifetimeDays: 1 })).server
    const plain = (pair: Awaited<ReturnType<typeof make>>) => ({
      listeners: [httpsListener(stand.httpsPort, 'ns/cert')],
      secrets: [secret('ns/cert', pair)],
      scopes: [scope('https/a.test', answer('secure'))],
    })
    const one = await make()
    stand.publish(plain(one))
    const first = await eventually('https answers', () => stand.https('a.test'))
    expect(first).toEqual({
      status: 200,
      body: 'secure',
      fingerprint: new X509Certificate(one.certificate).fingerprint256,
    })
    const two = await make()
    stand.publish(plain(two))
    const wanted = new X509Certificate(two.certificate).fingerprint256
    await eventually('the new certificate is shown', async () =>
      (await stand.https('a.test'))?.fingerprint === wanted ? true : undefined,
    )
  })

  test('one refused resource of each type is isolated, the others arrive, the fix clears it', async () => {
    await open()
    await stand.startEnvoy()
    const [port, other] = [await stand.backend('backend'), await stand.backend('other')]
    const pair = (await makeCertificates({ namespace: 'a', lifetimeDays: 1 })).server
    const base = {
      clusters: [cluster('service'), cluster('moving')],
      endpoints: [endpoints('service', port), endpoints('moving', port)],
      secrets: [secret('ns/cert', pair)],
      listeners: [httpListener(stand.httpPort), httpsListener(stand.httpsPort, 'ns/cert')],
      scopes: [
        ...hosts(3),
        scope('http/b.test', toCluster('service'), ['service']),
        scope('http/m.test', toCluster('moving'), ['moving']),
        scope('https/a.test', answer('secure')),
      ],
    }
    stand.publish(base)
    await stand.answers('b.test', 'backend')
    await stand.answers('m.test', 'backend')
    const secure = await eventually('https answers', () => stand.https('a.test'))

    const broken = { match: { safe_regex: { regex: '(' } }, ...answer('never') }
    const good = Array.from({ length: 60 }, (_, index) => scope(`http/g${index}.test`, answer('good')))
    stand.publish({
      clusters: [...base.clusters, cluster('bad', { connect_timeout: '-1s' }), cluster('good')],
      endpoints: [endpoints('service', port), refusedEndpoints('moving'), endpoints('good', other)],
      secrets: [secret('ns/cert', { ...pair, key: 'no key' })],
      listeners: [...base.listeners, httpsListener(stand.httpPort, 'none', 'bad')],
      scopes: [
        ...good.slice(0, 30),
        scope('http/h0.test', broken),
        ...good.slice(30),
        scope('http/h1.test', answer('changed')),
        scope('http/b.test', toCluster('good'), ['good']),
        ...base.scopes.slice(-2),
      ],
    })
    await stand.answers('g0.test', 'good')
    await stand.answers('g59.test', 'good')
    await stand.answers('h1.test', 'changed')
    await stand.answers('b.test', 'other')
    await eventually('five are refused', () => (stand.refused.length >= 5 ? true : undefined))
    await delay(200)
    expect(stand.refused.map(({ type, name }) => `${type}/${name}`).toSorted()).toEqual([
      'clusters/bad',
      'endpoints/moving',
      'listeners/bad',
      'scopes/http/h0.test',
      'secrets/ns/cert',
    ])
    const words = (type: string) => stand.refused.find((one) => one.type === type)?.message
    expect(words('scopes')).toContain('missing )')
    expect(words('endpoints')).toContain('Priority')
    expect(words('secrets')).toContain('private key')
    await stand.answers('h0.test', 'h0')
    await stand.answers('m.test', 'backend')
    expect(await stand.https('a.test')).toEqual(secure)

    stand.publish({
      ...base,
      endpoints: [endpoints('service', port), endpoints('moving', other)],
      scopes: [scope('http/h0.test', answer('mended')), ...base.scopes.slice(-2)],
    })
    await stand.answers('h0.test', 'mended')
    await stand.answers('m.test', 'other')
    await eventually('all is cleared', () => (stand.cleared.length >= 5 ? true : undefined))
  })

  test('rule 53: a control plane that comes back with the same snapshot changes nothing', async () => {
    await open()
    const envoy = await stand.startEnvoy()
    const port = await stand.backend('backend')
    const plain = {
      clusters: [cluster('service')],
      endpoints: [endpoints('service', port)],
      listeners: [httpListener(stand.httpPort)],
      scopes: [...hosts(300), scope('http/b.test', toCluster('service'), ['service'])],
      runtime: [runtime({ 'some.key': 7 })],
    }
    stand.publish(plain)
    await stand.answers('b.test', 'backend')
    await eventually('the warm listener is gone', async () =>
      (await envoy.stat('listener_manager.listener_removed')) === 1 ? true : undefined,
    )
    await stand.server.stop()
    await stand.startServer()
    stand.publish(plain)
    await eventually('Envoy is back', () => (stand.server.envoys.length > 0 ? true : undefined))
    await stand.answers('b.test', 'backend')
    await delay(300)
    expect(stand.server.envoys).toMatchObject([{ node: 'envoy-test', build: '1.40.0' }])
    expect(await stand.sent()).toEqual({})
    stand.publish({ ...plain, scopes: [...plain.scopes, scope('http/new.test', answer('new'))] })
    await stand.answers('new.test', 'new')
    expect(await stand.sent()).toEqual({ scopes: 1 })
  })

  test('a route that moves to a new cluster again and again loses no request', async () => {
    await open()
    await stand.startEnvoy()
    const ports = await Promise.all([0, 1, 2, 3].map((index) => stand.backend(`b${index}`)))
    const plain = (round: number) => {
      const name = `service-${round}`
      return {
        clusters: [cluster(name)],
        endpoints: [endpoints(name, ports[round % 4] ?? 0)],
        listeners: [httpListener(stand.httpPort)],
        scopes: [scope('http/a.test', toCluster(name), [name])],
      }
    }
    stand.publish(plain(0))
    await stand.answers('a.test', 'b0')
    const seen: Awaited<ReturnType<Stand['http']>>[] = []
    const end = new AbortController()
    const client = async () => {
      while (!end.signal.aborted) seen.push(await stand.http('a.test'))
    }
    const clients = [client(), client(), client(), client()]
    for (let round = 1; round <= 20 || seen.length <= 200; round++) {
      stand.publish(plain(round))
      await stand.answers('a.test', `b${round % 4}`)
      await delay(10)
    }
    end.abort()
    await Promise.all(clients)
    expect(seen.filter((one) => one?.status !== 200)).toEqual([])
  })

  test('certificates of both sides, CA included, are renewed without a restart', async () => {
    await open()
    await stand.startEnvoy()
    const publish = (text: string) =>
      stand.publish({
        listeners: [httpListener(stand.httpPort)],
        scopes: [scope('http/a.test', answer(text))],
      })
    publish('1')
    await stand.answers('a.test', '1')
    const before = stand.server.envoys[0]?.peer
    const next = await makeCertificates({ namespace: 'projectcontour', lifetimeDays: 1 })
    const stranger = await makeCertificates({ namespace: 'projectcontour', lifetimeDays: 1 })
    const mixed = { ...next.server, key: stranger.server.key }
    await stand.writeCertificates({ ...next, server: mixed })
    expect(await stand.server.reloadCertificates()).toBe('refused')
    await stand.writeCertificates(next)
    expect(await stand.server.reloadCertificates()).toBe('reloaded')
    publish('2')
    await stand.answers('a.test', '2')
    expect(stand.server.envoys[0]?.peer).toBe(before)

    await expect(connect(stand, stranger)).rejects.toThrow('UNAVAILABLE')
    await stand.server.stop()
    await stand.startServer()
    publish('3')
    await stand.answers('a.test', '3')
    expect(stand.server.envoys[0]?.peer).not.toBe(before)
  })

  test('a client that the authority signed under another name is refused', async () => {
    await open()
    stand.publish({})
    const authority = await makeAuthority('CN=ours', 'ecdsa-p256', validFor(1))
    const leaf = (names: readonly string[], usage: 'client' | 'server') =>
      makeLeaf(authority, { subject: `CN=${names[0]}`, names, usage })
    const server = await leaf(['contour'], 'server')
    const set = { ...stand.certificates, ca: authority.certificate, server }
    await stand.writeCertificates({ ...set, client: await leaf(['envoy'], 'client') })
    expect(await stand.server.reloadCertificates()).toBe('reloaded')
    const other = { ...set, client: await leaf(['prometheus'], 'client') }
    await expect(connect(stand, other)).rejects.toThrow(/PERMISSION_DENIED.*DNS:prometheus/)
    const ours = { ...set, client: await leaf(['envoy', 'envoy.ns'], 'client') }
    await expect(connect(stand, ours)).rejects.toThrow(/INVALID_ARGUMENT.*type_url/)
  })

  test('bytes that are no request end the stream, and no other', async () => {
    await open()
    stand.publish({})
    await expect(connect(stand, stand.certificates, undefined, Buffer.from([255]))).rejects.toThrow(
      'INVALID_ARGUMENT',
    )
    await expect(connect(stand, stand.certificates, undefined, Buffer.alloc(0))).rejects.toThrow('type_url')
    await stand.startEnvoy()
    stand.publish({ listeners: [httpListener(stand.httpPort)], scopes: [scope('http/a.test', answer('1'))] })
    await stand.answers('a.test', '1')
  })
})

/** Opens a stream, sends the bytes; rejects with the status that the server ends it with. */
function connect(
  stand: Stand,
  { ca, client }: CertificateSet,
  method = 'DeltaAggregatedResources',
  bytes = Buffer.alloc(0),
): Promise<void> {
  const channel = new Client(
    `127.0.0.1:${stand.xdsPort}`,
    credentials.createSsl(Buffer.from(ca), Buffer.from(client.key), Buffer.from(client.certificate)),
    { 'grpc.ssl_target_name_override': 'contour' },
  )
  const path = `/envoy.service.discovery.v3.AggregatedDiscoveryService/${method}`
  const call = channel.makeBidiStreamRequest(
    path,
    (buffer: Buffer) => buffer,
    (buffer: Buffer) => buffer,
  )
  return new Promise<void>((resolve, reject) => {
    call.on('error', reject)
    call.on('end', resolve)
    call.on('data', () => undefined)
    call.write(bytes)
  }).finally(() => channel.close())
}
