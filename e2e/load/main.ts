/**
 * The load generator: steady requests, each on a connection of its own, from inside a lab's host. One JSON argument
 * says what to do; standard output has a line of JSON ten times a second, and the result after the end of standard
 * input. Run by `startLoad` in load.ts.
 */
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type TcpProgress, tcpProgress } from '@landfall/net'
import { gapsOf, type Outcome } from './gaps.ts'
import type { Disturbance, LoadLine, LoadOrder, LoadTally } from './load.ts'
import { localPort } from './ports.ts'

const options: LoadOrder = JSON.parse(process.argv[2] ?? '{}')
const tickMs = 10
const goodInRow = 20
/** Lost, whatever the kernel says. */
const patienceMs = 10_000
/**
 * The client ends each connection, and so that neither side remembers it for a minute: kube-proxy gives connections of others the
 * same port by then, and a kernel that remembers a later timestamp there (RFC 7323 §5.3) lets them wait for a second.
 */
const headers = { host: options.host, connection: 'keep-alive' }
const first = performance.now()
const pending = new Map<number, Promise<void>>()
const lost: Disturbance[] = []
const late: Disturbance[] = []
const took: number[] = []
const outcomes: Outcome[] = []
let sent = 0
let disturbedAt = first
let tickerLateMs = 0
const stop = new AbortController()

function ask(started: number): Promise<void> {
  return new Promise((resolve) => {
    const disturbed = (list: Disturbance[], why: string, wasConnected = false) => {
      const tookMs = Math.round(performance.now() - started)
      list.push({ atMs: Math.round(started - first), tookMs, why, ...(wasConnected && { wasConnected }) })
      disturbedAt = Math.max(disturbedAt, started)
    }
    let isOver = false
    let isUnanswered = false
    const over = (): boolean => {
      clearTimeout(deadline)
      const before = isOver
      isOver = true
      return !before
    }
    const failed = (why: string) => {
      if (!over()) return
      outcomes.push({ atMs: Math.round(started - first), ok: false })
      disturbed(lost, why, why === 'ECONNRESET' || isUnanswered)
      resolve()
    }
    const to = { host: options.address, port: 80, localPort: localPort(options.portsUsed + sent) }
    const call = request({ ...to, path: '/', headers, agent: false }, (response) => {
      response.resume()
      response.once('error', (error) => failed(error.message))
      response.once('end', () => {
        if (response.statusCode !== 200) return failed(`status ${response.statusCode}`)
        if (!over()) return
        call.socket?.resetAndDestroy()
        const ms = performance.now() - started
        took.push(ms)
        outcomes.push({ atMs: Math.round(started - first), ok: true })
        if (ms > options.lateMs) disturbed(late, `${Math.round(ms)} ms`)
        resolve()
      })
    })
    let deadline = setTimeout(judge, options.timeoutMs)
    call.once('error', (error) => failed('code' in error ? String(error.code) : error.message))
    call.end()

    function judge(): void {
      const ms = performance.now() - started
      const progress = call.socket === null ? undefined : tcpProgress(call.socket)
      if (options.byPackets && ms < patienceMs && !isPacketMissing(progress))
        deadline = setTimeout(judge, tickMs)
      else {
        isUnanswered = progress?.answered === true
        const waited = ms < patienceMs ? options.timeoutMs : patienceMs
        call.destroy(new Error(`no answer in ${waited} ms${progress === undefined ? '' : sayOf(progress)}`))
      }
    }
  })
}

/** TCP sends again what is not answered: its first packet after a second, others sooner. What is answered since is late. */
function isPacketMissing(progress: TcpProgress | undefined): boolean {
  if (progress === undefined) return false
  return !progress.answered || (progress.sentAgain > 0 && progress.unanswered > 0)
}

function sayOf({ answered, sentAgain, unanswered }: TcpProgress): string {
  return answered ? `, connected, ${unanswered} packets open, ${sentAgain} sent again` : ', not connected'
}

function tally(): LoadTally {
  const now = performance.now()
  const [oldest = now] = pending.keys()
  const overdue = now - oldest > options.lateMs
  return { sent, answered: took.length, quietMs: overdue ? 0 : Math.round(now - disturbedAt) }
}

function say(line: LoadLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

process.stdin.resume().once('close', () => stop.abort())
let ticked = first
const ticker = setInterval(() => {
  const now = performance.now()
  tickerLateMs = Math.max(tickerLateMs, now - ticked - tickMs)
  ticked = now
}, tickMs)
const teller = setInterval(() => say({ kind: 'tally', tally: tally() }), 100)

while (!stop.signal.aborted) {
  const started = performance.now()
  const asked = ask(started).finally(() => pending.delete(started))
  pending.set(started, asked)
  sent++
  await sleep(Math.max(0, first + (sent * 1000) / options.perSecond - performance.now()))
}
await Promise.all(pending.values())
clearInterval(ticker)
clearInterval(teller)
const sorted = took.toSorted((a, b) => a - b)
say({
  kind: 'result',
  result: {
    sent,
    answered: took.length,
    lost,
    late,
    gaps: gapsOf(
      outcomes.toSorted((a, b) => a.atMs - b.atMs),
      goodInRow,
    ),
    startedAt: performance.timeOrigin + first,
    medianMs: Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10,
    longestMs: Math.round(sorted.at(-1) ?? 0),
    tickerLateMs: Math.round(tickerLateMs),
  },
})
