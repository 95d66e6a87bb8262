/** Renewal of certificates of 3 minutes as a whole: an API server, two replicas that elect a leader, two Envoys that stay. */
import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { crdManifest, projectcontourResources } from '@landfall/api/crd'
import { type Cluster, eventType } from '@landfall/kube'
import { RealApiServer, withoutApiServer } from '@landfall/kube/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { makeCertificates } from '../certgen/certificates.ts'
import { makeSecrets } from '../certgen/secrets.ts'
import type { Settings } from '../configuration/settings.ts'
import { freePort, type RealEnvoy, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { fingerprint, type Held, lifeOf, readHeld } from '../renewal/material.ts'
import { probe } from '../renewal/probe.ts'
import { followSecret, Replica, startEnvoy, Volume } from './renewal-bed.ts'

const rbac = 'rbac.authorization.k8s.io'
const read = ['get', 'list', 'watch']
const rule = (group: string, resources: readonly string[], verbs: readonly string[]) => ({
  apiGroups: [group],
  resources,
  verbs,
})
/** What Contour's own manifests give. */
const foreign = [
  rule('', ['services', 'secrets', 'endpoints', 'namespaces'], read),
  rule('discovery.k8s.io', ['endpointslices'], read),
  rule('networking.k8s.io', ['ingresses'], read),
  rule('projectcontour.io', ['*'], [...read, 'update']),
  rule('coordination.k8s.io', ['leases'], ['get', 'create', 'update']),
  rule('', ['events'], ['create', 'patch']),
]

/** As the pods of our manifests come, which give it what it has. */
const ours = 'system:serviceaccount:projectcontour:contour'

/** All that our manifests grant, to whomever. */
function shippedGrants(): readonly object[] {
  const text = readFileSync(new URL('../../../../manifests/contour.yaml', import.meta.url), 'utf8')
  return parseAllDocuments(text)
    .map((document) => document.toJS() as { readonly apiVersion: string })
    .filter(({ apiVersion }) => apiVersion === `${rbac}/v1`)
}

function granted(user: string, rules: readonly object[]): readonly object[] {
  const metadata = { name: user }
  const apiVersion = `${rbac}/v1`
  return [
    { apiVersion, kind: 'ClusterRole', metadata, rules },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: user },
      subjects: [{ apiGroup: rbac, kind: 'User', name: user }],
    },
  ]
}

function proxy(namespace: string, body: string): object {
  return {
    apiVersion: 'projectcontour.io/v1',
    kind: 'HTTPProxy',
    metadata: { namespace, name: 'a' },
    spec: { virtualhost: { fqdn: 'a.test' }, routes: [{ directResponsePolicy: { statusCode: 200, body } }] },
  }
}

/** Behind the Service that Envoys call. */
function slice(namespace: string, name: string, address: string, port: number): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': 'contour' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'xds', port }],
  }
}

describe.skipIf(withoutApiServer() || withoutEnvoy())('with real parts', { timeout: 300_000 }, () => {
  const patient = { timeout: 120_000, interval: 100 }
  let server: RealApiServer
  let cluster: Cluster
  const endings: (() => unknown)[] = []

  beforeAll(async () => {
    server = await RealApiServer.start({ [ours]: 'a', foreign: 'b' })
    cluster = server.cluster()
    await server.apply(
      ...projectcontourResources.map(crdManifest),
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'projectcontour' } },
      ...shippedGrants(),
      ...granted('foreign', foreign),
    )
  }, 90_000)

  afterEach(async () => {
    for (const end of endings.splice(0).toReversed()) await end()
  })
  afterAll(async () => {
    cluster?.close()
    await server?.stop()
  })

  async function prepare(namespace: string, seconds: number): Promise<void> {
    const set = await makeCertificates({ namespace, lifetimeDays: seconds / 86_400 })
    const secrets = makeSecrets(set, { namespace, nameSuffix: '', format: 'legacy' })
    await server.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    // Of an earlier try.
    await server.run(['delete', 'secrets,events', '--all', '-n', namespace])
    await server.apply(...secrets)
  }

  async function volumeOf(namespace: string, secret: string, lateMs: number): Promise<Volume> {
    const volume = new Volume(cluster, namespace, secret, lateMs)
    endings.push(() => volume.stop())
    await expect.poll(() => volume.read('tls.key'), patient).not.toBe('')
    return volume
  }

  async function replica(
    user: string,
    namespace: string,
    name: string,
    volume: Volume,
    settings: Settings = {},
  ) {
    const started = await Replica.start({ access: server.access(user), namespace, name, volume, settings })
    endings.push(() => started.stop())
    return started
  }

  test('the leader begins, another finishes, and neither Envoys nor their clients notice', async () => {
    const namespace = 'projectcontour'
    await prepare(namespace, 180)
    const seen: Seen[] = []
    for (const name of ['contourcert', 'envoycert'] as const) {
      const note = (data: Readonly<Record<string, string>>) => {
        const held = readHeld(data)
        if (held !== undefined) seen.push({ name, held, at: Date.now() })
      }
      endings.push(followSecret(cluster, namespace, name, note))
    }
    const legacy: string[] = []
    const noteLegacy = (data: Readonly<Record<string, string>>) => legacy.push(data['cacert.pem'] ?? '')
    endings.push(followSecret(cluster, namespace, 'cacert', noteLegacy))

    const [httpPort, statsPort, adminPort] = [await freePort(), await freePort(), await freePort()]
    const address = '127.0.0.1'
    const httpAccessLog = '/dev/null'
    const settings = {
      httpAddress: address,
      httpPort,
      httpAccessLog,
      statsAddress: address,
      statsPort,
      adminPort,
    }
    const replicas: Replica[] = []
    const envoys: RealEnvoy[] = []
    for (const [i, late] of [100, 700].entries()) {
      const volume = await volumeOf(namespace, 'contourcert', late)
      replicas.push(await replica(ours, namespace, `contour-${i}`, volume, settings))
    }
    await server.apply(proxy(namespace, 'before'))
    // Both at one port, which the kernel shares between them.
    for (const [i, late] of [300, 900].entries()) {
      const volume = await volumeOf(namespace, 'envoycert', late)
      const envoy = await startEnvoy(volume, `envoy-${i}`, replicas[i]?.port ?? 0)
      endings.push(() => envoy.stop())
      envoys.push(envoy)
      const listening = () => envoy.admin('/listeners').catch(() => '')
      await expect.poll(listening, patient).toContain(`:${httpPort}`)
    }
    const listeners = () =>
      Promise.all(
        envoys.map(async (envoy) => [
          await envoy.stat('listener_manager.listener_create_success'),
          await envoy.stat('listener_manager.listener_modified'),
          await envoy.stat('listener_manager.total_filter_chains_draining'),
        ]),
      )
    const before = await listeners()
    const clients = 4
    const traffic = new Traffic(httpPort, clients)
    endings.push(() => traffic.stop())
    // No second step is taken before there is a replica to be asked: however slow the start was, this is in time.
    await server.apply(
      ...replicas.map(({ name, port }, i) => slice(namespace, name, `192.0.2.${i + 1}`, port)),
    )

    // Two steps are the leader's; then it loses its lease.
    await expect.poll(() => seen.filter(({ name }) => name === 'envoycert').length, patient).toBe(3)
    const [leader, other] = replicas.toSorted((a, b) => Number(b.isLeader) - Number(a.isLeader))
    if (leader === undefined || other === undefined) throw new Error('there are no two replicas')
    leader.cluster.cut = true
    for (const each of ['contourcert', 'envoycert'])
      await expect.poll(() => seen.filter(({ name }) => name === each).length, patient).toBe(4)
    const [made, begun, , finished] = seen.filter(({ name }) => name === 'contourcert')
    const [madeClient, , , finishedClient] = seen.filter(({ name }) => name === 'envoycert')
    if (!made || !begun || !finished || !madeClient || !finishedClient)
      throw new Error('there are four steps')
    const { authorities } = finished.held
    const pair = finishedClient.held
    const shown = {
      trusts: true,
      shows: fingerprint(finished.held.certificate),
      clients: [fingerprint(pair.certificate)],
    }
    for (const { port } of replicas)
      expect(await probe({ address: `127.0.0.1:${port}`, authorities, pair })).toEqual(shown)

    const { from, to } = lifeOf(made.held.certificate)
    expect(begun.at).toBeGreaterThan(from + ((to - from) * 2) / 3)
    for (const each of ['contourcert', 'envoycert'])
      expect(
        seen
          .filter(({ name }) => name === each)
          .slice(0, 4)
          .map(({ held }) => [held.authorities.length, held.next !== undefined]),
      ).toEqual([
        [1, false],
        [2, true],
        [2, false],
        [1, false],
      ])
    expect(leader.cluster.written).toEqual(['cacert', 'envoycert', 'contourcert', 'envoycert'])
    // Those who watch may see it before the answer is there, and one Secret before the other.
    await expect
      .poll(() => other.cluster.written.slice(0, 4))
      .toEqual(['contourcert', 'cacert', 'envoycert', 'contourcert'])
    await expect
      .poll(() => legacy)
      .toEqual([made.held.authorities, begun.held.authorities, authorities].map((all) => all.join('')))
    expect(authorities).not.toEqual(made.held.authorities)

    leader.cluster.cut = false
    await server.apply(proxy(namespace, 'after'))
    await expect.poll(() => traffic.answers.get('200 after') ?? 0, patient).toBeGreaterThan(100)
    await traffic.stop()
    expect([...traffic.answers.keys()]).toEqual(['200 before', '200 after'])
    expect(traffic.sockets.size).toBe(clients)
    expect(await listeners()).toEqual(before)
    // Who shows the old certificate is a stranger now.
    const stranger = { authorities, pair: madeClient.held }
    for (const { port } of replicas)
      await expect
        .poll(async () => (await probe({ address: `127.0.0.1:${port}`, ...stranger })).trusts, patient)
        .toBe(false)
  })

  test('a role that does not allow it is left without new keys, and told of the end', async () => {
    const namespace = 'foreign'
    await prepare(namespace, 120)
    const secrets = async () =>
      JSON.parse(await server.run(['get', 'secrets', '-n', namespace, '-o', 'json'])).items
    const before = await secrets()
    const volume = await volumeOf(namespace, 'contourcert', 0)
    const { metrics } = await replica('foreign', namespace, 'contour-0', volume)
    const events = async () => {
      const { items } = await cluster.list(eventType, { namespace })
      return items
        .filter((item) => item['reason'] === 'CertificateExpiring')
        .map(({ involvedObject, message }) => [involvedObject, message])
    }
    await expect
      .poll(events, patient)
      .toEqual([
        [
          expect.objectContaining({ kind: 'Secret', name: 'contourcert' }),
          expect.stringMatching(/ end at .* and are not renewed: the Secrets may not be written$/),
        ],
      ])
    await expect.poll(() => metrics.exposition()).toContain('landfall_xds_certificate_renewal_blocked 1\n')
    expect(await secrets()).toEqual(before)
  })
})

interface Seen {
  readonly name: 'contourcert' | 'envoycert'
  readonly held: Held
  readonly at: number
}

/** Requests one after the other, over a few connections that stay. */
class Traffic {
  readonly answers = new Map<string, number>()
  readonly sockets = new Set<Socket>()
  readonly #agent: Agent
  readonly #running: Promise<unknown>
  #ended = false

  constructor(port: number, clients: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: clients })
    this.#running = Promise.all(Array.from({ length: clients }, () => this.#run(port)))
  }

  async #run(port: number): Promise<void> {
    while (!this.#ended) {
      const answer = await this.#ask(port)
      this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1)
      await delay(10)
    }
  }

  #ask(port: number): Promise<string> {
    return new Promise((resolve) => {
      const options = { host: '127.0.0.1', port, headers: { host: 'a.test' }, agent: this.#agent }
      const call = get(options, (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (body += chunk))
        response.on('end', () => resolve(`${response.statusCode} ${body}`))
      })
      call.on('socket', (socket) => this.sockets.add(socket))
      call.on('error', (error) => resolve(error.message))
    })
  }

  async stop(): Promise<void> {
    this.#ended = true
    await this.#running
    this.#agent.destroy()
  }
}
