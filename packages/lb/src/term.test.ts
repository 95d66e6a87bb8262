import { setTimeout as sleep } from 'node:timers/promises'
import { FakeApiServer, statusOf } from '@landfall/kube/testing'
import { Metrics, silentLogger } from '@landfall/telemetry'
import { expect, test } from 'vitest'
import { ControllerMetrics } from './controller-metrics.ts'
import { Term } from './term.ts'

test('nothing of a term outlives it', { timeout: 20_000 }, async () => {
  const server = new FakeApiServer(({ method }) =>
    method === 'POST' ? { status: 500, body: statusOf(500, 'InternalError') } : undefined,
  )
  await server.listen()
  const cluster = server.cluster()
  const metrics = new Metrics('test')
  const term = new Term({
    cluster,
    namespace: 'metallb-system',
    configMap: 'config',
    loadBalancerClass: '',
    poolRemovalGraceMs: 0,
    memberlistSecret: 'memberlist',
    deployment: '',
    logger: silentLogger(),
    metrics: new ControllerMetrics(metrics),
    mayWrite: () => true,
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
