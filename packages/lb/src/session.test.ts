/** A term as leader on an API server that misbehaves as told. */
import type { RawObject } from '@landfall/kube'
import { bookmark, FakeApiServer, type FakeReply, type FakeWatch, statusOf } from '@landfall/kube/testing'
import { Metrics } from '@landfall/telemetry'
import { expect, it } from 'vitest'
import { ControllerMetrics } from './controller-metrics.ts'
import { sessionFor } from './testing.ts'

const refusal = (code: number): FakeReply => ({ status: code, body: statusOf(code, '') })

/** What each kind is answered, but for a first look that was spoiled; the rest is there, and empty. */
const clusters = {
  'of the time of the ConfigMap': (path: string) => (path.includes('metallb.io') ? 404 : 200),
  'with the role of MetalLB': (path: string) => (path.startsWith('/apis/metallb.io/v1beta1/ip') ? 403 : 200),
}

it.each(Object.keys(clusters).flatMap((name) => [0, 500].map((spoilt) => [name, spoilt] as const)))(
  'a cluster %s is synced with although the first look met %d',
  async (name, spoilt) => {
    let looks = 0
    const server = new FakeApiServer(({ path, query }) => {
      if (path.endsWith('/ipaddresspools') && !query.has('watch') && looks++ === 0)
        return spoilt === 0 ? 'reset' : refusal(spoilt)
      if (path === '/readyz') return { body: {} }
      const status = Object.entries(clusters).find(([one]) => one === name)?.[1](path) ?? 500
      if (status !== 200) return refusal(status)
      return query.has('watch') ? undefined : { body: { metadata: { resourceVersion: '1' }, items: [] } }
    })
    await server.listen()
    const cluster = server.cluster()
    void serve(server, {})
    const session = sessionFor(cluster)
    try {
      await session.start()
      expect(looks).toBeGreaterThan(1)
    } finally {
      await session.stop()
      cluster.close()
      await server.close()
    }
  },
)

const pool = {
  metadata: { namespace: 'metallb-system', name: 'p', uid: 'p', resourceVersion: '1', generation: 1 },
  spec: { addresses: ['192.0.2.1/32'] },
}

it('a Service whose address the API server refuses is told so, once', async () => {
  let stored: RawObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name: 'a', uid: 'a', resourceVersion: '1' },
    spec: { type: 'LoadBalancer', ports: [{ port: 80 }], clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'] },
    status: { loadBalancer: {} },
  }
  const puts: string[] = []
  const server = new FakeApiServer(({ method, path, query, body }) => {
    if (query.has('watch')) return undefined
    if (path.endsWith('/services/a')) return { body: stored }
    if (!path.endsWith('/services/a/status') || method !== 'PUT')
      return { body: body ?? { metadata: {}, items: [] } }
    const text = JSON.stringify((body as RawObject)['status'])
    puts.push(text)
    if (text.includes('192.0.2.1"')) return refusal(422)
    const resourceVersion = String(puts.length + 1)
    stored = { ...(body as RawObject), metadata: { ...(body as RawObject).metadata, resourceVersion } }
    void watch?.send({ type: 'MODIFIED', object: stored })
    return { body: stored }
  })
  let watch: FakeWatch | undefined
  await server.listen()
  void serve(server, { services: stored, ipaddresspools: pool }, (kind, one) => {
    if (kind === 'services') watch = one
  })
  const cluster = server.cluster()
  const registry = new Metrics('test')
  const session = sessionFor(cluster, { metrics: new ControllerMetrics(registry) })
  await session.start()
  // What the speakers say comes last.
  while (!puts.some((put) => put.includes('metallb.io/Announced'))) await pause(20)
  await pause(2000)
  expect(puts.length).toBeLessThan(12)
  await session.stop()
  const condition = { type: 'metallb.io/AddressAllocated', status: 'False', reason: 'StatusRefused', message }
  expect(stored['status']).toMatchObject({
    loadBalancer: {},
    conditions: expect.arrayContaining([expect.objectContaining(condition)]),
  })
  expect(stored.metadata.annotations).toEqual({})
  const events = server.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/events'))
  expect(events.map(({ body }) => body)).toMatchObject([
    { reason: 'IPAllocated' },
    { reason: 'StatusRefused', type: 'Warning', message },
  ])
  expect(await registry.exposition()).toMatch(/^metallb_k8s_client_update_errors_total [1-9]$/m)
  cluster.close()
  await server.close()
})

const message = 'the API server refuses 192.0.2.1 in the status of this Service'

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Each watch begins with a list: of one object, or empty. */
async function serve(
  server: FakeApiServer,
  objects: Readonly<Record<string, RawObject>>,
  onWatch: (kind: string, watch: FakeWatch) => void = () => {},
): Promise<never> {
  for (;;) {
    const watch = await server.nextWatch()
    const kind =
      server.requests
        .find(({ query }) => query === watch.query)
        ?.path.split('/')
        .at(-1) ?? ''
    const object = objects[kind]
    if (object !== undefined) await watch.send({ type: 'ADDED', object })
    await watch.send(bookmark(1, true))
    onWatch(kind, watch)
  }
}
