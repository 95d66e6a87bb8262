/** The drill `layer2-simulation`: thousands of random lives of speakers on a virtual LAN, by seed, on every core. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { LablessDrill, Verdict } from './drill.ts'

const program = fileURLToPath(
  new URL('../../packages/speaker/src/layer2/simulation/main.ts', import.meta.url),
)

interface Sent {
  readonly messages: number
  readonly bytes: number
}

type Line =
  | { readonly kind: 'done'; readonly count: number }
  | { readonly kind: 'traffic'; readonly hub: Sent; readonly member: Sent }
  | {
      readonly kind: 'broken'
      readonly seed: number
      readonly violations: readonly string[]
      readonly story: readonly string[]
    }

export const layer2Simulation: LablessDrill = {
  about: 'random lives of speakers over virtual time: who answers, who moves, and how soon',
  times: 10_000,
  run: async ({ times = 10_000, progress }) => {
    const lines: Line[] = []
    // Each day another stretch, the same for all who drill that day.
    const first = Math.floor(Date.now() / 86_400_000) * 10_000
    await progress.step(`${times} lives, seeds ${first} to ${first + times - 1}`, () =>
      live(first, times, lines),
    )
    return verdict(first, lines)
  },
}

async function live(first: number, times: number, lines: Line[]): Promise<void> {
  const share = Math.ceil(times / availableParallelism())
  const runs: Promise<void>[] = []
  for (let from = 0; from < times; from += share)
    runs.push(run(first + from, Math.min(share, times - from), lines))
  await Promise.all(runs)
}

async function run(first: number, count: number, lines: Line[]): Promise<void> {
  const child = spawn(process.execPath, [program, `${first}`, `${count}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const read: Line = JSON.parse(line)
    lines.push(read)
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`the simulation of seeds from ${first} on ended with code ${code}`)
}

function verdict(first: number, lines: readonly Line[]): Verdict {
  const lives = lines.reduce((sum, line) => sum + (line.kind === 'done' ? line.count : 0), 0)
  const broken = lines.filter((line) => line.kind === 'broken')
  const traffic = lines.find((line) => line.kind === 'traffic')
  const text = (sent: Sent): string =>
    `${sent.messages} messages, ${Math.round(sent.bytes / 1024)} KiB a second`
  const rows = [
    `seeds, from ${first} on: ${lives}, each a random life and one of planned moves; ${broken.length} broke a promise`,
    ...(traffic === undefined
      ? []
      : [`of 100 members a hub sends ${text(traffic.hub)}, any other ${text(traffic.member)}`]),
  ]
  const complaints = broken.map(({ seed, violations, story }) =>
    [`seed ${seed}: ${violations[0] ?? ''}`, ...story.map((line) => `  ${line}`)].join('\n'),
  )
  return { table: `${rows.join('\n')}\n`, complaints }
}
