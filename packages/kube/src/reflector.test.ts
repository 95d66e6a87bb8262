import { createLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configMapType } from './core-types.ts'
import type { ConfigMap } from './model/index.ts'
import { Reflector, type ReflectorOptions, type ReflectorTimes } from './reflector.ts'
import type { Change } from './store.ts'
import { bookmark, configMap, FakeApiServer, statusOf } from './testing/fake-api-server.ts'

let server: FakeApiServer
let lines: Record<string, unknown>[]
let batches: (readonly Change<ConfigMap>[])[]
let reflector: Reflector<ConfigMap>

beforeEach(async () => {
  server = new FakeApiServer()
  await server.listen()
  lines = []
  batches = []
})

afterEach(async () => {
  reflector.stop()
  await server.close()
})

function start(
  options: Partial<ReflectorOptions<ConfigMap>> = {},
  times: Partial<ReflectorTimes> = {},
): Reflector<ConfigMap> {
  reflector = new Reflector(
    {
      cluster: server.cluster(),
      type: configMapType,
      logger: createLogger({ level: 'all', write: (line) => void lines.push(JSON.parse(line)) }),
      onChange: (changes) => void batches.push(changes),
      ...options,
    },
    { settledMs: 50, ...times },
  )
  reflector.start()
  return reflector
}

/** What happened, short: `+a` added, `~a` changed, `-a` gone; one string a batch. */
function story(): readonly string[] {
  return batches.map((batch) =>
    batch.map(({ key, before, after }) => `${!before ? '+' : !after ? '-' : '~'}${key.slice(8)}`).join(' '),
  )
}

const events = () => lines.map((line) => line['event'])
const until = async (holds: () => boolean, ms = 30_000) => {
  const end = Date.now() + ms
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not reached: ${story().join(' | ')} ${events().join(' ')}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

async function synced(...names: readonly string[]) {
  const watch = await server.nextWatch()
  await watch.send(
    ...names.map((name) => ({ type: 'ADDED' as const, object: configMap(name, 1) })),
    bookmark(10, true),
  )
  await reflector.synced
  return watch
}

describe('a reflector', () => {
  it('asks for a streamed list, and delivers it as one batch before it is synced', async () => {
    start({ namespace: 'default', labelSelector: 'a=b' })
    const watch = await server.nextWatch()
    expect(Object.fromEntries(watch.query)).toMatchObject({
      watch: 'true',
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      allowWatchBookmarks: 'true',
      labelSelector: 'a=b',
    })
    expect(Number(watch.query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300)
    expect(server.requests[0]?.path).toBe('/api/v1/namespaces/default/configmaps')
    await watch.send({ type: 'ADDED', object: configMap('a', 1) })
    await watch.send({ type: 'ADDED', object: configMap('b', 2) })
    await watch.send({ type: 'DELETED', object: configMap('a', 3) })
    expect([story(), reflector.hasSynced()]).toEqual([[], false])
    await watch.send(bookmark(4, true))
    await reflector.synced
    expect([story(), [...reflector.items.keys()]]).toEqual([['+b'], ['default/b']])
  })

  it('delivers together what came together, and nothing for what is known', async () => {
    start()
    const watch = await synced('a')
    await watch.send(
      { type: 'MODIFIED', object: configMap('a', 11, { k: 'v' }) },
      { type: 'ADDED', object: configMap('b', 12) },
      { type: 'MODIFIED', object: configMap('b', 12) },
    )
    await watch.send(
      { type: 'DELETED', object: configMap('a', 13) },
      { type: 'DELETED', object: configMap('a', 13) },
    )
    await until(() => batches.length === 3)
    expect(story()).toEqual(['+a', '~a +b', '-a'])
    expect(batches[1]?.[0]?.after?.data).toEqual({ k: 'v' })
  })

  it('puts lines together whatever pieces they come in', async () => {
    start()
    const watch = await synced()
    const line = Buffer.from(
      `${JSON.stringify({ type: 'ADDED', object: configMap('a', 11, { k: 'ä€😀' }) })}\n`,
    )
    for (const byte of line) await watch.raw(Buffer.from([byte]))
    await until(() => batches.length === 1)
    expect(reflector.get('default/a')?.data).toEqual({ k: 'ä€😀' })
  })

  it('resumes where a reset cut it off', async () => {
    start()
    const watch = await synced('a')
    await watch.send(bookmark(77))
    watch.reset()
    const next = await server.nextWatch()
    expect([next.query.get('resourceVersion'), next.query.get('sendInitialEvents')]).toEqual(['77', null])
    await next.send({ type: 'ADDED', object: configMap('b', 78) })
    await until(() => batches.length === 2)
    expect([story(), events()]).toEqual([
      ['+a', '+b'],
      ['watchFailed', 'watchRecovered'],
    ])
  })

  it('goes on without a word when the server ends a watch', async () => {
    start()
    const watch = await synced('a')
    await new Promise((resolve) => setTimeout(resolve, 60))
    watch.end()
    const next = await server.nextWatch()
    expect([next.query.get('resourceVersion'), events()]).toEqual(['10', []])
  })

  it.each([
    ['in the stream', true],
    ['as an answer', false],
  ])('lists anew on 410 %s, and delivers what is gone meanwhile', async (_, inStream) => {
    start()
    const watch = await synced('a', 'b')
    if (inStream) await watch.send({ type: 'ERROR', object: statusOf(410, 'Expired', 'too old') })
    else {
      server.answer = ({ query }) =>
        query.has('resourceVersion') ? { status: 410, body: statusOf(410, 'Gone') } : undefined
      watch.reset()
    }
    const next = await server.nextWatch()
    expect(next.query.get('sendInitialEvents')).toBe('true')
    await next.send(
      { type: 'ADDED', object: configMap('b', 1) },
      { type: 'ADDED', object: configMap('c', 20) },
      bookmark(21, true),
    )
    await until(() => batches.length === 2)
    expect(story()).toEqual(['+a +b', '-a +c'])
  })

  it('reads pages where lists are not streamed', async () => {
    server.answer = ({ query }) => {
      if (query.has('sendInitialEvents')) return { status: 422, body: statusOf(422, 'Invalid') }
      if (query.has('watch')) return undefined
      const last = query.get('continue') === 'more'
      return {
        body: {
          items: [configMap(last ? 'b' : 'a', 1)],
          metadata: { resourceVersion: '30', ...(last ? {} : { continue: 'more' }) },
        },
      }
    }
    start()
    const watch = await server.nextWatch()
    expect([story(), watch.query.get('resourceVersion')]).toEqual([['+a +b'], '30'])
    expect(server.requests.map(({ query }) => query.get('limit'))).toEqual([null, '500', '500', null])
  })

  it.each(['ignores the request', 'is silent'])(
    'reads pages when the server %s for a streamed list',
    async (how) => {
      server.answer = ({ query }) =>
        query.has('watch')
          ? undefined
          : { body: { items: [configMap('a', 1)], metadata: { resourceVersion: '5' } } }
      start({}, { listIdleMs: 60 })
      const watch = await server.nextWatch()
      await watch.send({ type: 'ADDED', object: configMap('a', 1) })
      if (how === 'ignores the request') await watch.send(bookmark(5))
      await reflector.synced
      expect(story()).toEqual(['+a'])
    },
  )

  it('takes out the one object that is not to be read, and says which', async () => {
    const type = {
      ...configMapType,
      project: (raw: Parameters<typeof configMapType.project>[0]) => {
        if (raw.metadata.name === 'bad' && raw.metadata.resourceVersion !== '1')
          throw new Error('no such field')
        return configMapType.project(raw)
      },
    }
    start({ type })
    const watch = await synced('bad', 'good')
    await watch.send(
      { type: 'MODIFIED', object: configMap('bad', 11) },
      { type: 'MODIFIED', object: configMap('good', 12) },
    )
    await watch.raw('{"type":"ADDED","object":{"metadata":{"name":"torn"\n')
    await watch.send({ type: 'ADDED', object: configMap('c', 13) })
    await until(() => batches.length === 3)
    expect(story()).toEqual(['+bad +good', '-bad ~good', '+c'])
    expect(lines).toMatchObject([
      { event: 'badObject', name: 'bad', namespace: 'default', error: 'no such field' },
      { event: 'badWatchLine', name: 'torn' },
    ])
  })

  it('quotes a line that is no event, but never one of a Secret', async () => {
    const torn = '{"type":"ADDED","object":{"metadata":{"name":"torn"},"data":{"key":"c2VjcmV0"\n'
    start()
    await (await synced('a')).raw(torn)
    await until(() => events().includes('badWatchLine'))
    expect(lines.find(({ event }) => event === 'badWatchLine')?.['line']).toContain('c2VjcmV0')
    reflector.stop()
    lines.length = 0
    start({ type: { ...configMapType, kind: 'Secret' } })
    await (await synced('a')).raw(torn)
    await until(() => events().includes('badWatchLine'))
    expect(JSON.stringify(lines)).toContain('torn')
    expect(JSON.stringify(lines)).not.toContain('c2VjcmV0')
  })

  it('survives a handler that throws', async () => {
    let calls = 0
    start({
      onChange: () => {
        calls++
        throw new Error('handler')
      },
    })
    const watch = await synced('a')
    await watch.send({ type: 'ADDED', object: configMap('b', 11) })
    await until(() => calls === 2)
    expect(events()).toEqual(['changeHandlerFailed', 'changeHandlerFailed'])
  })

  it('gives up a connection that fell silent', async () => {
    start({}, { idleMs: 80 })
    await synced('a')
    const next = await server.nextWatch()
    expect(next.query.get('resourceVersion')).toBe('10')
  })

  it('never stops for good: 500s, resets and silence, then the server is back', async () => {
    const faults = [{ status: 500, body: statusOf(500, 'InternalError') }, 'reset', 'silence'] as const
    let turn = 0
    server.answer = () => faults[turn++]
    start({}, { headMs: 1000 })
    await synced('a')
    expect([story(), events()]).toEqual([['+a'], ['watchFailed', 'watchRecovered']])
  })

  it('keeps what it has while the server is away', async () => {
    start()
    await synced('a')
    const { port } = server
    await server.close()
    await until(() => events().includes('watchFailed'))
    expect([...reflector.items.keys()]).toEqual(['default/a'])
    server = new FakeApiServer()
    await server.listen(port)
    const next = await server.nextWatch()
    expect(next.query.get('resourceVersion')).toBe('10')
  })

  it('does not run hot when every watch ends at once', async () => {
    start()
    const first = await synced('a')
    first.end()
    const counted = server.requests.length
    const end = Date.now() + 1000
    while (Date.now() < end) {
      const watch = await Promise.race([
        server.nextWatch(),
        new Promise<undefined>((resolve) => setTimeout(resolve, 100, undefined)),
      ])
      watch?.end()
    }
    expect(server.requests.length - counted).toBeLessThan(6)
  })

  it.each([
    ['waits longer with every refusal', {}, 8],
    ['waits as long as the server asks', { 'retry-after': '1' }, 3],
  ])('%s', async (_, headers, most) => {
    server.answer = () => ({ status: 429, headers, body: statusOf(429, 'TooManyRequests') })
    start()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(server.requests.length).toBeLessThan(most)
    await until(() => server.requests.length > 1)
    expect(events()).toEqual(['watchFailed'])
  })

  it('is empty and synced while an optional kind is missing, and fills when it comes', async () => {
    server.answer = () => ({ status: 404, body: statusOf(404, 'NotFound') })
    start({ optional: true }, { absentFirstRetryMs: 50, absentDoubtMs: 20, absentKeepMs: 100 })
    await reflector.synced
    expect([reflector.items.size, story()]).toEqual([0, []])
    server.answer = () => undefined
    const watch = await server.nextWatch()
    await watch.send({ type: 'ADDED', object: configMap('a', 1) }, bookmark(2, true))
    await until(() => batches.length === 1)
    server.answer = () => ({ status: 404, body: statusOf(404, 'NotFound') })
    watch.reset()
    await until(() => batches.length === 2)
    expect(story()).toEqual(['+a', '-a'])
  })

  it('asks ever more seldom for a right that is not granted, and says so once', async () => {
    server.answer = () => ({ status: 403, body: statusOf(403, 'Forbidden') })
    start({ optional: true }, { absentFirstRetryMs: 20, absentDoubtMs: 60 })
    await reflector.synced
    await new Promise((resolve) => setTimeout(resolve, 1200))
    await until(() => server.requests.length > 3)
    expect(events()).toEqual(['notGranted'])
    // 20, 40, 60, 120, 240, 480, 960 ms
    expect(server.requests.length).toBeLessThan(12)
    server.answer = () => undefined
    await synced('a')
    expect(story()).toEqual(['+a'])
  })

  it('believes no refusal of a server that has just started, neither at first nor later', async () => {
    const refusing = () => ({ status: 403, body: statusOf(403, 'Forbidden') })
    server.answer = refusing
    start({ optional: true }, { absentFirstRetryMs: 40 })
    await until(() => server.requests.length >= 3)
    expect(reflector.hasSynced()).toBe(false)
    server.answer = () => undefined
    const watch = await synced('a')
    server.answer = refusing
    const counted = server.requests.length
    watch.reset()
    await until(() => server.requests.length >= counted + 3)
    server.answer = () => undefined
    const next = await server.nextWatch()
    expect([story(), next.query.get('resourceVersion')]).toEqual([['+a'], '10'])
  })

  it('is quiet after stop', async () => {
    start()
    const watch = await synced('a')
    reflector.stop()
    await watch.send({ type: 'ADDED', object: configMap('b', 11) })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect([story(), events(), server.requests.length]).toEqual([['+a'], [], 1])
  })
})
