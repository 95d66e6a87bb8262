import { FakeApiServer, statusOf } from '@landfall/kube/testing'
import { silentLogger } from '@landfall/telemetry'
import { expect, test, vi } from 'vitest'
import { announcedOf } from './announced.ts'
import { AnnouncingReports } from './announcing-reports.ts'

vi.setConfig({ testTimeout: 60_000 })

test('the older of two nodes that both announce is named after a minute, although nothing changes then', async () => {
  const items = [3600, 50].map((seconds) => ({
    metadata: {
      namespace: 'metallb-system',
      name: `l2-${seconds}`,
      resourceVersion: '1',
      creationTimestamp: new Date(Date.now() - seconds * 1000).toISOString(),
    },
    status: { node: `n${seconds}`, serviceName: 'web', serviceNamespace: 'default' },
  }))
  const server = new FakeApiServer(({ path, query }) => {
    if (query.has('sendInitialEvents')) return { status: 400, body: statusOf(400, '') }
    if (query.has('watch')) return undefined
    const all = path.endsWith('/servicel2statuses') ? items : []
    return { body: { metadata: { resourceVersion: '1' }, items: all } }
  })
  await server.listen()
  const cluster = server.cluster()
  const said: (string | undefined)[] = []
  const reports = new AnnouncingReports({
    cluster,
    namespace: 'metallb-system',
    logger: silentLogger(),
    onChange: (services) => {
      for (const service of services)
        said.push(announcedOf(reports.of(service), true, true, Date.now())?.message)
    },
  })
  try {
    await reports.start()
    await vi.waitUntil(() => said.length > 1, { timeout: 30_000 })
    expect(said[0]).toBe('by layer 2 from node n50')
    expect(said.at(-1)).toBe('by layer 2 from nodes n3600, n50')
  } finally {
    reports.stop()
    cluster.close()
    await server.close()
  }
})
