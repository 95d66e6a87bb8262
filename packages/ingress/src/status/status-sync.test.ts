import { type HTTPProxy, httpProxy } from '@landfall/api'
import { customType } from '@landfall/kube'
import { FakeApiServer } from '@landfall/kube/testing'
import { silentLogger } from '@landfall/telemetry'
import { expect, test } from 'vitest'
import { emptyWorld } from '../model/objects.ts'
import { StatusSync } from './status-sync.ts'

const httpProxyType = customType<HTTPProxy>(httpProxy)

test('while the API server is away nothing is tried and nothing has failed', async () => {
  const raw = { metadata: { name: 'one', namespace: 'ns' }, spec: { virtualhost: { fqdn: 'a.test' } } }
  const server = new FakeApiServer(({ body }) => ({ body: body ?? raw }))
  await server.listen()
  const cluster = server.cluster()
  const world = emptyWorld()
  world.httpProxy.set('ns/one', httpProxyType.project(raw))
  const outcomes: string[] = []
  const written = Promise.withResolvers<void>()
  const sync = new StatusSync({
    cluster,
    logger: silentLogger(),
    world,
    classes: [],
    httpProxyType,
    verdict: () => ({ reached: true, problems: [] }),
    refusals: () => [],
    addresses: () => [],
    isLeader: () => true,
    onOutcome: (_, outcome) => {
      outcomes.push(outcome)
      written.resolve()
    },
  })
  cluster.gate.shut()
  sync.touch('httpProxy', 'ns/one')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect([server.requests.length, outcomes]).toEqual([0, []])
  cluster.gate.open()
  await written.promise
  expect(server.requests.map(({ method }) => method)).toEqual(['GET', 'PUT'])
  expect(outcomes).toEqual(['written'])
  await sync.stop()
  cluster.close()
  await server.close()
})
