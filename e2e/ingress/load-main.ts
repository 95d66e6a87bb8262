/**
 * Steady requests over kept connections, in a process of its own. One JSON argument says what to do; the result is a
 * line of JSON after the end of standard input. Run by `startRequests` in load.ts.
 */
import { Agent, get } from 'node:http'
import { get as getTls, Agent as TlsAgent } from 'node:https'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RequestsOptions, RequestsResult } from './load.ts'

const o: RequestsOptions = JSON.parse(process.argv[2] ?? '{}')
// In turn, so that none is idle until the other side closes it.
const kept = { keepAlive: true, maxSockets: o.connections, scheduling: 'fifo' } as const
const agent = o.tls ? new TlsAgent(kept) : new Agent(kept)
const fresh = o.tls ? new TlsAgent({ maxCachedSessions: 0 }) : new Agent()
const watched = new WeakSet<Socket>()
const tickMs = 5
const failures: Record<string, number> = {}
const answers: Record<string, number> = {}
const failed: { atMs: number; why: string }[] = []
const first = performance.now()
const open = new Set<Promise<void>>()
const stop = new AbortController()
let [sent, longestMs, tickerLateMs, closed] = [0, 0, 0, 0]

function begin(): void {
  const asked: Promise<void> = ask().finally(() => open.delete(asked))
  open.add(asked)
}

function ask(): Promise<void> {
  const started = performance.now()
  const host = o.hosts[sent % o.hosts.length] ?? ''
  const path = o.paths[sent % o.paths.length] ?? '/'
  // Now and then a connection of its own, so that handshakes are in it too.
  const alone = sent % 20 === 0
  sent++
  const { promise, resolve } = Promise.withResolvers<void>()
  const done = (why: string | undefined) => {
    resolve()
    if (why === undefined) {
      longestMs = Math.max(longestMs, performance.now() - started)
      return
    }
    failures[why] = (failures[why] ?? 0) + 1
    if (failed.length < 20) failed.push({ atMs: Math.round(started - first), why })
  }
  const options = {
    host: o.address ?? '127.0.0.1',
    port: o.port,
    path,
    headers: { host },
    agent: alone ? fresh : agent,
    timeout: o.timeoutMs,
  }
  const secure = { servername: host, rejectUnauthorized: false, ...o.client }
  const call = o.tls ? getTls({ ...options, ...secure }) : get(options)
  if (!alone) call.once('socket', watch)
  call.once('timeout', () => call.destroy(new Error('no answer in time')))
  call.once('error', (error) => done('code' in error ? String(error.code) : error.message))
  call.once('response', (response) => {
    let body = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => (body += chunk))
    response.once('end', () => {
      answers[body] = (answers[body] ?? 0) + 1
      done(response.statusCode === 200 ? undefined : `status ${response.statusCode}`)
    })
  })
  return promise
}

function watch(socket: Socket): void {
  if (watched.has(socket)) return
  watched.add(socket)
  socket.once('close', () => {
    if (!stop.signal.aborted) closed++
  })
}

process.stdin.resume().once('close', () => stop.abort())
let ticked = first
while (!stop.signal.aborted) {
  const now = performance.now()
  tickerLateMs = Math.max(tickerLateMs, now - ticked - tickMs)
  ticked = now
  const due = Math.floor(((now - first) * o.perSecond) / 1000) - sent
  for (let n = 0; n < due; n++) begin()
  await sleep(tickMs)
}
await Promise.all(open)
const result: RequestsResult = {
  startedAt: performance.timeOrigin + first,
  sent,
  failures,
  failed,
  answers,
  longestMs: Math.round(longestMs),
  closed,
  tickerLateMs: Math.round(tickerLateMs),
}
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit())
