/** What the observer makes of a cluster whose API server is a fake one. */
import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RawObject } from '@landfall/kube'
import { FakeApiServer, type FakeWatch, statusOf } from '@landfall/kube/testing'
import { createLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Observer } from './observer.ts'

const metadata = (name: string) => ({ name, namespace: 'metallb-system', uid: name, resourceVersion: '1' })
const address = '127.0.0.1'
const nodes = [{ metadata: metadata('n1'), status: { addresses: [{ type: 'InternalIP', address }] } }]
const two = [...nodes, { metadata: metadata('n2'), status: { addresses: [{ type: 'InternalIP', address }] } }]
const podOn = (nodeName: string, image: string): RawObject => ({
  metadata: metadata(`speaker-${nodeName}`),
  spec: { nodeName, containers: [{ image }] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
})
const [own, theirs] = [podOn('n1', 'landfall/speaker:1'), podOn('n2', 'quay.io/metallb/speaker:v0.15.2')]
let api: FakeApiServer
let observer: Observer
let memberlist: net.Server
let asked: number
let items: Readonly<Record<string, readonly RawObject[]>>
let forbidden: readonly string[]
let events: unknown[]

beforeEach(async () => {
  ;[events, asked] = [[], 0]
  api = new FakeApiServer(({ path, query }) => {
    const plural = path.split('/').at(-1) ?? ''
    if (forbidden.includes(plural)) return { status: 403, body: statusOf(403, 'Forbidden') }
    if (query.get('sendInitialEvents') === 'true') return { status: 400, body: statusOf(400, 'BadRequest') }
    if (query.has('watch')) return undefined
    return { body: { metadata: { resourceVersion: '1' }, items: items[plural] ?? [] } }
  })
  await api.listen()
  memberlist = net.createServer((socket) => socket.destroy() && asked++).listen(0, address)
  await once(memberlist, 'listening')
})
afterEach(async () => {
  observer.stop()
  memberlist.close()
  await api.close()
})

async function started(onChange: () => void, patientMs: number): Promise<void> {
  const bound = memberlist.address()
  observer = new Observer({
    cluster: api.cluster(),
    logger: createLogger({ level: 'all', write: (line) => void events.push(JSON.parse(line).event) }),
    node: 'n1',
    podName: '',
    namespace: 'metallb-system',
    configMap: 'config',
    loadBalancerClass: '',
    nodeRules: { ignoreExcludeLabel: false, drainOnCordon: false },
    speakerLabels: 'component=speaker',
    memberPort: typeof bound === 'object' && bound !== null ? bound.port : 0,
    onChange,
    onUpdates: () => {},
    onConfig: () => {},
    patientMs,
  })
  await observer.start()
}

async function foreign(): Promise<readonly string[]> {
  await started(() => {}, 50)
  const facts = [...observer.world().nodes]
  return facts.flatMap(([name, fact]) => (fact.foreignSpeaker ? name : []))
}

test("MetalLB's speakers are known by their pods, and no port is asked", async () => {
  ;[items, forbidden] = [{ nodes: two, pods: [own, theirs] }, []]
  expect([await foreign(), events.includes('foreignSpeakers')]).toEqual([['n2'], true])
  expect(asked).toBe(0)
  observer.stop()
  ;[items, events] = [{ nodes: two, pods: [own] }, []]
  expect([await foreign(), events.includes('foreignSpeakers')]).toEqual([[], false])
})

test('a pod that is heard is ours, whatever its image is called', async () => {
  ;[items, forbidden] = [{ nodes: two, pods: [own, theirs] }, []]
  let told = 0
  await started(() => told++, 50)
  await vi.waitUntil(() => told === 1, 30_000)
  expect(observer.world().nodes.get('n2')?.foreignSpeaker).toBe(true)
  observer.heard([{ node: 'n2', state: 'serving', heardMs: 1 }])
  await vi.waitUntil(() => told === 2, 30_000)
  expect(observer.world().nodes.get('n2')?.foreignSpeaker).toBe(false)
  observer.heard([{ node: 'n2', state: 'dead', heardMs: 1000 }])
  expect(observer.world().nodes.get('n2')?.foreignSpeaker).toBe(false)
})

test('where the name of an image says nothing, the port of memberlist does', async () => {
  ;[items, forbidden] = [{ nodes: two, pods: [own, podOn('n2', 'registry.example/infra/announcer:1')] }, []]
  expect(await foreign()).toEqual(['n2'])
})

test('where pods may not be listed, by the port of memberlist', async () => {
  ;[items, forbidden] = [{ nodes }, ['pods']]
  expect([await foreign(), events.includes('foreignSpeakers')]).toEqual([['n1'], true])
})

test.each([3_600_000, 20])('an address is followed with the Service that waited %i ms for it', async (ms) => {
  ;[items, forbidden] = [{ nodes }, []]
  const seen: string[] = []
  let told = 0
  await started(() => {
    told++
    const changed = [...observer.takeChanged()].flatMap((key) => observer.world().services.get(key) ?? [])
    seen.push(...changed.map(({ meta, ingress }) => `${meta.name} ${ingress[0]?.ip}`))
  }, ms)
  await vi.waitUntil(() => told > 0, 30_000)
  const watch = await watchOf('services')
  const service = (name: string, version: string, ip?: string): RawObject => ({
    metadata: { ...metadata(name), resourceVersion: version },
    spec: { type: 'LoadBalancer' },
    status: { loadBalancer: ip === undefined ? {} : { ingress: [{ ip }] } },
  })
  await watch.send({ type: 'ADDED', object: service('web', '2') })
  if (ms === 20) await vi.waitUntil(() => seen.length === 1, 30_000)
  await watch.send({ type: 'MODIFIED', object: service('web', '3', '192.0.2.1') })
  const before = ms === 20 ? ['web undefined'] : []
  await vi.waitUntil(() => seen.length > before.length, 30_000)
  expect(seen).toEqual([...before, 'web 192.0.2.1'])
})

test('what a Node is annotated with is followed, its heartbeat is not', async () => {
  ;[items, forbidden] = [{ nodes }, []]
  let told = 0
  await started(() => told++, 50)
  await vi.waitUntil(() => told === 1, 30_000)
  const watch = await watchOf('nodes')
  const node = (version: string, annotations: Readonly<Record<string, string>>): RawObject => {
    const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: `2030-01-01T00:00:0${version}Z` }]
    const [{ status }] = nodes as [(typeof nodes)[0]]
    const meta = { ...metadata('n1'), resourceVersion: version, annotations }
    return { metadata: meta, status: { ...status, conditions } }
  }
  await watch.send({ type: 'MODIFIED', object: node('2', {}) })
  await watch.send({ type: 'MODIFIED', object: node('3', { 'example.net/peer-address': '192.0.2.1' }) })
  await vi.waitUntil(() => told === 2, 30_000)
  await watch.send({ type: 'MODIFIED', object: node('4', { 'example.net/peer-address': '192.0.2.1' }) })
  await sleep(200)
  expect(told).toBe(2)
})

async function watchOf(plural: string): Promise<FakeWatch> {
  for (;;) {
    const watch = await api.nextWatch()
    const asked = api.requests.find(({ query }) => query === watch.query)
    if (asked?.path.endsWith(`/${plural}`)) return watch
  }
}
