/**
 * Loaded before a program (`node --import`), has its main thread do nothing else for half of the time, and collect garbage.
 * In: `DRILL_BUSY`, milliseconds at a time and MiB a second. Out: a line of JSON each time, and one a second of how late its
 * worker threads are, which are left alone.
 */
import { writeSync } from 'node:fs'
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

/** Of some 100 bytes each. */
const objectsPerMiB = 10_000
const turnMs = 100
const mostLives = 20
const stdout = 1

if (isMainThread) {
  const [blockedMs = 0, garbageMiB = 0] = (process.env['DRILL_BUSY'] ?? '').split(' ').map(Number)
  let longestGcMs = 0
  const collections = new PerformanceObserver((list) => {
    longestGcMs = Math.max(longestGcMs, ...list.getEntries().map(({ duration }) => duration))
  })
  collections.observe({ entryTypes: ['gc'] })
  setInterval(() => {
    say('drillBusy', { longestGcMs })
    for (const end = performance.now() + blockedMs; performance.now() < end; );
  }, 2 * blockedMs).unref()
  const lives: object[][] = []
  const perTurn = (garbageMiB * objectsPerMiB * turnMs) / 1000
  setInterval(() => {
    lives.push(Array.from({ length: perTurn }, (_, i) => ({ i, text: `${i}`, more: [i] })))
    if (lives.length > mostLives) lives.splice(0, mostLives / 2)
  }, turnMs).unref()
} else {
  const delays = monitorEventLoopDelay({ resolution: 5 })
  delays.enable()
  setInterval(() => {
    say('drillWorker', { lateMs: delays.max / 1e6 })
    delays.reset()
  }, 1000).unref()
}

function say(event: string, fields: Readonly<Record<string, number>>): void {
  writeSync(stdout, `${JSON.stringify({ event, level: 'info', ...fields })}\n`)
}
