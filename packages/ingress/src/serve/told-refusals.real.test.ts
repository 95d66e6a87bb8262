import { EventRecorder } from '@landfall/kube'
import { RealApiServer, withoutApiServer } from '@landfall/kube/testing'
import { createLogger, silentLogger } from '@landfall/telemetry'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RefusedOfIngress, tellIngresses } from '../status/refusal-events.ts'
import { toldRefusals } from './told-refusals.ts'

const refused: RefusedOfIngress = {
  layout: 'scoped',
  type: 'scopes',
  name: 'http/a.test',
  version: '0123456789abcdef',
  build: '1.40.0',
  message: 'no\nnever',
  ingress: 'default/a',
  uid: 'u',
}

describe.skipIf(withoutApiServer())('with a real API server', { timeout: 60_000 }, () => {
  let server: RealApiServer

  beforeAll(async () => {
    server = await RealApiServer.start({ nobody: 'nobody' })
  }, 90_000)

  afterAll(() => server?.stop())

  const read = async (user?: string) => {
    const lines: unknown[] = []
    const cluster = server.cluster(user)
    const logger = createLogger({ write: (line) => void lines.push(JSON.parse(line)) })
    const told = await toldRefusals(cluster, logger, [], new AbortController().signal)
    cluster.close()
    return { told, lines }
  }

  test('what is told of Ingresses is read, and nothing else', async () => {
    const cluster = server.cluster()
    const events = new EventRecorder({ cluster, component: 'contour', logger: silentLogger() })
    tellIngresses(events, [refused])
    const about = { apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'envoy', uid: 's' }
    events.record(about, { type: 'Warning', reason: 'EnvoyRefused', message: 'Envoy refuses listener' })
    await events.flush()
    cluster.close()
    expect(await read()).toEqual({ told: [refused], lines: [] })
  })

  test('without the right nothing is read, and the log says which right it is', async () => {
    const { told, lines } = await read('nobody')
    expect(told).toEqual([])
    expect(lines).toMatchObject([
      { event: 'refusalsUnread', error: expect.stringContaining('cannot list resource "events"') },
    ])
  })
})
