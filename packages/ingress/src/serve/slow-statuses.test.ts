import type { HTTPProxyStatus } from '@landfall/api'
import type { RawObject } from '@landfall/kube'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { followClusters } from './cluster-follower.ts'
import { ServeBed } from './serve-bed.ts'

let bed: ServeBed

beforeEach(async () => {
  bed = await new ServeBed().open()
})

afterEach(() => bed.close())

const proxies = '/apis/projectcontour.io/v1/httpproxies'
const services = '/api/v1/services'
const names = Array.from({ length: 20 }, (_, index) => `shop-${index}`)

function proxy(name: string, strategy: string, generation: number): RawObject {
  return {
    apiVersion: 'projectcontour.io/v1',
    kind: 'HTTPProxy',
    metadata: { name, namespace: 'web', generation, resourceVersion: String(generation + 1) },
    spec: {
      virtualhost: { fqdn: `${name}.test` },
      routes: [{ services: [{ name: 'shop', port: 80 }], loadBalancerPolicy: { strategy } }],
    },
  }
}

const shop: RawObject = {
  metadata: { name: 'shop', namespace: 'web', resourceVersion: '1' },
  spec: { ports: [{ name: 'http', port: 80 }] },
}

test('defect 2: changes reach Envoys while no status can be written, and then each object gets what is true by then', {
  timeout: 120_000,
}, async () => {
  let silent = true
  const asked: string[] = []
  const written = new Map<string, HTTPProxyStatus[]>()
  bed.server.answer = ({ method, path, body }) => {
    if (method !== 'PUT' || !path.endsWith('/status')) return undefined
    const object = body as RawObject
    const { name } = object.metadata
    asked.push(name)
    if (silent) return 'silence'
    written.set(name, [...(written.get(name) ?? []), object['status'] as HTTPProxyStatus])
    return { body: object }
  }
  const objects = names.map((name) => proxy(name, 'RoundRobin', 1))
  await bed.serve({ [proxies]: objects, [services]: [shop] }, { leaderElection: undefined })
  await expect.poll(() => asked.length).toBeGreaterThan(0)

  const { seconds: clusters, end } = followClusters(bed.xdsPort)
  await expect.poll(() => clusters.size).toBe(1)
  for (const name of names)
    await bed.watch(proxies).send({ type: 'MODIFIED', object: proxy(name, 'Random', 2) })
  await expect.poll(() => clusters.size).toBe(2)
  expect(written.size).toBe(0)
  end()

  silent = false
  await expect.poll(() => written.size, { timeout: 90_000 }).toBe(names.length)
  const generations = [...written.values()]
    .flat()
    .map(({ conditions = [] }) => conditions[0]?.observedGeneration)
  expect(new Set(generations)).toEqual(new Set([2]))
})
