/**
 * The load generator: steady requests, each on a connection of its own, from inside a lab's host. One JSON argument
 * says what to do; the result is one JSON object on standard output. Run by `steadyLoad` in load.ts.
 */
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Failure, LoadOptions, LoadResult } from './load.ts'

const options: LoadOptions = JSON.parse(process.argv[2] ?? '{}')
const failures: Failure[] = []
const slow: number[] = []
let answered = 0

function ask(): Promise<void> {
  const started = performance.now()
  return new Promise((resolve) => {
    const failed = (why: string) => {
      failures.push({ atMs: Math.round(started), why })
      resolve()
    }
    const signal = AbortSignal.timeout(options.timeoutMs)
    const call = request(
      { host: options.address, port: 80, path: '/', headers: { host: options.host }, agent: false, signal },
      (response) => {
        response.resume()
        response.once('error', (error) => failed(error.message))
        response.once('end', () => {
          if (response.statusCode !== 200) return failed(`status ${response.statusCode}`)
          answered++
          slow.push(performance.now() - started)
          resolve()
        })
      },
    )
    call.once('error', (error) => failed('code' in error ? String(error.code) : error.message))
    call.end()
  })
}

const open: Promise<void>[] = []
const first = performance.now()
for (let n = 0; performance.now() - first < options.seconds * 1000; n++) {
  open.push(ask())
  await sleep(first + ((n + 1) * 1000) / options.perSecond - performance.now())
}
await Promise.all(open)
const sorted = slow.toSorted((a, b) => a - b)
const result: LoadResult = {
  sent: open.length,
  answered,
  failures: failures.map(({ atMs, why }) => ({ atMs: atMs - Math.round(first), why })),
  medianMs: Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10,
  longestMs: Math.round(sorted.at(-1) ?? 0),
}
process.stdout.write(`${JSON.stringify(result)}\n`)
