/** Status and trace of a cluster on a real API server, for who may read all of it and for who may read nothing. */
import { crdManifest, metallbResources, projectcontourResources } from '@landfall/api/crd'
import { type Cluster, endpointSliceType, type RawObject, serviceType } from '@landfall/kube'
import { RealApiServer, recreate, withoutApiServer } from '@landfall/kube/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ClusterView } from './cluster-view.ts'
import { readEnvoys } from './reading/envoys.ts'
import { listedKinds } from './reading/kinds.ts'
import { observe } from './reading/observe.ts'
import { readLists } from './reading/read.ts'
import { servingOf } from './reading/serving.ts'
import { podsOf } from './status/programs.ts'
import { statusOf } from './status/status.ts'
import { objectsOf, places, targetOf } from './testing.ts'
import { concluded, traceObjects } from './trace/trace.ts'

const url = 'http://shop.example.com/cart/1'
const types = new Map(listedKinds(places).map(({ type }) => [type.kind, type]))

describe.skipIf(withoutApiServer())('on a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let cluster: Cluster

  beforeAll(async () => {
    server = await RealApiServer.start({ stranger: 'strangers', watcher: 'watchers' })
    cluster = server.cluster()
  }, 90_000)

  afterAll(async () => {
    cluster?.close()
    await server?.stop()
  })

  async function viewOf(reader: Cluster): Promise<ClusterView> {
    const lists = await readLists(reader, places)
    const observed = observe(lists, places)
    const serving = servingOf(lists, observed, () => undefined, undefined)
    return { observed, serving, envoys: await readEnvoys(reader, podsOf(observed, 'envoy'), 8002, false) }
  }

  const traced = (view: ClusterView) =>
    concluded(url, traceObjects(view, targetOf(url, '192.168.77.200')).steps)

  async function create(object: RawObject): Promise<void> {
    const type = types.get(object.kind ?? '')
    if (type === undefined) throw new Error(`${object.kind} is not read`)
    const { status, ...rest } = object
    const created = await recreate(cluster, type, { apiVersion: type.apiVersion, ...rest })
    if (status !== undefined) await cluster.update(type, { ...created, status: dated(status) }, 'status')
  }

  it('says what is not installed', async () => {
    const { gaps, ok } = statusOf(await viewOf(cluster))
    expect(ok).toBe(false)
    expect(gaps.map(({ kind, why }) => `${kind} ${why}`)).toEqual(
      expect.arrayContaining(['IPAddressPool notInstalled', 'HTTPProxy notInstalled']),
    )
  })

  it('finds nothing wrong where nothing is', async () => {
    await server.apply(...[...metallbResources, ...projectcontourResources].map((one) => crdManifest(one)))
    for (const name of ['metallb-system', 'projectcontour', 'web']) {
      const metadata = { name }
      await server.apply({ apiVersion: 'v1', kind: 'Namespace', metadata })
      await server.apply({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'default', namespace: name },
      })
    }
    for (const object of objectsOf('healthy')) await create(object)
    const view = await viewOf(cluster)
    const { findings, services, pools, gaps } = statusOf(view)
    expect(findings).toEqual([])
    expect(gaps).toEqual([])
    expect(services).toMatchObject([
      { addresses: ['192.168.77.200'], announced: ['layer 2: n1'], reason: '' },
    ])
    expect(pools).toMatchObject([{ name: 'default', ipv4: { assigned: 1, total: 10 }, state: 'ok' }])
    expect(traced(view).steps.map(({ name, state }) => `${name} ${state}`)).toEqual(
      [
        'address',
        'pool',
        'announcement',
        'entry',
        'listener',
        'virtual host',
        'route',
        'cluster',
        'endpoints',
        'pods',
      ].map((name) => `${name} ok`),
    )
  })

  it('says that Envoys cannot be asked, where the API server reaches no pod', async () => {
    const { envoys } = statusOf(await viewOf(cluster))
    expect(envoys.map(({ reading }) => reading?.kind)).toEqual(['unreadable', 'unreadable', 'unreadable'])
  })

  it('names the selector that matches nothing', async () => {
    await cluster.patch(serviceType, 'web/shop', { spec: { selector: { app: 'shopp' } } })
    await cluster.delete(endpointSliceType, 'web/shop-1')
    const view = await viewOf(cluster)
    expect(statusOf(view).findings).toMatchObject([{ name: 'web/shop', reason: 'selectorMatchesNothing' }])
    expect(traced(view).broken).toMatchObject({ name: 'endpoints', reason: 'selectorMatchesNothing' })
  })

  it('says what may not be read, and goes on', async () => {
    const rule = { apiGroups: [''], resources: ['services'], verbs: ['list'] }
    const [apiGroup, metadata] = ['rbac.authorization.k8s.io', { name: 'services' }]
    const apiVersion = `${apiGroup}/v1`
    await server.apply(
      { apiVersion, kind: 'ClusterRole', metadata, rules: [rule] },
      {
        apiVersion,
        kind: 'ClusterRoleBinding',
        metadata,
        roleRef: { apiGroup, kind: 'ClusterRole', name: 'services' },
        subjects: [{ apiGroup, kind: 'Group', name: 'watchers' }],
      },
    )
    const watcher = server.cluster('watcher')
    try {
      // The authorizer learns of a role a moment after it was made.
      await expect.poll(() => watcher.list(serviceType)).toMatchObject({ items: expect.anything() })
      const view = await viewOf(watcher)
      const { gaps, services } = statusOf(view)
      expect(services).toMatchObject([{ name: 'projectcontour/envoy' }])
      expect(gaps.map(({ kind, why }) => `${kind} ${why}`)).toEqual(
        listedKinds(places)
          .map(({ name }) => name)
          .filter((name) => name !== 'Service')
          .toSorted()
          .map((name) => `${name} forbidden`),
      )
      const { steps } = traced(view)
      expect(steps.map(({ name, state }) => `${name} ${state}`)).toEqual(
        expect.arrayContaining(['address ok', 'pool unknown', 'entry unknown', 'virtual host unknown']),
      )
    } finally {
      watcher.close()
    }
  })

  it.each(['nobody', 'stranger'])('gives up only on who may read nothing: %s', async (user) => {
    const nobody = server.cluster(user)
    try {
      await expect(readLists(nobody, places)).rejects.toThrow(/Unauthorized|nothing may be read/)
    } finally {
      nobody.close()
    }
  })
})

/** Conditions with the time that the API wants of them. */
function dated(status: unknown): unknown {
  if (Array.isArray(status)) return status.map(dated)
  if (typeof status !== 'object' || status === null) return status
  const entries = Object.entries(status).map(([name, value]) => [name, dated(value)])
  const made: Readonly<Record<string, unknown>> = Object.fromEntries(entries)
  if (!('type' in made && 'status' in made) || 'lastTransitionTime' in made) return made
  return { ...made, lastTransitionTime: '2026-01-01T00:00:00Z' }
}
