/** `fuzz`: mutated messages by the million through decoder and state machine, by seed, on every core. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { repeat, type Trial } from '../part.ts'
import type { Part } from './part.ts'

const program = fileURLToPath(new URL('../../../packages/speaker/src/bgp/fuzz/main.ts', import.meta.url))
const messages = 10_000_000
/** What a process may stand still for, of 100,000 messages each. */
const hangMs = 120_000
const mostGrownMiB = 8
/** Of the processor, for one message, collections of garbage included. */
const mostMs = 100

type Line =
  | { readonly kind: 'progress'; readonly done: number }
  | {
      readonly kind: 'done'
      readonly longestMs: number
      readonly grownMiB: number
      readonly counts: Readonly<Record<string, number>>
    }
  | {
      readonly kind: 'broken'
      readonly seed: number
      readonly done: number
      readonly bytes: string
      readonly error: string
    }

export const fuzz: Part = {
  about: `${messages / 1e6} million mutated messages (--times: so many million) through decoder and state machine`,
  run: (o) => {
    const count = o.times === undefined ? messages : o.times * 1e6
    // Each day another one, the same for all who drill that day.
    const seed = Math.floor(Date.now() / 86_400_000) * 100
    return repeat(o, 'fuzz', `${count / 1e6} million messages from seed ${seed} on`, 1, (note) =>
      fuzzed(seed, count, note),
    )
  },
}

async function fuzzed(seed: number, count: number, note: (text: string) => void): ReturnType<Trial> {
  const processes = availableParallelism()
  const done = new Map<number, number>()
  const ends = await Promise.all(
    Array.from({ length: processes }, (_, i) =>
      run(seed + i, Math.ceil(count / processes), (messagesDone) => {
        done.set(i, messagesDone)
        note(`${[...done.values()].reduce((sum, one) => sum + one, 0) / 1e6} million`)
      }),
    ),
  )
  const whole = ends.flatMap((end) => (end.kind === 'done' ? [end] : []))
  const sum = (kind: RegExp) =>
    whole
      .flatMap(({ counts }) => Object.entries(counts))
      .reduce((total, [name, number]) => total + (kind.test(name) ? number : 0), 0)
  return {
    figures: {
      understood: sum(/^[a-z]/i),
      'answered with an error': sum(/^\d/),
      'kinds of error': new Set(
        whole.flatMap(({ counts }) => Object.keys(counts).filter((name) => /^\d/.test(name))),
      ).size,
      'max longest ms': Math.max(0, ...whole.map(({ longestMs }) => longestMs)),
      'max heap grown MiB': Math.max(0, ...whole.map(({ grownMiB }) => grownMiB)),
    },
    complaints: ends.flatMap((end) => complaintsOf(end)),
    lateMs: 0,
  }
}

type End = Exclude<Line, { kind: 'progress' }> | { readonly kind: 'hung'; readonly seed: number }

function complaintsOf(end: End): readonly string[] {
  switch (end.kind) {
    case 'hung':
      return [`seed ${end.seed}: nothing more came for ${hangMs / 1000} s`]
    case 'broken':
      return [`seed ${end.seed}, message ${end.done}: ${end.error}: ${end.bytes}`]
    default:
      return [
        ...(end.grownMiB > mostGrownMiB ? [`the heap grew by ${end.grownMiB.toFixed(1)} MiB`] : []),
        ...(end.longestMs > mostMs ? [`a message took ${Math.round(end.longestMs)} ms`] : []),
      ]
  }
}

async function run(seed: number, count: number, onProgress: (done: number) => void): Promise<End> {
  const child = spawn(process.execPath, ['--expose-gc', program, `${seed}`, `${count}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let end: End | undefined
  const watchdog = setTimeout(() => {
    end = { kind: 'hung', seed }
    child.kill('SIGKILL')
  }, hangMs)
  createInterface({ input: child.stdout }).on('line', (text) => {
    watchdog.refresh()
    const line: Line = JSON.parse(text)
    if (line.kind === 'progress') onProgress(line.done)
    else end = line
  })
  const [code] = await once(child, 'close')
  clearTimeout(watchdog)
  if (end === undefined) throw new Error(`the process of seed ${seed} ended with code ${code}`)
  return end
}
