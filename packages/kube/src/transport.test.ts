import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Cluster } from './cluster.ts'
import { configMapType } from './core-types.ts'
import { configMap, FakeApiServer, statusOf } from './testing/fake-api-server.ts'

describe('a request', () => {
  let server: FakeApiServer
  let cluster: Cluster

  beforeEach(async () => {
    server = new FakeApiServer()
    await server.listen()
    cluster = server.cluster()
  })

  afterEach(async () => {
    cluster.close()
    await server.close()
  })

  it('fails with what the server said, and names what was asked', async () => {
    server.answer = () => ({
      status: 429,
      headers: { 'retry-after': '3' },
      body: statusOf(429, 'TooManyRequests', 'slow down'),
    })
    await expect(cluster.get(configMapType, 'shop/a')).rejects.toMatchObject({
      message: 'GET /api/v1/namespaces/shop/configmaps/a: slow down',
      status: 429,
      reason: 'TooManyRequests',
      retryAfterMs: 3000,
    })
    expect(cluster.gate.isOutage()).toBe(false)
  })

  it('gives up after its time, and shuts the gate until somebody answers', async () => {
    server.answer = () => 'silence'
    const asked = cluster.request({ method: 'GET', path: '/slow', timeoutMs: 50 })
    await expect(asked).rejects.toMatchObject({ message: 'GET /slow: no answer in time', status: 0 })
    expect(cluster.gate.isOutage()).toBe(true)
    server.answer = () => ({ status: 404, body: statusOf(404, 'NotFound') })
    await expect(cluster.request({ method: 'GET', path: '/x' })).rejects.toMatchObject({ status: 404 })
    expect(cluster.gate.isOutage()).toBe(false)
  })

  it('ends when its caller gives up, and takes that for no outage', async () => {
    server.answer = () => 'silence'
    const stop = new AbortController()
    const asked = cluster.request({ method: 'GET', path: '/slow', signal: stop.signal })
    setTimeout(() => stop.abort(), 20)
    await expect(asked).rejects.toMatchObject({ status: 0 })
    expect(cluster.gate.isOutage()).toBe(false)
  })

  it('is sent once more when a kept connection turns out to be closed, but a POST is not', async () => {
    let resets = 0
    server.answer = ({ path }) => {
      if (path.endsWith('warm') || resets > 0) return { body: configMap('a', 1) }
      resets++
      return 'reset'
    }
    await cluster.request({ method: 'GET', path: '/warm' })
    await cluster.get(configMapType, 'shop/a')
    expect(resets).toBe(1)
    await cluster.request({ method: 'GET', path: '/warm' })
    resets = 0
    await expect(cluster.create(configMapType, configMap('a', 1))).rejects.toMatchObject({ status: 0 })
    expect(resets).toBe(1)
  })

  it('fails on an answer that is no JSON', async () => {
    server.answer = () => ({ body: undefined })
    await expect(cluster.request({ method: 'GET', path: '/x' })).rejects.toThrow(
      'GET /x: the answer is no JSON',
    )
  })
})
