/** Waiting for what others bring about. */
import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves with the milliseconds it took; looks every few. Throws after the limit. */
export async function until(what: string, holds: () => unknown, limitMs = 30_000): Promise<number> {
  const start = performance.now()
  while (!holds()) {
    if (performance.now() - start > limitMs) throw new Error(`not within ${limitMs} ms: ${what}`)
    await sleep(2)
  }
  return performance.now() - start
}
