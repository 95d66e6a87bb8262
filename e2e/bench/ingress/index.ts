/**
 * `serve` and a real Envoy at growing numbers of hosts on a real API server: from the answer of the API server to the
 * first answer through Envoy, what a change costs, starts and memory. Beside each size ten hosts take turns with it in
 * the same run, for the ratios. Each size of each mode is a cell, which an interrupted run need not measure again.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Journal } from '../../drill/journal.ts'
import { startTicker } from '../../drill/ticker.ts'
import { startBackends } from '../../ingress/site.ts'
import { type Cell, type Mode, modes } from './cell.ts'
import { tablesOf } from './report.ts'
import { sample } from './samples.ts'
import { Stand } from './stand.ts'

export interface IngressBench {
  readonly sizes: readonly number[]
  readonly modes: readonly Mode[]
  readonly samples: number
  /** Where the cells are kept; a fresh one otherwise. */
  readonly folder: string | undefined
  readonly json: boolean
}

export const usualSizes: readonly number[] = [1000, 5000, 25_000]
export const usualSamples = 100
export const allModes = modes

const small = 10
const coldStarts = 3

export async function benchIngress(o: IngressBench): Promise<void> {
  const folder = o.folder ?? mkdtempSync(join(tmpdir(), 'landfall-bench-'))
  const journal = new Journal<Cell>('ingress', true, folder)
  process.stderr.write(`cells are kept in ${journal.path}\n`)
  const stop = await startBackends()
  try {
    for (const mode of o.modes)
      for (const size of o.sizes) {
        const known = journal.rows().some((cell) => cell.mode === mode && cell.beside === size)
        if (!known) for (const cell of await measure(mode, size, o.samples)) journal.add(cell)
      }
  } finally {
    stop()
  }
  const cells = journal
    .rows()
    .filter(({ mode, beside }) => o.modes.includes(mode) && o.sizes.includes(beside))
  process.stdout.write(o.json ? `${JSON.stringify(cells)}\n` : tablesOf(cells))
}

async function measure(mode: Mode, size: number, samples: number): Promise<readonly Cell[]> {
  const note = (text: string) => process.stderr.write(`${mode}, ${size} hosts: ${text}\n`)
  const stands: Stand[] = []
  const ticker = startTicker()
  try {
    const parts: Pick<Cell, 'fillMs' | 'firstStart' | 'coldStarts' | 'restart' | 'memory'>[] = []
    for (const one of [size, small]) {
      const stand = await Stand.start(mode, one)
      stands.push(stand)
      parts.push(await begin(stand, note))
    }
    ticker.take()
    let last = ''
    const changes = await sample(stands, samples, (text) => {
      const [kind = ''] = text.split(' ')
      if (kind !== last) note(`${(last = kind)}, ${samples} samples`)
    })
    const lateMs = ticker.take()
    return stands.flatMap((stand, at) => {
      const [part, figures] = [parts[at], changes[at]]
      if (part === undefined || figures === undefined) return []
      return { mode, size: stand.size, beside: size, ...part, changes: figures, lateMs }
    })
  } finally {
    ticker.stop()
    for (const stand of stands) await stand.stop()
  }
}

/** All that happens before the first change, and what is in memory then. */
async function begin(stand: Stand, note: (text: string) => void) {
  const fillMs = await stand.fill()
  note(`${stand.size} created in ${(fillMs / 1000).toFixed(1)} s`)
  const firstStart = await stand.start()
  await stand.quiet()
  const starts = []
  for (let n = 0; n < coldStarts; n++) {
    starts.push(await stand.start())
    note(`cold start in ${(starts.at(-1)?.answeredMs ?? 0).toFixed(0)} ms`)
    await stand.quiet()
  }
  const memory = stand.memory()
  const restart = await stand.restart()
  return { fillMs, firstStart, coldStarts: starts, restart, memory }
}
