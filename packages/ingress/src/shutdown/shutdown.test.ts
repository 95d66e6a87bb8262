import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { silentLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { operationalListeners } from '../envoy/operational-listeners.ts'
import { defaultListenerOptions } from '../envoy/options.ts'
import { eventually, withoutEnvoy } from '../envoy-process/envoy-process.ts'
import { readable } from '../golden/readable.ts'
import { answer, httpListener, scope } from '../xds/real-envoy/resources.ts'
import { Stand } from '../xds/real-envoy/stand.ts'
import { countConnections } from './admin.ts'
import { runShutdown, runShutdownManager, type ShutdownOptions } from './index.ts'

let directory = ''
let server: Server | undefined

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'landfall-shutdown-'))
})
afterEach(() => {
  server?.close()
  server = undefined
  rmSync(directory, { recursive: true, force: true })
})

function options(changed: Partial<ShutdownOptions> = {}): ShutdownOptions {
  return {
    logger: silentLogger(),
    version: 'test',
    signal: new AbortController().signal,
    adminAddress: join(directory, 'admin.sock'),
    readyFile: join(directory, 'ok'),
    drainDelayMs: 0,
    checkDelayMs: 0,
    checkIntervalMs: 20,
    minOpenConnections: 0,
    quietPeriodMs: 0,
    ...changed,
  }
}

/** An admin interface with these connections, open and ever, one answer a look; refuses the first `refusals` drains. */
async function admin(open: readonly number[], refusals = 0, ever = open): Promise<string[]> {
  const asked: string[] = []
  let look = 0
  let refused = 0
  server = createServer((request, response) => {
    const path = request.url?.split('?')[0] ?? ''
    asked.push(`${request.method} ${path}`)
    if (path === '/healthcheck/fail' && refused++ < refusals) response.statusCode = 503
    const [active, total] = [open, ever].map((all) => all[Math.min(look, all.length - 1)])
    if (path === '/stats') look++
    const lines = [`http.http.downstream_cx_active: ${active}`, `http.http.downstream_cx_total: ${total}`]
    response.end([...lines, 'http.stats.downstream_cx_active: 7', ''].join('\n'))
  }).listen(join(directory, 'admin.sock'))
  await once(server, 'listening')
  return asked
}

test('connections of operational listeners do not count', () => {
  const lines = [
    'http.ingress_http.downstream_cx_active: 3',
    'http.ingress_http.downstream_cx_total: 5',
    'http.https.downstream_cx_active: 4',
    'http.https.downstream_cx_total: 6',
    'http.stats-health.downstream_cx_active: 9',
    'http.stats-health.downstream_cx_total: 9',
    '',
  ]
  expect(countConnections(lines.join('\n'))).toEqual({ open: 7, ever: 11 })
})

test('nor do those of any listener that is not for traffic', () => {
  const at = { address: '127.0.0.1', port: 8004 }
  const options = { ...defaultListenerOptions, metrics: at, limitedHealth: at }
  const lines = operationalListeners(options, 'ads').flatMap((listener) => {
    const [, prefix] = /"stat_prefix":"([^"]*)"/.exec(JSON.stringify(readable('listeners', listener))) ?? []
    return [`http.${prefix}.downstream_cx_active: 1`, `http.${prefix}.downstream_cx_total: 1`]
  })
  expect(lines).toHaveLength(8)
  expect(countConnections(lines.join('\n'))).toEqual({ open: 0, ever: 0 })
})

test('the file appears when the last client is gone', async () => {
  const asked = await admin([2, 1, 0])
  await runShutdown(options())
  expect(asked).toEqual(['POST /healthcheck/fail', 'GET /stats', 'GET /stats', 'GET /stats'])
  expect(existsSync(join(directory, 'ok'))).toBe(true)
})

test('it tries again to tell Envoy, and ends at the number of connections that is allowed', async () => {
  const asked = await admin([5], 1)
  await runShutdown(options({ minOpenConnections: 5 }))
  expect(asked).toEqual(['POST /healthcheck/fail', 'POST /healthcheck/fail', 'GET /stats'])
})

test('while new clients come and go, it stays', async () => {
  const asked = await admin([0], 0, [4, 4, 5, 5, 6])
  const quietPeriodMs = 2000
  const started = performance.now()
  await runShutdown(options({ quietPeriodMs, checkIntervalMs: 100 }))
  expect(performance.now() - started).toBeGreaterThanOrEqual(quietPeriodMs)
  // The last one is seen at the fifth look.
  expect(asked.filter((line) => line === 'GET /stats').length).toBeGreaterThan(5)
})

test('an interrupted one leaves no file', async () => {
  await admin([1])
  const controller = new AbortController()
  const running = runShutdown(options({ signal: controller.signal }))
  await delay(50)
  controller.abort()
  await running
  expect(existsSync(join(directory, 'ok'))).toBe(false)
})

test('the manager answers when the file appears, and forgets one of an earlier life', async () => {
  const readyFile = join(directory, 'ok')
  writeFileSync(readyFile, 'old')
  const controller = new AbortController()
  const port = await new Promise<number>((onListening, reject) => {
    const manager = { ...options({ signal: controller.signal }), address: '127.0.0.1', port: 0, onListening }
    runShutdownManager(manager).catch(reject)
  })
  const base = `http://127.0.0.1:${port}`
  expect((await fetch(`${base}/healthz`)).status).toBe(200)
  let answered = false
  const asked = fetch(`${base}/shutdown`).then((response) => {
    answered = true
    return response.status
  })
  await delay(100)
  expect(answered).toBe(false)
  writeFileSync(readyFile, 'OK')
  expect(await asked).toBe(200)
  controller.abort()
})

test('a stop of the manager answers those who wait', async () => {
  const controller = new AbortController()
  let stopped: Promise<void> = Promise.resolve()
  const port = await new Promise<number>((onListening) => {
    const manager = { ...options({ signal: controller.signal }), address: '127.0.0.1', port: 0, onListening }
    stopped = runShutdownManager(manager)
  })
  const asked = fetch(`http://127.0.0.1:${port}/shutdown`).then(({ status }) => status)
  await delay(50)
  controller.abort()
  expect(await asked).toBe(200)
  await stopped
})

describe.skipIf(withoutEnvoy())('a real Envoy', () => {
  test('is waited for while a client is connected', async () => {
    const stand = await new Stand().open()
    try {
      await stand.startEnvoy()
      stand.publish({
        listeners: [httpListener(stand.httpPort)],
        scopes: [scope('http/a.test', answer('1'))],
      })
      await eventually('a.test answers', () => stand.http('a.test'))
      stand.hangUp()
      const client = connect(stand.httpPort, '127.0.0.1')
      await once(client, 'connect')
      let ended = false
      const running = runShutdown(options({ adminAddress: join(stand.directory, 'admin.sock') })).then(() => {
        ended = true
      })
      await delay(300)
      expect(ended).toBe(false)
      client.destroy()
      await running
      expect(existsSync(join(directory, 'ok'))).toBe(true)
    } finally {
      await stand.close()
    }
  })
})
