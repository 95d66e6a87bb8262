import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '@landfall/kube'
import { bookmark, FakeApiServer, type FakeReply, statusOf } from '@landfall/kube/testing'
import { Metrics, silentLogger } from '@landfall/telemetry'
import { expect, test } from 'vitest'
import { ControllerMetrics } from './controller-metrics.ts'
import { Term, type TermOptions } from './term.ts'

function termOn(cluster: Cluster, more: Partial<TermOptions> = {}): Term {
  return new Term({
    cluster,
    namespace: 'metallb-system',
    configMap: 'config',
    loadBalancerClass: '',
    poolRemovalGraceMs: 0,
    memberlistSecret: '',
    deployment: '',
    logger: silentLogger(),
    metrics: new ControllerMetrics(new Metrics('test')),
    mayWrite: () => true,
    ...more,
  })
}

test('nothing of a term outlives it', async () => {
  const server = new FakeApiServer(({ method }) =>
    method === 'POST' ? { status: 500, body: statusOf(500, 'InternalError') } : undefined,
  )
  await server.listen()
  const cluster = server.cluster()
  const metrics = new Metrics('test')
  const term = termOn(cluster, {
    memberlistSecret: 'memberlist',
    metrics: new ControllerMetrics(metrics),
  })
  const asked = () => server.requests.filter(({ path }) => path.endsWith('/secrets')).length
  const loaded = async () =>
    (await metrics.exposition()).match(/^metallb_k8s_client_config_loaded_bool .*/m)?.[0]
  void term.start()
  while (server.requests.filter(({ method }) => method === 'POST').length < 2) await sleep(20)
  expect(await loaded()).toBe('metallb_k8s_client_config_loaded_bool 0')
  await term.stop()
  expect(await loaded()).toBe(undefined)
  await sleep(100)
  const before = asked()
  await sleep(4000)
  expect(asked()).toBe(before)
  cluster.close()
  await server.close()
})

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'default', name: 'a', uid: 'uid-a', resourceVersion: '1' },
  spec: { type: 'LoadBalancer', ports: [{ port: 80 }], clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'] },
  // With an address, so that it is read before it is written.
  status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
}

test.each([
  ['goes out while the term lasts', false, true],
  ['of a term that is over is not, although this process leads again', true, false],
])('a write that is under way %s', async (_, ends, writes) => {
  let read: () => void = () => {}
  const isRead = new Promise<void>((resolve) => (read = resolve))
  const server = new FakeApiServer(({ method, path, query }): FakeReply | undefined => {
    if (query.has('watch')) return undefined
    if (path === '/api/v1/namespaces/default/services/a' && method === 'GET') {
      // Between reading the object and writing it.
      if (ends) void term.stop()
      read()
    }
    const isList = path.endsWith('s') && !path.endsWith('/status')
    return { body: isList ? { metadata: { resourceVersion: '1' }, items: [] } : service }
  })
  await server.listen()
  const cluster = server.cluster()
  const term = termOn(cluster)
  void serve(server)
  await term.start()
  await isRead
  const written = () => server.requests.some(({ path }) => path.endsWith('/services/a/status'))
  if (writes) while (!written()) await sleep(20)
  else await sleep(300)
  await term.stop()
  expect(written()).toBe(writes)
  cluster.close()
  await server.close()
})

/** One Service, and nothing else. */
async function serve(server: FakeApiServer): Promise<never> {
  for (;;) {
    const watch = await server.nextWatch()
    const about = server.requests.find(({ query }) => query === watch.query)?.path
    if (about === '/api/v1/services') await watch.send({ type: 'ADDED', object: service })
    await watch.send(bookmark(1, true))
  }
}
