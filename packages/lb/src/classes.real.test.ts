/**
 * Controllers of different classes side by side in one namespace, on a real API server: each has its own Services, none
 * writes into those of others, no address is given twice, and what both of them report is at rest.
 */
import { isDeepStrictEqual } from 'node:util'
import { crdManifest, metallbResources } from '@landfall/api/crd'
import type { Cluster } from '@landfall/kube'
import { awaited, RealApiServer, withoutApiServer } from '@landfall/kube/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Session } from './session.ts'
import { sessionFor } from './testing.ts'

const namespace = 'metallb-system'
const condition = 'metallb.io/AddressAllocated'

interface Seen {
  readonly metadata: { readonly name: string; readonly resourceVersion: string }
  readonly status: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip: string }[] }
    readonly assignedIPv4?: number
    readonly result?: string
  }
}

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let cluster: Cluster
  const sessions: Session[] = []

  beforeAll(async () => {
    server = await RealApiServer.start()
    cluster = server.cluster()
    const crds = metallbResources.map((resource) => crdManifest(resource))
    await server.apply(...crds, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    const metadata = { namespace, name: 'shared' }
    const spec = { addresses: ['192.0.2.0/28'] }
    await server.apply({ apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata, spec })
  }, 90_000)

  afterAll(async () => {
    for (const session of sessions) await session.stop()
    cluster?.close()
    await server?.stop()
  })

  const kubectl = (...args: readonly string[]) => server.run(args)
  async function get(kind: string, name: string, where = namespace): Promise<Seen> {
    return JSON.parse(await kubectl('get', kind, name, '-n', where, '-o', 'json')) as Seen
  }
  /** Without the one that the API server makes for itself. */
  async function services(): Promise<readonly Seen[]> {
    const { items } = JSON.parse(await kubectl('get', 'services', '-o', 'json')) as { items: Seen[] }
    return items.filter(({ metadata }) => metadata.name !== 'kubernetes')
  }
  async function until<T>(read: () => Promise<T>, expected: T): Promise<void> {
    expect(await awaited(read, expected)).toEqual(expected)
  }
  async function start(loadBalancerClass: string): Promise<void> {
    const session = sessionFor(cluster, {
      loadBalancerClass,
    })
    sessions.push(session)
    await session.start()
  }
  const balanced = (name: string, loadBalancerClass?: string, annotations: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name, annotations },
    spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...(loadBalancerClass && { loadBalancerClass }) },
  })
  const given = async () =>
    (await services()).flatMap(({ status }) => (status.loadBalancer?.ingress ?? []).map(({ ip }) => ip))

  it('leaves a Service of another class as it is, whatever its status carries, and gives its address to nobody', async () => {
    await server.apply(balanced('theirs', 'x.y/z', { 'metallb.io/ip-allocated-from-pool': 'shared' }))
    const at = '2026-01-01T00:00:00Z'
    const said = { type: condition, status: 'True', reason: 'Allocated', message: '', lastTransitionTime: at }
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.0' }] }, conditions: [said] }
    const patch = JSON.stringify({ status })
    await kubectl('patch', 'service', 'theirs', '--subresource=status', '--type=merge', '-p', patch)
    const before = await get('service', 'theirs', 'default')
    await start('')
    await server.apply(balanced('ours'))
    await until(given, ['192.0.2.1', '192.0.2.0'])
    const counted = async () => (await get('ipaddresspool', 'shared')).status.assignedIPv4
    await until(counted, 2)
    expect(await get('service', 'theirs', 'default')).toEqual(before)
  })

  it('gives no address twice beside a controller of that class, and both are at rest then', async () => {
    await start('x.y/z')
    const all = Array.from({ length: 7 }, (_, index) => [
      balanced(`a${index}`),
      balanced(`b${index}`, 'x.y/z'),
    ])
    await server.apply(...all.flat())
    await until(async () => new Set(await given()).size, 16)
    const state = async () => {
      const { status } = await get('ipaddresspool', 'shared')
      const results = ['controller', 'controller-x.y-z'].map(async (name) => {
        return (await get('configurationstate', name)).status.result
      })
      return [status.assignedIPv4, ...(await Promise.all(results))]
    }
    await until(state, [16, 'Valid', 'Valid'])
    const versions = async () => {
      const pool = await get('ipaddresspool', 'shared')
      return [...(await services()), pool].map(({ metadata }) => metadata.resourceVersion)
    }
    // What is said of the announcement comes a little later, once; two that fight never rest.
    let before: readonly string[] = []
    let after = await versions()
    for (let tries = 0; tries < 6 && !isDeepStrictEqual(before, after); tries++) {
      before = after
      await new Promise((resolve) => setTimeout(resolve, 3000))
      after = await versions()
    }
    expect(after).toEqual(before)
  })

  it('takes its own back from a Service that is no balancer any more', async () => {
    await kubectl('patch', 'service', 'b0', '-p', '{"spec":{"type":"ClusterIP","loadBalancerClass":null}}')
    const left = async () => {
      const { metadata, status } = JSON.parse(await kubectl('get', 'service', 'b0', '-o', 'json')) as {
        metadata: { annotations?: Record<string, string> }
        status: { conditions?: { type: string }[] }
      }
      const conditions = status.conditions?.map(({ type }) => type) ?? []
      return [metadata.annotations?.['metallb.io/ip-allocated-from-pool'], conditions.includes(condition)]
    }
    await until(left, [undefined, false])
    const counted = async () => (await get('ipaddresspool', 'shared')).status.assignedIPv4
    await until(counted, 15)
    expect(await counted()).toBe(15)
  })
})
