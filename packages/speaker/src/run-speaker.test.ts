/** Whole runs against a fake API server and a bare peer; no interface of this machine answers. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { RawObject } from '@landfall/kube'
import { FakeApiServer, statusOf } from '@landfall/kube/testing'
import { createLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BarePeer } from './bgp/testing/bare-peer.ts'
import { until } from './bgp/testing/until.ts'
import { defaultSpeakerOptions, type SpeakerOptions } from './options.ts'
import { runSpeaker } from './run-speaker.ts'

let folder = ''
let api: FakeApiServer
let peer: BarePeer
/** Ends the runs of the test. */
let control: AbortController
let lines: Record<string, unknown>[] = []

beforeEach(async () => {
  folder = mkdtempSync(`${tmpdir()}/landfall-run-`)
  writeFileSync(`${folder}/excludes.yaml`, 'announcedInterfacesToExclude: [".*"]\n')
  lines = []
  control = new AbortController()
  peer = await BarePeer.listen({ asn: 65000 })
  const spec = { myASN: 65000, peerASN: 65000, peerAddress: '127.0.0.1', peerPort: peer.port }
  const items: Readonly<Record<string, readonly RawObject[]>> = {
    nodes: [{ metadata: { name: 'n1', uid: 'n1', resourceVersion: '1' } }],
    bgppeers: [
      { metadata: { name: 'p', namespace: 'metallb-system', uid: 'p', resourceVersion: '1' }, spec },
    ],
  }
  api = new FakeApiServer(({ path, query }) => {
    if (query.get('sendInitialEvents') === 'true') return { status: 400, body: statusOf(400, 'BadRequest') }
    if (query.has('watch')) return undefined
    const plural = path.split('/').at(-1) ?? ''
    return { body: { metadata: { resourceVersion: '1' }, items: items[plural] ?? [] } }
  })
  await api.listen()
  const server = { server: `http://127.0.0.1:${api.port}`, 'insecure-skip-tls-verify': true }
  const contexts = [{ name: 'x', context: { cluster: 'c', user: 'u' } }]
  const clusters = [{ name: 'c', cluster: server }]
  const config = { clusters, contexts, users: [{ name: 'u', user: {} }], 'current-context': 'x' }
  writeFileSync(`${folder}/kubeconfig`, JSON.stringify(config))
})
afterEach(async () => {
  vi.restoreAllMocks()
  control.abort()
  await peer.close()
  await api.close()
  rmSync(folder, { recursive: true })
})

async function listenOn(port: number): Promise<net.Server> {
  const server = net.createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function portOf(server: net.Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening')
  return address.port
}

async function freePort(): Promise<number> {
  const server = await listenOn(0)
  const port = portOf(server)
  server.close()
  return port
}

/** Free again: somebody else can listen on it. */
async function expectFree(port: number): Promise<void> {
  const server = await listenOn(port)
  server.close()
}

async function optionsWith(healthPort?: number): Promise<SpeakerOptions> {
  return {
    ...defaultSpeakerOptions,
    bgp: { drainMs: 0, listenPort: undefined },
    logger: createLogger({ write: (line) => void lines.push(JSON.parse(line)) }),
    version: 'test',
    signal: control.signal,
    kubeconfig: `${folder}/kubeconfig`,
    node: 'n1',
    namespace: 'metallb-system',
    excludeFile: `${folder}/excludes.yaml`,
    heartbeat: { ...defaultSpeakerOptions.heartbeat, bindAddress: '127.0.0.1', port: await freePort() },
    metrics: { address: '127.0.0.1', port: await freePort(), secure: undefined },
    health: { address: '127.0.0.1', port: healthPort ?? (await freePort()) },
  }
}

const logged = (event: string) => lines.some((line) => line['event'] === event)

test('a port that is taken ends the run, and nothing of it stays', async () => {
  const taken = await listenOn(0)
  const options = await optionsWith(portOf(taken))
  await expect(runSpeaker(options)).rejects.toThrow('EADDRINUSE')
  // All modules are loaded now. Of a few ends one is quick, on whatever machine.
  let tookMs = Number.POSITIVE_INFINITY
  for (let tries = 0; tries < 5 && tookMs >= 1000; tries++) {
    const start = performance.now()
    await expect(runSpeaker(options)).rejects.toThrow('EADDRINUSE')
    tookMs = performance.now() - start
  }
  expect(tookMs).toBeLessThan(1000)
  taken.close()
  await expectFree(options.metrics.port)
  expect(peer.connections).toBe(0)
})

test('a worker that is killed ends the run: peers are told, servers and watches are closed', async () => {
  const post = vi.spyOn(Worker.prototype, 'postMessage')
  const options = await optionsWith()
  const outcome = runSpeaker(options).catch((error: unknown) => String(error))
  await until('the session', () => logged('sessionUp'))
  for (const worker of new Set(post.mock.contexts)) if (worker instanceof Worker) void worker.terminate()
  // 1, or 0 when it was ended before it ran its first line.
  expect(await outcome).toMatch(/the layer 2 worker ended with code [01]/)
  await expect.poll(() => peer.notifications()).toEqual(['6/2'])
  expect(logged('workerFailed')).toBe(true)
  for (const { port } of [options.metrics, options.health]) await expectFree(port)
  const watched = api.requests.length
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect([api.requests.length, peer.connections]).toEqual([watched, 1])
})

test('a person asks on the loopback that addresses be spread anew', async () => {
  const options = await optionsWith()
  const run = runSpeaker(options)
  await until('the session', () => logged('sessionUp'))
  const url = `http://127.0.0.1:${options.health.port}/layer2/rebalance`
  const post = vi.spyOn(Worker.prototype, 'postMessage')
  let answer = await fetch(url, { method: 'POST' })
  while (answer.status === 503) answer = await fetch(url, { method: 'POST' })
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('n1 coordinates')])
  expect(post.mock.calls.map(([message]) => message)).toContainEqual({ kind: 'rebalance' })
  control.abort()
  await run
})

test('labels of the node that change are told, once', async () => {
  const { answer } = api
  api.answer = (request) => {
    const isOther = request.query.has('watch') && !request.path.endsWith('/nodes')
    return isOther ? (answer(request) ?? 'silence') : answer(request)
  }
  const run = runSpeaker(await optionsWith())
  await until('the session', () => logged('sessionUp'))
  const watch = await api.nextWatch()
  const modified = (resourceVersion: string, labels: Readonly<Record<string, string>>) => ({
    type: 'MODIFIED' as const,
    object: { metadata: { name: 'n1', uid: 'n1', resourceVersion, labels } },
  })
  await watch.send(modified('2', {}))
  await watch.send(modified('3', { rack: 'r1' }))
  await until('the line', () => logged('nodeLabelsChanged'))
  control.abort()
  await run
  expect(lines.filter(({ event }) => event === 'nodeLabelsChanged')).toHaveLength(1)
})

test('the signal ends it cleanly', async () => {
  const options = await optionsWith()
  const run = runSpeaker(options)
  await until('the session', () => logged('sessionUp'))
  control.abort()
  await run
  await expect.poll(() => peer.notifications()).toEqual(['6/2'])
  for (const { port } of [options.metrics, options.health]) await expectFree(port)
})
