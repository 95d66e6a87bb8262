/** Reviews by a real API server, under a role that grants them and under one that does not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Cluster } from './cluster.ts'
import { scrapeReview } from './scrape-review.ts'
import { RealApiServer, withoutApiServer } from './testing/index.ts'

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer
  let cluster: Cluster

  beforeAll(async () => {
    server = await RealApiServer.start({ granted: 'a', half: 'a', poor: 'a', prometheus: 'b', jane: 'c' })
    cluster = server.cluster()
    const tokens = { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] }
    const access = {
      apiGroups: ['authorization.k8s.io'],
      resources: ['subjectaccessreviews'],
      verbs: ['create'],
    }
    await bind('granted', [tokens, access])
    await bind('half', [tokens])
    await bind('prometheus', [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }])
  }, 90_000)

  afterAll(async () => {
    cluster?.close()
    await server?.stop()
  })

  async function bind(name: string, rules: readonly object[]): Promise<void> {
    const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles'
    await cluster.request({ method: 'POST', path, body: { metadata: { name }, rules } })
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name }
    const body = { metadata: { name }, roleRef, subjects: [{ kind: 'User', name }] }
    await cluster.request({ method: 'POST', path: path.replace('roles', 'rolebindings'), body })
  }

  async function asked(us: string, token: string): Promise<unknown> {
    const own = server.cluster(us)
    try {
      return await scrapeReview(own)(token)
    } finally {
      own.close()
    }
  }

  it('lets in who may get /metrics, and nobody else', async () => {
    const end = performance.now() + 30_000
    // The authorizer learns of a role a moment after it was made.
    while ((await asked('granted', 'prometheus').then(kindOf)) !== 'allowed' && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await asked('granted', 'prometheus')).toEqual({ kind: 'allowed' })
    expect(await asked('granted', 'jane')).toEqual({ kind: 'denied', user: 'jane' })
    expect(await asked('granted', 'nobody')).toEqual({ kind: 'unknown' })
  })

  it('says which right is missing', async () => {
    expect(await asked('poor', 'prometheus')).toEqual({
      kind: 'notGranted',
      missing: 'create on tokenreviews.authentication.k8s.io',
    })
    expect(await asked('half', 'prometheus')).toEqual({
      kind: 'notGranted',
      missing: 'create on subjectaccessreviews.authorization.k8s.io',
    })
  })
})

function kindOf(review: unknown): unknown {
  return typeof review === 'object' && review !== null ? Reflect.get(review, 'kind') : undefined
}
