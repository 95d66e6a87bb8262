/** Times that rows name. */
import { expect } from 'vitest'

/** On a machine that has more to do. */
const slack = process.env['LANDFALL_TIMES'] === 'judge' ? 1 : 10

/** Says how long it took. Ten times the row's own is accepted; `npm run drill -- guides` accepts that alone. */
export function tookAtMost(mostMs: number, tookMs: number, what: string): void {
  process.stdout.write(`${what}: ${seconds(tookMs)} (at most ${seconds(mostMs)})\n`)
  expect(tookMs).toBeLessThanOrEqual(mostMs * slack)
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
